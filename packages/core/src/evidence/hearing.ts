// What we ourselves have heard of a node, as against what its objects say: sight is proven by that alone.

import type { ReadyStatus } from './fact.ts';
import type { UnheardNode } from './sight.ts';

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

/** A Node that is seen for the first time, at `at`. */
export function newHearing(at: number, ready: ReadyStatus): Hearing {
  const calledSilent = ready === 'Unknown';
  return { since: at, calledSilent, heardAt: undefined, unknownSince: calledSilent ? at : undefined };
}

/** The same after its Ready condition was seen once more. */
export function hearReady(hearing: Hearing, at: number, ready: ReadyStatus): Hearing {
  return { ...hearing, unknownSince: ready === 'Unknown' ? (hearing.unknownSince ?? at) : undefined };
}

/** When this node was last heard; or that it never was, and since when we have listened for it. */
export function heardOf(
  hearing: Hearing,
  { hadLease, now }: { readonly hadLease: boolean; readonly now: number },
): number | UnheardNode {
  const { since, calledSilent, heardAt, unknownSince } = hearing;
  if (heardAt !== undefined) return heardAt;
  // Without a Lease yet, a node is heard as long as Kubernetes doesn't call it Unknown.
  if (!hadLease && unknownSince === undefined) return now;
  if (!hadLease && unknownSince !== undefined && unknownSince !== since) return unknownSince;
  return { since, calledSilent };
}
