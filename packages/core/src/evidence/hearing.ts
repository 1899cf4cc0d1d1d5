// What we ourselves have heard of a node, as against what its objects say: sight is proven by that alone.
import type { Node } from '../kubernetes/objects.ts';
import { takeoverTaintKey } from '../marks/taints.ts';
import type { ReadyStatus } from './fact.ts';
import { type NodeState, neverBooted } from './judgement.ts';

/** What was heard of one Node object since we first saw it. */
export interface Hearing {
  /** When we first saw the Node. */
  readonly since: number;
  /** Whether Kubernetes had given it up by then. */
  readonly calledSilent: boolean;
  /** When a renewal of its Lease last reached us; undefined before the first. A Lease that was there is no renewal. */
  readonly heardAt: number | undefined;
  /** Since when we have seen Kubernetes call it Unknown: all that is known of a node without a Lease. */
  readonly unknownSince: number | undefined;
}

/** What a node contributes to the question whether we see. */
export type Heard =
  /** Nothing: its silence, if it is silent, has a cause that is not us. */
  | 'apart'
  /** It needs no heartbeat yet to count as heard. */
  | 'now'
  /** When it was last heard. */
  | number
  /** We have listened for it in vain so far. */
  | UnheardNode;

/** A node that we have listened for in vain so far. */
export interface UnheardNode {
  /** Since when we have listened. */
  readonly since: number;
  /** Whether Kubernetes itself had given it up by then: it fell silent before, and not with the others. */
  readonly calledSilent: boolean;
}

/** A Node that is seen for the first time, at `at`. */
export function newHearing(at: number, ready: ReadyStatus): Hearing {
  const calledSilent = ready === 'Unknown';
  return { since: at, calledSilent, heardAt: undefined, unknownSince: calledSilent ? at : undefined };
}

/** The same after its Ready condition was seen once more. */
export function hearReady(hearing: Hearing, at: number, ready: ReadyStatus): Hearing {
  const unknownSince = ready === 'Unknown' ? (hearing.unknownSince ?? at) : undefined;
  return unknownSince === hearing.unknownSince ? hearing : { ...hearing, unknownSince };
}

/**
 * When this node was last heard, or that it never was. A node that is taken over and was never heard by us fell silent before
 * we came. Times of blindness change nothing here: who was heard last before one has to be heard again. One whose death
 * somebody vouches for takes no part either: its silence has a cause that is not us.
 */
export function heardOf({
  node,
  state,
  hearing,
}: {
  readonly node: Node;
  readonly state: NodeState;
  readonly hearing: Hearing;
}): Heard {
  const { since, calledSilent, heardAt, unknownSince } = hearing;
  if (state.proof !== undefined) return 'apart';
  if (neverBooted(state) || (!state.hadLease && state.ready === 'absent')) return 'apart';
  if (heardAt !== undefined) return heardAt;
  // One that we heard before it was taken over fell silent with the rest, if the rest does now.
  if (node.spec?.taints?.some(({ key }) => key === takeoverTaintKey)) return 'apart';
  // Without a Lease yet, a node is heard as long as Kubernetes doesn't call it Unknown.
  if (!state.hadLease && unknownSince === undefined) return 'now';
  if (!state.hadLease && unknownSince !== undefined && unknownSince !== since) return unknownSince;
  return { since, calledSilent };
}
