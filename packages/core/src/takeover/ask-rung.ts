// Asks the fencer of one rung, with a look before it and one before its proof counts.

import { askFencer } from '../fencing/ask-fencer.ts';
import type { FencePermit, FenceRefusal } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { isAccepted, type Ladder, ladderOf } from '../fencing/ladder.ts';
import { confirmationIn, manualFencer } from '../fencing/manual.ts';
import type { FenceEvidence, FenceProof } from '../fencing/proof.ts';
import { askPermit } from './fence-permit.ts';
import { done, held, type StepContext, type StepResult, wait } from './step.ts';

/** How often to ask the API server again what it didn't say. */
export const askAgainMs = 1_000;

/** The longest pause before a fencer that failed is asked again. */
export const retryFailedMs = 10_000;

/** How often the time that a thinking device takes is put on record. */
const noteEveryMs = 10_000;

/** What somebody vouches for. */
export interface Vouched {
  readonly fencer?: string;
  readonly proof: FenceProof;
  readonly detail: string;
  readonly evidence?: readonly FenceEvidence[];
  readonly csiDrivers?: readonly string[];
}

/** Looks, asks the fencer of one rung, and looks again if it gave a proof that counts. */
export async function askRung(
  context: StepContext,
  target: FenceTarget,
  ladder: Ladder,
  {
    rung,
    permit,
    forMs,
  }: { readonly rung: number; readonly permit: () => Promise<FencePermit>; readonly forMs?: number },
): Promise<{ readonly over: StepResult } | { readonly fencer: Fencer; readonly result: FenceResult }> {
  const { term, clock, fencers } = context;
  const fencer = fencers.get(ladder.rungs[rung]?.fencer ?? '');
  if (fencer === undefined) return { over: wait('the ladder changes', askAgainMs) };
  const permitted = await permit();
  term.signal.throwIfAborted();
  if (permitted.outcome === 'refused') return { over: stopped(permitted, context) };
  const { result, refusal } = await askFencer(fencer, target, {
    signal: term.signal,
    clock,
    permit,
    ...(forMs !== undefined && {
      forMs,
      meanwhile: { everyMs: noteEveryMs, look: () => lookMeanwhile(context) },
    }),
  });
  if (result.outcome === 'fenced' && isAccepted(ladder, result.proof)) {
    return { over: await accepted(context, { ...result, fencer: fencer.name }, target) };
  }
  // What it wasn't allowed to do it hasn't failed at.
  return refusal === undefined ? { fencer, result } : { over: stopped(refusal, context) };
}

/** While a device thinks: the time that it took is put on record, and a human may have spoken. */
async function lookMeanwhile(context: StepContext): Promise<string | undefined> {
  const { record } = context;
  const { noted } = context.nodeNow() ?? {};
  const hasManual = record.policy.drivers.includes(manualFencer.name);
  if (hasManual && confirmationIn(noted?.annotations, record.deathId, 'node') !== undefined) {
    return 'a human vouches for the death meanwhile';
  }
  const sign = context.lifeSign();
  if (sign !== undefined) return `it lives: ${sign}`;
  await context.noteSpent();
  return undefined;
}

/**
 * The end of the step, unless the node shows life in spite of the proof. A brake that was put on meanwhile doesn't make a proof
 * untrue. A node that lives does, whatever the fencer did: either it has come back already, or it isn't the machine that was
 * switched off.
 */
export async function accepted(
  context: StepContext,
  vouched: Vouched,
  target?: FenceTarget,
): Promise<StepResult> {
  const harmless = isHarmless(context);
  const permit = await askPermit(context, harmless ? 'unless-seen' : 'always');
  context.term.signal.throwIfAborted();
  if (permit.outcome === 'refused' && permit.code !== 'held') {
    return stopped(permit, context, vouched.proof === 'none' ? undefined : vouched);
  }
  const { proof, detail, fencer, evidence, csiDrivers } = vouched;
  const by = proof === 'confirmed-by-human' ? target?.confirmation?.by : undefined;
  return done(`proof: ${proof} (${detail})`, {
    proof,
    ...(fencer !== undefined && { fencer }),
    ...(evidence !== undefined && { proofEvidence: evidence }),
    ...(csiDrivers !== undefined && { isolatedFrom: csiDrivers }),
    ...(by !== undefined && { confirmedBy: by }),
  });
}

/** None of its fencers touches the machine, or anything else: then nothing has to be on record, or looked at, before each. */
export function isHarmless({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): boolean {
  return record.policy.drivers.every((name) => fencers.get(name)?.harmless === true);
}

export function ladderIn({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): Ladder {
  return ladderOf(record.policy, (name) => fencers.get(name)?.harmless === true);
}

function stopped({ code, detail }: FenceRefusal, { term }: StepContext, despite?: Vouched): StepResult {
  const vouched =
    despite && `${despite.fencer ?? 'nobody'} vouches for "${despite.proof}" (${despite.detail})`;
  const words = vouched === undefined ? detail : `${detail}, although ${vouched}`;
  switch (code) {
    case 'alive':
      return { outcome: 'undo', detail: words };
    case 'overtaken':
      return { outcome: 'overtaken', detail: words };
    case 'held':
      return held([detail]);
    case 'policy':
      return wait(words, askAgainMs);
    default:
      term.assertValid();
      return wait(`nobody knows whether it is still dead: ${detail}`, askAgainMs);
  }
}
