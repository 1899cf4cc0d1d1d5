// Judged by the Lease as the server has it, not by what a replica believes of its term.
import type { Invariant } from './invariant.ts';

/** The renew deadline of a controller with default timings, by its own clock. */
const termMs = 10_000;

export const writesNeedATerm: Invariant = {
  name: 'writes-need-a-term',
  sentence:
    'Nothing but the election is written by a replica whose last renewal that the server applied left longer ago than a term lasts, or after another one acquired the Lease.',
  watch: (world) => {
    /** When the newest election write of each replica left; a request that was lost is none. */
    const sentAt = new Map<string, number[]>();
    const renewedAt = new Map<string, number>();
    return {
      sent({ replica, write }) {
        const now = world.clock.now();
        if (write.kind === 'election') {
          sentAt.set(replica.name, [...(sentAt.get(replica.name) ?? []).slice(-20), now]);
          return undefined;
        }
        const lease = world.truth.electionLease;
        const holder = lease?.spec?.holderIdentity ?? '';
        const what = `${replica.name} sent ${write.kind} ${write.name ?? ''}`;
        // Deleted by hand: nobody else can have it, and its holder learns of it at its next renewal.
        if (lease !== undefined && !holder.startsWith(`${replica.name}-`))
          return `${what} while "${holder}" held the Lease`;
        const age = now - (renewedAt.get(replica.name) ?? Number.NEGATIVE_INFINITY);
        // A frozen replica's deadline stands still, but its wall clock tells it on the first look.
        return age * replica.clockRate > termMs + 1
          ? `${what} ${Math.round(age)} ms after it sent its last renewal`
          : undefined;
      },
      applied({ user, write, status }) {
        if (write.kind !== 'election' || status >= 300) return undefined;
        // An election has one write under way at a time, so what is applied now is the newest that left.
        const sent = sentAt.get(user)?.at(-1);
        if (sent !== undefined) renewedAt.set(user, sent);
        return undefined;
      },
    };
  },
};
