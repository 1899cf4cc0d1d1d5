// Defects of the election and of what a term is worth.
import type { LeaseStore } from '@liberator/core';
import type { Mutation } from './mutation.ts';

/** A renewal without an answer counts as one that was answered. */
function believing(store: LeaseStore): LeaseStore {
  return {
    ...store,
    async update(seen, record, options) {
      try {
        return await store.update(seen, record, options);
      } catch {
        return { outcome: 'written', snapshot: { ...seen, record } };
      }
    },
  };
}

const endlessTerm: Mutation = {
  name: 'endless-term',
  sentence: 'A renewal that got no answer counts as a good one, so a term never ends.',
  seenBy: ['one-leader', 'writes-need-a-term'],
  defect: { parts: (parts) => ({ ...parts, leaseStore: believing(parts.leaseStore) }) },
};

/** The Lease says that candidates may come after 15 s, while its holder goes on for 40. */
const termOutlivesLease: Mutation = {
  name: 'term-outlives-lease',
  sentence: 'One replica leads on for 40 s without a renewal, although its Lease promises others 15.',
  seenBy: ['one-leader', 'writes-need-a-term'],
  defect: {
    parts: (parts, replica) => {
      const { leaseStore } = parts;
      // The others keep to what the Lease says.
      if (replica !== 'replica-1') return parts;
      return {
        ...parts,
        election: { ...parts.election, leaseDurationMs: 41_000, renewDeadlineMs: 40_000 },
        leaseStore: {
          ...leaseStore,
          create: (record, options) => leaseStore.create({ ...record, leaseDurationSeconds: 15 }, options),
          update: (seen, record, options) =>
            leaseStore.update(seen, { ...record, leaseDurationSeconds: 15 }, options),
        },
      };
    },
  },
};

export const electionMutations: readonly Mutation[] = [endlessTerm, termOutlivesLease];
