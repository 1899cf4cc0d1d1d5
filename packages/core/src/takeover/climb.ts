// One turn of one rung of a ladder of fencers, on record before anybody is asked.

import type { FencePermit } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult } from '../fencing/fencer.ts';
import { beginRung, type Climb, type Ladder, nextRung, noteAnswer, wordsOfRungs } from '../fencing/ladder.ts';
import { confirmedWords, manualFencer } from '../fencing/manual.ts';
import {
  accepted,
  askAgainMs,
  askRung,
  isHarmless,
  ladderIn,
  retryFailedMs,
  type Vouched,
} from './ask-rung.ts';
import { askPermit } from './fence-permit.ts';
import type { TakeoverRecord } from './record.ts';
import { type StepContext, type StepResult, wait } from './step.ts';

/** Before the next rung has its turn. */
const askAgainSoonMs = 100;

/** Asks the fencer that has its turn: the next leader goes on there. */
export async function climb(context: StepContext, target: FenceTarget, ladder: Ladder): Promise<StepResult> {
  const { record } = context;
  const byHand = confirmedByHand(context, target);
  if (byHand !== undefined) return accepted(context, byHand, target);
  const next = nextRung(ladder, record.climb, context.spentMs());
  if (next.move === 'give-up') {
    const words = record.climb === undefined ? [] : wordsOfRungs(record.climb);
    return accepted(context, { proof: 'none', detail: words.join('; ') || 'nobody was asked' });
  }
  if (next.move === 'pause') {
    return wait(
      waitWords(record.climb, `the first of them is asked again`),
      Math.max(askAgainMs, Math.min(next.forMs, 10_000)),
    );
  }
  const begun = next.move === 'begin' ? begin(context, ladder, next) : record.climb;
  const fencer = context.fencers.get(ladder.rungs[next.rung]?.fencer ?? '');
  if (begun === undefined || fencer === undefined) return wait('the ladder changes', askAgainMs);
  if (next.move === 'begin' && fencer.harmless !== true && !(await context.putOnRecord({ climb: begun }))) {
    return wait('somebody else has the record', askAgainMs);
  }
  // What harms looks again by itself, right before.
  let asked = 0;
  const permit = (): Promise<FencePermit> =>
    askPermit(context, asked++ === 0 || fencer.harmless === true ? 'unless-seen' : 'always');
  const answer = await askRung(context, target, ladder, { rung: next.rung, permit, forMs: next.forMs });
  if ('over' in answer) return answer.over;
  return climbOn(context, begun, answer.result, next.forMs);
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
function climbOn(context: StepContext, begun: Climb, result: FenceResult, forMs: number): StepResult {
  const { detail } = result;
  const spentMs = context.spentMs();
  if (result.outcome === 'fenced') {
    const words = `vouches for "${result.proof}" (${detail}), which the policy does not accept`;
    const climb = noteAnswer(begun, { detail: words, end: 'not-accepted', spentMs });
    return { ...wait(waitWords(climb), askAgainSoonMs), findings: { climb } };
  }
  const isOver = result.outcome === 'failed' && result.permanent === true;
  const climb = noteAnswer(begun, { detail, spentMs, ...(isOver && { end: 'failed' }) });
  const words = waitWords(climb);
  if (isOver) return { ...wait(words, askAgainSoonMs), findings: { climb } };
  const pauseMs = result.outcome === 'waiting' ? result.retryAfterMs : pauseAfterFailure(context, begun);
  return { ...wait(words, Math.max(askAgainSoonMs, Math.min(pauseMs, forMs))), findings: { climb } };
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
function confirmedByHand(
  { record, fencers }: StepContext,
  { confirmation }: FenceTarget,
): Vouched | undefined {
  const name = manualFencer.name;
  if (confirmation === undefined || !record.policy.drivers.includes(name)) return undefined;
  if (fencers.get(name) !== manualFencer || record.policy.accept?.includes('confirmed-by-human') === false)
    return undefined;
  return { fencer: name, proof: 'confirmed-by-human', detail: confirmedWords(confirmation) };
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
