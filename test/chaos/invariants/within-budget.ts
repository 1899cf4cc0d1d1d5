// The brake against acting on too much at once.
import type { Invariant } from './invariant.ts';

export const withinBudget: Invariant = {
  name: 'within-budget',
  sentence: 'No takeover is opened when as many as the budget allows are open already.',
  watch: (world) => {
    let open = new Set<string>();
    return {
      applied({ user, write, status }) {
        if (write.kind !== 'record' || status >= 300) return undefined;
        const before = open;
        const records = world.truth.records.filter(({ result }) => result === undefined);
        open = new Set(records.map(({ node }) => node.name));
        const { maxDead, maxDeadPercent } = world.scenario.policy.budget;
        const byPercent = Math.floor((world.truth.mostNodes * maxDeadPercent) / 100);
        const allowed = Math.max(1, Math.min(maxDead, byPercent));
        return open.size > before.size && open.size > allowed
          ? `${user} opened one more: ${[...open].join(', ')}, of which the budget allows ${allowed}`
          : undefined;
      },
    };
  },
};
