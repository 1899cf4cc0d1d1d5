// Checks what a driver answered: drivers are other people's code, and a proof that nobody gave must never get on record.
import type { FenceResult } from './fencer.ts';
import type { FenceEvidence, FenceProof } from './proof.ts';

/** Each a key: the type checker then knows that none is missing. */
const proofs: Readonly<Record<FenceProof, true>> = {
  'powered-off': true,
  rebooted: true,
  'instance-gone': true,
  isolated: true,
  'self-fenced': true,
  'confirmed-by-human': true,
  none: true,
};

const fields = ['outcome', 'proof', 'detail', 'retryAfterMs', 'permanent', 'evidence', 'csiDrivers'] as const;

/** A driver must not be able to make a record too large to be written. */
const keptEvidence = 10;
const keptCharacters = 256;
const keptDetail = 1_024;
const keptDrivers = 100;

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
  const [outcome, proof, words, retryAfterMs, permanent, evidence, csiDrivers]: readonly unknown[] =
    fields.map((name) => Reflect.get(answer, name));
  if (outcome !== 'fenced' && outcome !== 'waiting' && outcome !== 'failed') return none('no known outcome');
  if (typeof words !== 'string') return none(`"${outcome}" without a detail`);
  const detail = printable(words);
  if (outcome === 'failed') return { outcome, detail, ...(permanent === true && { permanent }) };
  if (outcome === 'fenced') {
    if (!isProof(proof)) return none('"fenced" without a proof that is known');
    const covered = csiDrivers === undefined ? undefined : coveredBy(proof, csiDrivers);
    if (covered === 'nobody knows') {
      return none('a proof for some CSI drivers that is not "isolated" and a list of their names');
    }
    const kept = readableOf(evidence);
    return {
      outcome,
      proof,
      detail,
      ...(kept.length > 0 && { evidence: kept }),
      ...(covered !== undefined && { csiDrivers: covered }),
    };
  }
  // Anything else would be asked again without a pause, or never.
  return typeof retryAfterMs === 'number' && Number.isFinite(retryAfterMs) && retryAfterMs > 0
    ? { outcome, detail, retryAfterMs }
    : none('"waiting" without a time after which to ask again');
}

function isProof(proof: unknown): proof is FenceProof {
  return typeof proof === 'string' && Object.hasOwn(proofs, proof);
}

/** A proof that covers less than it says would free what still writes: what can't be read is none. */
function coveredBy(proof: FenceProof, csiDrivers: unknown): readonly string[] | 'nobody knows' {
  if (proof !== 'isolated' || !Array.isArray(csiDrivers) || csiDrivers.length > keptDrivers)
    return 'nobody knows';
  const names: readonly unknown[] = Array.from(csiDrivers);
  const isName = (name: unknown): name is string => typeof name === 'string' && name.length <= keptCharacters;
  return names.length <= keptDrivers && names.every(isName) ? names : 'nobody knows';
}

/** Evidence only explains, so what can't be read of it is left out. */
export function readableOf(evidence: unknown): readonly FenceEvidence[] {
  try {
    return keptOf(evidence);
  } catch {
    return [];
  }
}

function keptOf(evidence: unknown): readonly FenceEvidence[] {
  if (!Array.isArray(evidence)) return [];
  return evidence.slice(-keptEvidence).flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) return [];
    const words = (['witness', 'said', 'at'] as const).map((name): unknown => Reflect.get(one, name));
    const [witness, said, at] = words.map((word) =>
      typeof word === 'string' ? printable(word, keptCharacters) : undefined,
    );
    return witness === undefined || said === undefined || at === undefined ? [] : [{ witness, said, at }];
  });
}

/** A device's words end up on terminals, in logs and in Events: one line, not too long, and nothing that steers. */
export function printable(words: string, longest: number = keptDetail): string {
  return words.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, longest);
}

/** What somebody threw, likewise. Never throws. */
export function thrownWords(error: unknown): string {
  try {
    return printable(error instanceof Error ? String(error.message) : String(error));
  } catch {
    return 'an error that cannot be read';
  }
}

function none(found: string): FenceResult {
  return { outcome: 'failed', detail: `a bug in the driver: it answered ${found}` };
}
