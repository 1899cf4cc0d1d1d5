// The shape of a guard: one named rule that lets a takeover pass or holds it, with a reason.
import type { Assessment } from '../evidence/judgement.ts';
import type { MaintenanceHold } from '../marks/maintenance.ts';
import type { Policy } from './policy.ts';

/** A death that neither a device nor a human vouches for, of a node that has not returned since. */
export interface UnprovenDeath {
  /** The Node's name. The Node itself may be gone. */
  readonly node: string;
  /** Monotonic time from which it counts: when this replica first saw it, or from when on it can have seen it. */
  readonly since: number;
}

/** What became of earlier takeovers of one death. */
export interface UndoneTakeovers {
  /** How many were undone. */
  readonly count: number;
  /** Monotonic time at which we first knew of the last one. */
  readonly since: number;
}

/** What fencers said when they were last asked whether they could fence a node. */
export interface FenceCheckFacts {
  /** Monotonic time at which one of its ladder last said yes; absent: none has, as far as this leader knows. */
  readonly readyAt?: number;
  /** What those said last that did not, for people; absent: none has answered yet, or none had anything against it. */
  readonly detail?: string;
}

/** What guards may know of the node in question. Copied from watch caches, never read anew. */
export interface NodeFacts {
  /** The Node's name. */
  readonly name: string;
  /** The Node's uid: another one under the same name is another node. */
  readonly uid: string;
  /** Its labels; empty when it has none. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its annotations; empty when it has none. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Its taints; empty when it has none. */
  readonly taints: readonly { readonly key: string; readonly effect: string }[];
  /** Absent: nobody says so, or the node is not cordoned. */
  readonly maintenance?: MaintenanceHold;
  /** Since when its own death counts; absent: it only just died, or somebody vouches for it. */
  readonly deadSince?: number;
  /** Takeovers of this very death that were undone; absent: none was. */
  readonly undone?: UndoneTakeovers;
  /** What became of asking its fencers; absent: nobody asks, as in a simulation. */
  readonly fenceCheck?: FenceCheckFacts;
  /** A record about it that a newer version wrote, and that is that version's to go on with. Absent: there is none. */
  readonly newerRecord?: string;
}

/** What is known of one zone. */
export interface ZoneFacts {
  /** How many nodes there are in it, those included that no policy selects. At least 1. */
  readonly nodes: number;
  /** How many of them are dead or being taken over, the node in question included. Those whose Node is gone count in no zone. */
  readonly dead: number;
}

/** What guards may know of everything else. */
export interface FleetFacts {
  /** How many nodes there are, those included that count as dead though their Node is gone. */
  readonly nodes: number;
  /** Names of all nodes that are dead or being taken over. */
  readonly dead: readonly string[];
  /** Every death without proof, the newest first, each node once. Absent: all of `dead` are taken for such. */
  readonly unproven?: readonly UnprovenDeath[];
  /** How many takeovers run. Absent: none. */
  readonly running?: number;
  /**
   * How many hosts are up whose kubelet hangs, neither the node in question nor those that count as dead without proof among them.
   * Absent: none.
   */
  readonly hanging?: number;
  /**
   * By the value of the label `topology.kubernetes.io/zone`, each zone that has a node. Nodes without the label are in none.
   * Absent: nobody counted, as when a brake is asked about a takeover that has begun.
   */
  readonly zones?: ReadonlyMap<string, ZoneFacts>;
  /** Why we can't see; empty when we can. */
  readonly blind: readonly string[];
  /** Who paused everything and why, when somebody did. */
  readonly paused: string | undefined;
}

/** What a guard decides by. */
export interface GuardInput {
  /** The dead node in question. */
  readonly node: NodeFacts;
  /** Its health, and what stands behind it. */
  readonly assessment: Assessment;
  /** The policy that counts for it. */
  readonly policy: Policy;
  /** Everything else. */
  readonly fleet: FleetFacts;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** A guard's answer: it lets the takeover pass, or holds it with a reason for people. */
export type GuardVerdict =
  | { readonly outcome: 'pass' }
  /** `until`: monotonic time before which looking again is pointless, when the guard knows one. */
  | { readonly outcome: 'hold'; readonly reason: string; readonly until?: number };

/** One rule of the fencing policy. Pure: the same input gives the same verdict, and nothing is thrown. */
export interface Guard {
  /** Kebab case; appears in records, metrics and Events. */
  readonly name: string;
  /**
   * Whether it also stops a takeover that has begun: then it is asked again right before each harm, until the node is removed or
   * kept, and of nodes that live, to tell what would hold. It gets less to decide by: `deadSince`, `undone`, `unproven`,
   * `running`, `hanging` and `zones` are absent, `fleet.dead` has no other node in it, and of a Node that is gone there is what was noted, taints
   * and maintenance left out. While it holds, pods stay where they are, of a machine that is off already, too. Default false:
   * it is asked until a takeover begins, and no more.
   */
  readonly brake?: boolean;
  /** Must not throw or wait. A guard that throws holds, and so does one whose answer is no verdict, a promise for one included. */
  evaluate(input: GuardInput): GuardVerdict;
}

/** The verdict of a guard that has nothing against it. */
export const pass: GuardVerdict = { outcome: 'pass' };

/** The verdict of a guard that holds, with a reason for people. */
export function hold(reason: string): GuardVerdict {
  return { outcome: 'hold', reason };
}
