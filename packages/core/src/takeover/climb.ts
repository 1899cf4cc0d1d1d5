// One turn of one rung of a ladder of fencers, on record before anybody is asked.

import { type FencePermit, refused } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { beginRung, type Climb, type Ladder, nextRung, noteAnswer, wordsOfRungs } from '../fencing/ladder.ts';
import { confirmedWords, manualFencer } from '../fencing/manual.ts';
import {
  type AskedRung,
  accepted,
  askAgainMs,
  askRung,
  isHarmless,
  ladderIn,
  mayVouchByHand,
  retryFailedMs,
  type Vouched,
} from './ask-rung.ts';
import { askPermit } from './fence-permit.ts';
import { livesAsAnother } from './other-name.ts';
import type { TakeoverRecord } from './record.ts';
import { hitsAnother, takeTurn } from './shared-device.ts';
import { type StepContext, type StepResult, wait } from './step.ts';

/** Before the next rung has its turn. */
const askAgainSoonMs = 100;

/** How often a fencer that touches nothing is asked again, such as a human, whose word shows in the watch caches anyway. */
const askHarmlessEveryMs = 10_000;

/** How often to look whether a human spoke on the record of a Node that is gone: each time costs requests. */
const lookAtGoneEveryMs = 5_000;

/** What a pause is called among what is settled. */
const pauseWords = 'the climb pauses';
const pauseUntil = 'the climb pauses until';
const pauseAtDevice = 'the climb pauses while its device is at work';

/** Asks the fencer that has its turn: the next leader goes on there. */
export async function climb(context: StepContext, target: FenceTarget, ladder: Ladder): Promise<StepResult> {
  const { record } = context;
  const byHand = confirmedByHand(context, target);
  if (byHand !== undefined) return accepted(context, byHand, target);
  const paused = pauseOf(context);
  if (paused !== undefined) {
    const lookEveryMs = target.node === undefined ? lookAtGoneEveryMs : askAgainMs;
    return { ...wait(paused.words, Math.min(lookEveryMs, paused.restMs)), ...atDeviceOf(paused) };
  }
  const next = nextRung(ladder, record.climb, context.spentMs());
  if (next.move === 'give-up') {
    const words = record.climb === undefined ? [] : wordsOfRungs(record.climb);
    return accepted(context, { proof: 'none', detail: words.join('; ') || 'nobody was asked' });
  }
  if (next.move === 'pause') {
    return pause(context, waitWords(record.climb, 'the first of them is asked again'), next.forMs);
  }
  const begun = next.move === 'begin' ? begin(context, ladder, next) : record.climb;
  const fencer = context.fencers.get(ladder.rungs[next.rung]?.fencer ?? '');
  if (begun === undefined || fencer === undefined) return wait('the ladder changes', askAgainMs);
  const at = takeTurn(context, fencer, target);
  if (at.outcome === 'wait') return at.result;
  if (next.move === 'begin' && fencer.harmless !== true && !(await context.putOnRecord({ climb: begun }))) {
    return wait('somebody else has the record', askAgainMs);
  }
  // What harms looks again by itself, right before.
  let asked = 0;
  const permit = async (): Promise<FencePermit> => {
    const look = asked++ === 0 || fencer.harmless === true ? 'unless-seen' : 'always';
    const answer = await askPermit(context, look);
    const hit = answer.outcome === 'granted' ? hitsALivingOne(context, fencer, target) : undefined;
    return hit === undefined ? answer : refused('shared', hit);
  };
  if (at.outcome === 'refused') {
    const result = { outcome: 'failed', detail: at.detail, permanent: true } as const;
    return climbOn(context, begun, ladder, { fencer, result });
  }
  const untilMs = context.spentMs() + next.forMs;
  const leftMs = (): number => untilMs - context.spentMs();
  const answer = await askRung(context, target, ladder, { rung: next.rung, permit, leftMs });
  if ('over' in answer) return afterPart(context, begun, answer.over);
  // That says nothing about the fencer.
  if ('calledOff' in answer) {
    return { ...wait(waitWords(begun, answer.calledOff), askAgainSoonMs), findings: { climb: begun } };
  }
  return climbOn(context, begun, ladder, answer);
}

/** Why a fence would take another node that lives along; undefined when it would not. */
function hitsALivingOne(context: StepContext, fencer: Fencer, target: FenceTarget): string | undefined {
  const lives = fencer.harmless === true ? undefined : livesAsAnother(context, target);
  return lives ?? hitsAnother(context, fencer, target);
}

function begin(
  context: StepContext,
  ladder: Ladder,
  next: { readonly rung: number; readonly round: number },
): Climb {
  const { record, clock, term, spentMs } = context;
  const at = new Date(clock.wallTime()).toISOString();
  return beginRung(ladder, record.climb, next, { spentMs: spentMs(), at, epoch: term.epoch });
}

