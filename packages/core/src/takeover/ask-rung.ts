// Asks the fencer of one rung, with a look before it and one before its proof counts.

import { askFencer } from '../fencing/ask-fencer.ts';
import type { FencePermit, FenceRefusal } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { mayStopHung, stopsMachine } from '../fencing/hung.ts';
import { isAccepted, type Ladder, ladderOf } from '../fencing/ladder.ts';
import { confirmationIn, manualFencer } from '../fencing/manual.ts';
import type { FenceEvidence, FenceProof } from '../fencing/proof.ts';
import { askPermit } from './fence-permit.ts';
import { weighed } from './isolation.ts';
import { done, held, type StepContext, type StepResult, wait } from './step.ts';

/** How often to ask the API server again what it didn't say. */
export const askAgainMs = 1_000;

/** The longest pause before a fencer that failed is asked again. */
export const retryFailedMs = 10_000;

/** How often the watch caches are looked into while a device thinks. That costs nothing. */
const lookEveryMs = 2_000;

/** How often the record of a takeover whose Node is gone is read meanwhile, since nothing else could bear a human's word. */
const readEveryMs = 10_000;

/** What somebody vouches for. */
export interface Vouched {
  readonly fencer?: string;
  readonly proof: FenceProof;
  readonly detail: string;
  readonly evidence?: readonly FenceEvidence[];
  readonly csiDrivers?: readonly string[];
}

/** What a turn of a rung came to: an end of the step as it is, or an answer that counts as one. */
export type AskedRung =
  | { readonly over: StepResult }
  | { readonly calledOff: string }
  | {
      readonly fencer: Fencer;
      readonly result: FenceResult;
      /** Its turn was over before it answered. */
      readonly isCut?: true;
    };

/** Looks, asks the fencer of one rung, and looks again if it gave a proof that counts. */
export async function askRung(
  context: StepContext,
  target: FenceTarget,
  ladder: Ladder,
  {
    rung,
    permit,
    leftMs,
  }: {
    readonly rung: number;
    readonly permit: () => Promise<FencePermit>;
    /** How much of its turn is left; it may be called off before that is over. */
    readonly leftMs?: () => number;
  },
): Promise<AskedRung> {
  const { term, clock, fencers, cluster } = context;
  const resources = cluster.customResources;
  const fencer = fencers.get(ladder.rungs[rung]?.fencer ?? '');
  if (fencer === undefined) return { over: wait('the ladder changes', askAgainMs) };
  const permitted = await permit();
  term.signal.throwIfAborted();
  if (permitted.outcome === 'refused') return refusedRung(permitted, fencer, context);
  const forMs = leftMs?.();
  if (forMs !== undefined && forMs < 1) return { calledOff: 'its time was up before it could be asked' };
  const { result, refusal, calledOff, isCut } = await askFencer(fencer, target, {
    signal: term.signal,
    clock,
    permit,
    ...(resources && { resources: (rules) => resources({ ...rules, term }) }),
    ...(forMs !== undefined && {
      forMs,
      meanwhile: { everyMs: lookEveryMs, look: lookMeanwhile(context) },
    }),
  });
  if (result.outcome === 'fenced' && isAccepted(ladder, result.proof)) {
    return { over: await accepted(context, { ...result, fencer: fencer.name }, target) };
  }
  if (calledOff !== undefined) return { calledOff };
  // What it wasn't allowed to do it hasn't failed at.
  if (refusal !== undefined) return refusedRung(refusal, fencer, context);
  return { fencer, result, ...(isCut && { isCut }) };
}

/** A fence that would hit another node won't do so less the next time: that ends the turn of its fencer, and no more. */
function refusedRung(refusal: FenceRefusal, fencer: Fencer, context: StepContext): AskedRung {
  if (refusal.code !== 'shared') return { over: stopped(refusal, context) };
  return { fencer, result: { outcome: 'failed', detail: refusal.detail, permanent: true } };
}

/** While a device thinks, a human may speak, the node may come back, and the time that passes counts. */
function lookMeanwhile(context: StepContext): () => Promise<string | undefined> {
  const { record, clock, cluster, term } = context;
  let readAt = clock.now();
  const hasWord = async (): Promise<boolean> => {
    if (!mayVouchByHand(context)) return false;
    const { gone, noted } = context.nodeNow() ?? {};
    if (confirmationIn(noted?.annotations, record.deathId, 'node') !== undefined) return true;
    if (gone !== true || clock.now() - readAt < readEveryMs) return false;
    readAt = clock.now();
    const { annotations } = (await cluster.readRecord(term, record.id)) ?? {};
    return confirmationIn(annotations, record.deathId, 'record') !== undefined;
  };
  return async () => {
    const sign = context.lifeSign();
    if (sign !== undefined) return `it lives: ${sign}`;
    await context.noteSpent();
    return (await hasWord()) ? 'a human vouches for the death' : undefined;
  };
}

/** Whether a human's word counts, whoever has the turn: humans are on the ladder, and their proof is accepted. */
export function mayVouchByHand({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): boolean {
  const { name } = manualFencer;
  const { drivers, accept } = record.policy;
  return (
    drivers.includes(name) &&
    fencers.get(name) === manualFencer &&
    accept?.includes('confirmed-by-human') !== false
  );
}

/**
 * The end of the step, unless the node shows life in spite of the proof. A brake that was put on meanwhile doesn't make a proof
 * untrue. A node that lives does, whatever the fencer did: either it has come back already, or it isn't the machine that was
 * switched off. A proof that covers some volumes only ends it where nothing else is on the node.
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
  if (csiDrivers !== undefined) {
    return weighed(context, { fencer: fencer ?? '', csiDrivers, ...(evidence && { evidence }) }, detail);
  }
  const by = proof === 'confirmed-by-human' ? target?.confirmation?.by : undefined;
  return done(`proof: ${proof} (${detail})`, {
    proof,
    ...(fencer !== undefined && { fencer }),
    ...(evidence !== undefined && { proofEvidence: evidence }),
    ...(by !== undefined && { confirmedBy: by }),
  });
}

/** None of its fencers touches the machine, or anything else: then nothing has to be on record, or looked at, before each. */
export function isHarmless({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): boolean {
  return record.policy.drivers.every((name) => fencers.get(name)?.harmless === true);
}

export function ladderIn({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): Ladder {
  const ladder = ladderOf(record.policy, (name) => fencers.get(name)?.harmless === true);
  return record.hung === true ? ladderForHung(ladder, fencers) : ladder;
}

/** Of a host that is up, only those are asked who stop it, and nothing less is enough. */
function ladderForHung(ladder: Ladder, fencers: StepContext['fencers']): Ladder {
  return {
    rungs: ladder.rungs.filter(({ fencer }) => mayStopHung(fencers.get(fencer))),
    proof: 'required',
    accept: ladder.accept.filter(stopsMachine),
    giveUpAfterMs: undefined,
  };
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
