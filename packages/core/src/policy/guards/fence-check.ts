// Holds while no fencer of the ladder has said lately that it could fence this very node, where the policy asks for that.
import { type Guard, hold, pass } from '../guard.ts';

export const fenceCheck: Guard = {
  name: 'fence-check',
  evaluate({ node, assessment, policy, now }) {
    const { maxCheckAgeMs } = policy.fencing;
    // Who looked at the machine needs no device that would have to be tried first.
    if (maxCheckAgeMs === undefined || node.fenceCheck === undefined || assessment.evidence === 'proven')
      return pass;
    const { readyAt, detail } = node.fenceCheck;
    if (readyAt !== undefined && now - readyAt <= maxCheckAgeMs) return pass;
    const since = readyAt === undefined ? 'since this leader began' : 'for longer than the policy allows';
    const why = detail === undefined ? 'it is being asked' : detail;
    return hold(`no fencer has said ${since} that it could fence the node: ${why}`);
  },
};