/** What a rung that gave no proof leaves to do. */
function climbOn(
  context: StepContext,
  begun: Climb,
  ladder: Ladder,
  { fencer, result, isCut }: Extract<AskedRung, { readonly fencer: Fencer }>,
): StepResult {
  // What it said when it had time to tells people more than that the time was over.
  const before = isCut === true ? begun.rungs[begun.rung]?.detail : undefined;
  const detail = before ?? result.detail;
  const spentMs = context.spentMs();
  const isOver = result.outcome === 'failed' && result.permanent === true;
  const climb =
    result.outcome === 'fenced'
      ? noteAnswer(begun, { detail: notAcceptedWords(result), end: 'not-accepted', spentMs })
      : noteAnswer(begun, { detail, spentMs, ...(isOver && { end: 'failed' }) });
  const words = waitWords(climb);
  const next = nextRung(ladder, climb, spentMs);
  if (next.move !== 'continue') return { ...wait(words, askAgainSoonMs), findings: { climb } };
  const pauseMs =
    result.outcome !== 'waiting'
      ? pauseAfterFailure(context, begun)
      : Math.max(result.retryAfterMs, fencer.harmless === true ? askHarmlessEveryMs : 0);
  // What has begun at its device is not to be cut in by others; what failed makes way for them.
  const atDevice = result.outcome === 'waiting';
  return { ...pause(context, words, Math.min(pauseMs, next.forMs), atDevice), findings: { climb } };
}

function notAcceptedWords({ proof, detail }: Extract<FenceResult, { outcome: 'fenced' }>): string {
  return `vouches for "${proof}" (${detail}), which the policy does not accept`;
}

/** Nobody is asked until it is over, but whoever speaks is heard, and whoever lives is seen. */
function pause(
  context: StepContext,
  words: string,
  forMs: number,
  atDevice = false,
): StepResult & { readonly outcome: 'wait' } {
  context.settled.set(pauseWords, words);
  context.settled.set(pauseUntil, String(context.spentMs() + forMs));
  context.settled.set(pauseAtDevice, atDevice ? 'yes' : 'no');
  return {
    ...wait(words, Math.max(askAgainSoonMs, Math.min(askAgainMs, forMs))),
    ...(atDevice && { atDevice }),
  };
}

/** Whether nobody is to be asked yet, and for how much longer; undefined when somebody is. */
export function pauseOf({
  settled,
  spentMs,
}: Pick<StepContext, 'settled' | 'spentMs'>):
  | { readonly words: string; readonly restMs: number; readonly atDevice?: true }
  | undefined {
  const restMs = Number(settled.get(pauseUntil) ?? 0) - spentMs();
  // What is less than that no timer measures.
  if (!(restMs >= 1)) return undefined;
  const atDevice = settled.get(pauseAtDevice) === 'yes';
  return { words: settled.get(pauseWords) ?? '', restMs, ...(atDevice && { atDevice }) };
}

/** Name of the fencer that has its turn, or is about to; empty when none has. */
export function fencerInTurn(context: StepContext): string {
  const ladder = ladderIn(context);
  const next = nextRung(ladder, context.record.climb, context.spentMs());
  return 'rung' in next ? (ladder.rungs[next.rung]?.fencer ?? '') : '';
}

/** What a wait says of its device while the climb pauses. */
export function atDeviceOf({ atDevice }: NonNullable<ReturnType<typeof pauseOf>>): {
  readonly atDevice?: true;
} {
  return atDevice === true ? { atDevice } : {};
}

/** A rung that gave a proof for some of what is on the node has done its part: the next one is asked for the rest. */
function afterPart(context: StepContext, begun: Climb, result: StepResult): StepResult {
  if (result.outcome !== 'wait' || result.findings?.isolation === undefined) return result;
  const { csiDrivers = [] } = result.findings.isolation.proofs.at(-1) ?? {};
  const detail = `vouches for "isolated" from ${csiDrivers.join(', ')}`;
  const climb = noteAnswer(begun, { detail, end: 'partial', spentMs: context.spentMs() });
  return { ...result, findings: { ...result.findings, climb } };
}

/** Twice as long each time: a device that restarts is not helped by being asked. */
function pauseAfterFailure({ attempts, clock }: StepContext, { round, rung }: Climb): number {
  const what = `rung ${rung} of round ${round}`;
  attempts.note(what, clock.now());
  return Math.min(retryFailedMs, 1_000 * 2 ** Math.min(attempts.count(what) - 1, 10));
}

function waitWords(climb: Climb | undefined, instead = 'nobody has answered yet'): string {
  const words = climb === undefined ? [] : wordsOfRungs(climb);
  return words.join('; ') || instead;
}

/** A human's word counts whoever has the turn, where humans are on the ladder at all. */
function confirmedByHand(context: StepContext, { confirmation }: FenceTarget): Vouched | undefined {
  if (confirmation === undefined || !mayVouchByHand(context)) return undefined;
  return { fencer: manualFencer.name, proof: 'confirmed-by-human', detail: confirmedWords(confirmation) };
}

/** The record with its first rung begun, to be written together with the step: a step that acts is on record with whom it asks first. */
export function withFirstRung(
  record: TakeoverRecord,
  fencers: StepContext['fencers'],
  { at, epoch }: { readonly at: string; readonly epoch: number },
): TakeoverRecord {
  if (record.climb !== undefined || isHarmless({ record, fencers })) return record;
  const ladder = ladderIn({ record, fencers });
  const spentMs = record.steps.fence?.spentMs ?? 0;
  const next = nextRung(ladder, undefined, spentMs);
  return next.move === 'begin'
    ? { ...record, climb: beginRung(ladder, undefined, next, { spentMs, at, epoch }) }
    : record;
}
