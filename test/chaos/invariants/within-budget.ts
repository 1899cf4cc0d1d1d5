// The brake against taking an outage for deaths.
import { allowedDead, isProven, nodesThatCount } from '../world/budget.ts';
import type { Invariant } from './invariant.ts';

export const withinBudget: Invariant = {
  name: 'within-budget',
  sentence:
    'No takeover is opened when with it more nodes count as dead than the budget allows: a proven death does not count, an unproven one from its death until its node has returned or the window has passed, whether its takeover is over or not and its Node is there or not.',
  watch: (world) => {
    const known = new Set<string>();
    return {
      applied({ user, write, status }) {
        if (write.kind !== 'record' || status >= 300) return undefined;
        const opened = world.truth.records.filter(({ id }) => !known.has(id));
        for (const { id } of opened) known.add(id);
        for (const record of opened) {
          if (isProven(record) || record.result !== undefined) continue;
          const { name } = record.node;
          // The watch that tells when it was opened has not told yet: it counts from now on.
          const counting = new Set(nodesThatCount(world)).add(name);
          const gone = [...counting].filter((one) => world.truth.node(one) === undefined).length;
          const allowed = allowedDead(world, gone);
          if (counting.size > allowed) {
            return `${user} opened one more, for ${name}: ${[...counting].join(', ')} count, of which the budget allows ${allowed}`;
          }
        }
        return undefined;
      },
    };
  },
};
