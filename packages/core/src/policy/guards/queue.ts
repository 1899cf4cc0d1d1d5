// Holds while as many takeovers run as may at the same time: whoever was decided on first goes first.
import { type Guard, hold, pass } from '../guard.ts';
import { defaultBudget } from '../policy.ts';

export const queue: Guard = {
  name: 'queue',
  evaluate: ({ fleet, policy }) => {
    const { maxRunning = defaultBudget.maxRunning } = policy.budget;
    // One may always run, as with the budget: a limit of none would be a pause that nobody sees.
    const allowed = Math.max(1, maxRunning);
    const running = fleet.running ?? 0;
    return running < allowed
      ? pass
      : hold(
          `${running === 1 ? '1 takeover runs' : `${running} takeovers run`} already, at most ${allowed} may at the same time; ` +
            'it waits its turn (liberator takeovers shows them)',
        );
  },
};
