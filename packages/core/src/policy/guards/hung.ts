// Holds while a host is up whose kubelet hangs, until it has done so for as long as the policy says: then it may be switched off.
import type { Assessment } from '../../evidence/judgement.ts';
import { type Guard, hold, pass } from '../guard.ts';
import type { Policy } from '../policy.ts';

/** Whether the policy would have this host switched off, now or once it has hung for long enough. */
export function mayBeSwitchedOff(assessment: Assessment, { evidence, fencing }: Policy): boolean {
  const { hungAfterMs, proof } = fencing;
  return (
    hungAfterMs !== undefined &&
    proof === 'required' &&
    evidence !== 'proven' &&
    assessment.hungSince !== undefined &&
    assessment.hostUp &&
    assessment.evidence !== 'proven'
  );
}

/** So many nodes may be dead without proof at the same time. */
export function allowedDeaths({ maxDead, maxDeadPercent }: Policy['budget'], nodes: number): number {
  return Math.max(1, Math.min(maxDead, Math.floor((nodes * maxDeadPercent) / 100)));
}

export const hung: Guard = {
  name: 'hung',
  evaluate: ({ assessment, policy, fleet, now }) => {
    const { hungAfterMs } = policy.fencing;
    const { hungSince } = assessment;
    if (hungAfterMs === undefined || hungSince === undefined || !mayBeSwitchedOff(assessment, policy))
      return pass;
    const words = `its host is up, its kubelet has been silent for ${inWords(now - hungSince)}`;
    // They stand still together: that is the network, or what they talk to, and no reason to switch off whoever is left.
    const others = fleet.hanging ?? 0;
    const allowed = allowedDeaths(policy.budget, fleet.nodes);
    if (others >= allowed) {
      const also = others === 1 ? '1 other kubelet hangs' : `${others} other kubelets hang`;
      return hold(`${words}; ${also} as well, and at most ${allowed} of ${fleet.nodes} may at the same time`);
    }
    const until = hungSince + hungAfterMs;
    if (now >= until) return pass;
    return { outcome: 'hold', reason: `${words}; would be switched off in ${inWords(until - now)}`, until };
  },
};

/** `45s`, `3m`, `2m30s`: what counts up or down in it is one quantity. */
function inWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds}s`;
  return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
}
