// Whether we can see at all. Pure: an agent that is blind, or that sees everything die at once, must stand still.

import type { UnheardNode } from './hearing.ts';

export interface SightInput {
  /** Every cache has been filled once since it last lost its place. */
  readonly synced: boolean;
  /** Why a cache is stale, one sentence each; empty when all are fresh. */
  readonly stale: readonly string[];
  /** Our leadership; undefined while we don't lead, so that there is no renewal to come back. */
  readonly leading:
    | {
        /** When the term began. */
        readonly since: number;
        /** When the newest own renewal that came back through our own watch was sent; undefined before the first. */
        readonly renewalSeenAt: number | undefined;
        /** What has to be known of earlier leaders and isn't yet, one sentence each. */
        readonly unread: readonly string[];
      }
    | undefined;
  /** How many nodes there are of which a heartbeat has reached us. */
  readonly heard: number;
  /** Of those, when each was heard that has been silent for {@link silentAfterMs}, the longest first. */
  readonly silences: readonly number[];
  /** The nodes from which none has, although they have sent some before we looked. */
  readonly unheard: readonly UnheardNode[];
  /** {@link Sight.heardMost} of the look before; false at first. */
  readonly heardMost: boolean;
  /**
   * When any node's Lease last reached us, of whichever node, those included that take no part in the rest; absent before
   * the first.
   */
  readonly leaseHeardAt?: number | undefined;
}

/** By what a controller knows that it is blind. */
export interface SightRules {
  /** An own renewal must come back through our own watch within this long. Default 10,000 ms. */
  readonly renewalEchoMs: number;
  /**
   * How often kubelets renew their Lease. Default 10,000 ms, as in Kubernetes. A node counts as silent with the rest
   * once it is a quarter over this: so early that an outage is seen as one before the first node could be called dead.
   */
  readonly heartbeatIntervalMs: number;
  /**
   * Silences that began within this long of one another began together. Default 120,000 ms. For as long, too, a fleet is
   * listened for of which more than half has not been heard since we began to look.
   */
  readonly togetherMs: number;
}

/** For how long a node may be silent before its silence is one: so early that an outage shows before the first node is dead. */
export function silentAfterMs({ heartbeatIntervalMs }: SightRules): number {
  return 1.25 * heartbeatIntervalMs;
}

/** For Kubernetes' own heartbeats. */
export const defaultSightRules: SightRules = {
  renewalEchoMs: 10_000,
  heartbeatIntervalMs: 10_000,
  togetherMs: 120_000,
};

export interface Sight {
  /** Why nothing may be decided now; empty when we see. */
  readonly blind: readonly string[];
  /**
   * Whether heartbeats may have been missed by us rather than by their nodes: then every node gets a whole new grace
   * period afterwards. False while we see and merely wait for the first proof of it in a new term.
   */
  readonly missedHeartbeats: boolean;
  /** Whether half of all nodes or more were heard at some moment since we began to look: then we did not begin blind. */
  readonly heardMost: boolean;
}

/**
 * Whether we can see: sight is proven by nodes that are heard, never assumed.
 *
 * More than half of all nodes that were left falling silent together is read as our own blindness, not as their death:
 * that is what an outage of the API server, of etcd or of a core switch looks like from here. It ends only when they
 * are heard again; if they really died, a human has to say so.
 *
 * A node that was never heard and that Kubernetes had given up before we came can't fall silent any more, so it takes no
 * part in this, however many there are. One that Kubernetes still called Ready fell silent as we came. Where more than
 * half of all have not been heard, we may have come in the middle of an outage: we listen a while longer before we believe
 * what Kubernetes says.
 */
export function lookAround(input: SightInput, now: number, rules: SightRules): Sight {
  const lost: string[] = [];
  if (!input.synced) lost.push('not all caches are synced');
  lost.push(...input.stale);

  const silentAfter = silentAfterMs(rules);
  const waiting: string[] = [];
  const { heard, unheard } = input;
  const listenedFor = unheard.filter(({ calledSilent }) => !calledSilent).map(({ since }) => since);
  const inVain = listenedFor.filter((since) => now - since >= silentAfter);
  const silences =
    inVain.length === 0 ? input.silences : [...input.silences, ...inVain].toSorted((a, b) => a - b);
  const together = largestCluster(silences, rules.togetherMs);
  // Nodes that died long before can't fall silent any more, so they don't count among those that could have.
  const listening = heard + listenedFor.length - (silences.length - together);
  const overdue = unheard.filter(({ since }) => now - since >= silentAfter);
  const expected = unheard.filter(({ since }) => now - since < rules.togetherMs);
  const missing = expected.filter(({ since }) => now - since >= silentAfter).length;
  const all = heard + expected.length;
  const heardMost = input.heardMost || (input.synced && heard >= Math.max(1, expected.length));
  if (together > listening / 2) {
    lost.push(`${together} of ${listening} node Leases fell silent together`);
  } else if (unheard.length > 0 && heard === 0) {
    (overdue.length > 0 ? lost : waiting).push('no node Lease has been renewed since we began to look');
  } else if (missing > all / 2 && !heardMost) {
    lost.push(`${missing} of ${all} node Leases have not been renewed since we began to look`);
  } else if (input.leaseHeardAt !== undefined && now - input.leaseHeardAt > 3 * rules.heartbeatIntervalMs) {
    // The API server may be well: it has nothing to bring from nodes that are off.
    lost.push('no living node is left to be heard');
  }

  if (input.leading !== undefined) {
    const { since, renewalSeenAt, unread } = input.leading;
    if (now - (renewalSeenAt ?? since) > rules.renewalEchoMs) {
      lost.push('our own Lease renewals no longer come back through our own watch');
    } else if (renewalSeenAt === undefined) {
      waiting.push('our first Lease renewal has not come back through our own watch yet');
    }
    waiting.push(...unread);
  }
  return { blind: [...lost, ...waiting], missedHeartbeats: lost.length > 0, heardMost };
}

/**
 * The shortest time of silence after which a node may be called dead. Nodes beat out of step: when all fall silent at
 * once, the last one shows it a whole interval after the first, and until then the first must not be condemned alone.
 */
export function shortestSafeDeathMs(rules: SightRules): number {
  return 2.3 * rules.heartbeatIntervalMs;
}

/** The most events that lie within one window of the given length; their times are sorted. */
export function largestCluster(sorted: readonly number[], windowMs: number): number {
  let largest = 0;
  let from = 0;
  for (let to = 0; to < sorted.length; to++) {
    while (from < to && (sorted[to] ?? 0) - (sorted[from] ?? 0) > windowMs) from++;
    largest = Math.max(largest, to - from + 1);
  }
  return largest;
}
