// A host that is up and whose kubelet hangs: who may be asked about it, and what a policy needs for that. Pure.
import { longestHealthySilenceMs } from '../evidence/rules.ts';
import type { Fencer } from './fencer.ts';
import type { FencingRules } from './fencing-rules.ts';
import { manualFencer } from './manual.ts';
import type { AcceptableProof } from './proof.ts';

/** Proofs after which nothing on the machine runs any more. One that is cut off from storage goes on serving clients. */
const stopped: ReadonlySet<string> = new Set<AcceptableProof>([
  'powered-off',
  'rebooted',
  'instance-gone',
  'self-fenced',
  'confirmed-by-human',
]);

/** Whether a proof means that nothing on the machine runs any more. */
export function stopsMachine(proof: string): boolean {
  return stopped.has(proof);
}

/**
 * Whether a fencer may be asked about a host that is up: one that switches power, a human, or a watchdog of the machine's own. Whoever
 * may vouch for less is left out.
 */
export function mayStopHung(fencer: Fencer | undefined): boolean {
  if (fencer === undefined) return false;
  if (fencer.acts === 'power' || fencer === manualFencer) return true;
  const { proofs = [] } = fencer;
  return proofs.length > 0 && proofs.every((proof) => proof === 'self-fenced');
}

/**
 * Why a policy can't have hosts switched off whose kubelet hangs; undefined when it can, or doesn't ask for it.
 *
 * @param switchesPower - Whether a fencer of its ladder does.
 * @param evidence - The least on which a takeover of the policy begins.
 */
export function hungFault(
  { hungAfterMs, proof, accept }: Pick<FencingRules, 'hungAfterMs' | 'proof' | 'accept'>,
  { switchesPower, evidence }: { readonly switchesPower: boolean; readonly evidence: string },
): string | undefined {
  if (hungAfterMs === undefined) return undefined;
  if (proof !== 'required') return 'expected "proof: required" beside it, since the host is up; found none';
  if (!switchesPower)
    return 'expected a fencer that switches power beside it, since the host is up; found none';
  if (evidence === 'proven') {
    return 'expected nothing beside "evidence: proven", which waits for a word of people; found a duration';
  }
  if (accept?.some(stopsMachine) === false) {
    return `expected a proof that the machine was stopped among those that count, found ${accept.join(', ') || 'none'}`;
  }
  return hungAfterMs > longestHealthySilenceMs
    ? undefined
    : `expected more than ${longestHealthySilenceMs / 1_000}s, since a healthy kubelet may be silent for that long; found ${hungAfterMs / 1_000}s`;
}
