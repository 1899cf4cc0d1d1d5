// Checks what a driver answered: drivers are other people's code, and a proof that nobody gave must never get on record.
import type { FenceProof, FenceResult } from './fencer.ts';

/** Each a key: the type checker then knows that none is missing. */
const proofs: Readonly<Record<FenceProof, true>> = {
  'powered-off': true,
  rebooted: true,
  'instance-gone': true,
  isolated: true,
  'confirmed-by-human': true,
  none: true,
};

const fields = ['outcome', 'proof', 'detail', 'retryAfterMs'] as const;

/** The answer with what belongs to it and no more, or that the driver failed, since what it answered is none. Never throws. */
export function checkedAnswer(answer: unknown): FenceResult {
  try {
    return typeof answer === 'object' && answer !== null
      ? read(answer)
      : none(answer === undefined ? 'nothing' : answer === null ? 'null' : `a ${typeof answer}`);
  } catch {
    return none('something that cannot be read');
  }
}

function read(answer: object): FenceResult {
  // Each field is read once: what was checked is what counts.
  const [outcome, proof, detail, retryAfterMs]: readonly unknown[] = fields.map((name) =>
    Reflect.get(answer, name),
  );
  if (outcome !== 'fenced' && outcome !== 'waiting' && outcome !== 'failed') return none('no known outcome');
  if (typeof detail !== 'string') return none(`"${outcome}" without a detail`);
  if (outcome === 'failed') return { outcome, detail };
  if (outcome === 'fenced') {
    return isProof(proof) ? { outcome, proof, detail } : none('"fenced" without a proof that is known');
  }
  // Anything else would be asked again without a pause, or never.
  return typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs > 0
    ? { outcome, detail, retryAfterMs }
    : none('"waiting" without a time after which to ask again');
}

function isProof(proof: unknown): proof is FenceProof {
  return typeof proof === 'string' && Object.hasOwn(proofs, proof);
}

function none(found: string): FenceResult {
  return { outcome: 'failed', detail: `a bug in the driver: it answered ${found}` };
}
