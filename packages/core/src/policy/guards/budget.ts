// Holds when more nodes are dead at once than the operator expects ever to see: then it is probably not they who died.
import { type Guard, hold, pass } from '../guard.ts';

export const budget: Guard = {
  name: 'budget',
  evaluate: ({ node, fleet, policy }) => {
    const dead = new Set([...fleet.dead, node.name]).size;
    const { maxDead, maxDeadPercent } = policy.budget;
    const byPercent = Math.floor((fleet.nodes * maxDeadPercent) / 100);
    const allowed = Math.max(1, Math.min(maxDead, byPercent));
    return dead <= allowed
      ? pass
      : hold(`${dead} of ${fleet.nodes} nodes are dead, at most ${allowed} may be taken over at once`);
  },
};
