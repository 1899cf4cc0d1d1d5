// What a takeover asks of the rest of the controller while it runs: by watch caches and configuration, not by live reads.
import type { NotedNode } from '../evidence/noted-node.ts';
import type { FenceMachine } from '../fencing/fence-target.ts';
import type { RecordedPolicy, TakeoverRecord } from './record.ts';

/** What the watch caches and the configuration say of a takeover's node at this moment. */
export interface NodeNow {
  /** No Node has its name. */
  readonly gone: boolean;
  /** As the Node is, or as it was when it was last seen; absent when nobody here has seen it. */
  readonly noted?: NotedNode;
  /** The policy that counts for it, by what was noted if there is no Node; absent when none does. */
  readonly policy?: RecordedPolicy;
}

/** Another node, which may share a device with one that is to be fenced. */
export interface Neighbour extends FenceMachine {
  /** Nothing says that it is dead; or something does, and it is not being taken over. */
  readonly lives: boolean;
  /** It is Ready and not taken for dead, so its machine runs. Absent: nothing says so. */
  readonly isHeard?: boolean;
}

/** What the rest of the controller knows while a takeover runs. */
export interface TakeoverWitness {
  /** Absent: whatever was known when the takeover was opened still counts. */
  nodeNow?(record: TakeoverRecord): NodeNow;
  /** A positive sign, in the watch caches, that the node lives; undefined while there is none. */
  lifeSign(record: TakeoverRecord): string | undefined;
  /** Why nothing that harms may be done right now; empty when it may. */
  holds(record: TakeoverRecord): readonly string[];
  /** Every other node, for whoever has to know with whom this one shares a device. Absent: there are none. */
  neighbours?(record: TakeoverRecord): Iterable<Neighbour>;
  /** Whether another machine has the address by now that its node had. Absent: none has. */
  addressIsReused?(record: TakeoverRecord): boolean;
  /** The id of a takeover of a later death of the same node that has a pod of this uid on record. Absent: there is none. */
  laterTakeoverWith?(record: TakeoverRecord, podUid: string): string | undefined;
  /** Another takeover of the same death that was opened later, while nobody could read this record. Absent: there is none. */
  successorOf?(record: TakeoverRecord): string | undefined;
}
