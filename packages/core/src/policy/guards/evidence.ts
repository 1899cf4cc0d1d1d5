// Holds until what speaks against the node is at least as strong as the policy asks for.
import type { Evidence } from '../../evidence/judgement.ts';
import { type Guard, hold, pass } from '../guard.ts';
import { mayBeSwitchedOff } from './hung.ts';

const strength: Readonly<Record<Evidence, number>> = { none: 0, suspected: 1, unreachable: 2, proven: 3 };

export const evidence: Guard = {
  name: 'evidence',
  evaluate: ({ assessment, policy }) => {
    // Where the operator has decided so, a kubelet that hangs for long is reason enough to switch its host off: see "hung".
    if (mayBeSwitchedOff(assessment, policy)) return pass;
    // A host that was heard is up, and a container on it may still write: only proof outweighs that.
    if (assessment.hostUp && assessment.evidence !== 'proven') {
      return hold(`${assessment.reasons.join(', ')}; a dead kubelet is not a dead node`);
    }
    return strength[assessment.evidence] >= strength[policy.evidence]
      ? pass
      : hold(`the evidence is "${assessment.evidence}", the policy asks for "${policy.evidence}"`);
  },
};
