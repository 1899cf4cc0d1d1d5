// Whether we can see at all. Pure: an agent that is blind, or that sees everything die at once, must stand still.

export interface SightInput {
  /** Every cache has been filled once since it last lost its place. */
  readonly synced: boolean;
  /** Why a cache is stale, one sentence each; empty when all are fresh. */
  readonly stale: readonly string[];
  /**
   * When the newest own renewal of the election Lease that came back through our own watch was sent; undefined when
   * none came back yet in this term, and null when we don't lead, so that there is nothing to come back.
   */
  readonly ownRenewalSeenAt: number | undefined | null;
  /** When this term began. Meaningless unless we lead. */
  readonly leadingSince: number;
  /** When the silence of each silent node began; nodes that are heard are not listed. */
  readonly silences: readonly number[];
  /** Nodes that have ever sent a heartbeat and are not yet taken over. */
  readonly heartbeatingNodes: number;
}

export interface SightRules {
  /** An own renewal must come back through our own watch within this long. Default 10,000 ms. */
  readonly renewalEchoMs: number;
  /** Silences that began within this long of one another began together. Default 120,000 ms. */
  readonly togetherMs: number;
}

export const defaultSightRules: SightRules = { renewalEchoMs: 10_000, togetherMs: 120_000 };

/**
 * Why nothing may be decided now; empty when we see.
 *
 * More than half of all nodes falling silent together is read as our own blindness, not as their death: that is what
 * an outage of the API server, of etcd or of a core switch looks like from here. It ends only when they are heard
 * again; if they really died, a human has to say so.
 */
export function blindness(input: SightInput, now: number, rules: SightRules): readonly string[] {
  const reasons: string[] = [];
  if (!input.synced) reasons.push('not all caches are synced');
  reasons.push(...input.stale);
  if (input.ownRenewalSeenAt !== null) {
    const seenAt = input.ownRenewalSeenAt ?? input.leadingSince;
    const missingForMs = now - seenAt;
    if (missingForMs > rules.renewalEchoMs || input.ownRenewalSeenAt === undefined) {
      reasons.push('our own Lease renewal has not come back through our own watch');
    }
  }
  const together = largestCluster(input.silences, rules.togetherMs);
  if (together > input.heartbeatingNodes / 2) {
    reasons.push(`${together} of ${input.heartbeatingNodes} node Leases fell silent together`);
  }
  return reasons;
}

/** The most events that lie within one window of the given length. */
export function largestCluster(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let largest = 0;
  let from = 0;
  for (let to = 0; to < sorted.length; to++) {
    while ((sorted[to] ?? 0) - (sorted[from] ?? 0) > windowMs) from++;
    largest = Math.max(largest, to - from + 1);
  }
  return largest;
}
