// How long a step has waited, over all leaders that worked on it, and when that is worth a write.
import { isDeepStrictEqual } from 'node:util';
import type { Climb } from '../fencing/ladder.ts';
import type { Clock } from '../time/clock.ts';
import { withoutNumbers } from '../wording/numbers.ts';
import type { TakeoverRecord, TakeoverStep } from './record.ts';
import type { StepFindings, StepResult } from './step.ts';

/**
 * Whether the time that it waits counts for nothing: there is no end to the patience for a proof, unless one fencer has its turn
 * after another.
 */
function isEndless(step: TakeoverStep, { climb }: TakeoverRecord): boolean {
  return step === 'fence' && climb === undefined;
}

/** Between two notes of the time that a climb takes. */
const firstNoteOfClimbMs = 5_000;
const longestBetweenNotesMs = 60_000;

/**
 * Whether the time that a climb took is due to be put on record. At first often, then rarely: of the time for which a leader has
 * climbed at most half is lost with it, so that even leaders which each die soon get on; and one that waits for hours hardly writes.
 */
export function isTimeOfClimbDue({ sinceTakenUpMs, sinceNotedMs }: Waited): boolean {
  return sinceNotedMs >= Math.max(firstNoteOfClimbMs, Math.min(longestBetweenNotesMs, sinceTakenUpMs / 2));
}

/** For how long this leader has worked on a step, and since when nothing of it is on record. */
export interface Waited {
  readonly sinceTakenUpMs: number;
  readonly sinceNotedMs: number;
}

/** How often the patience that is spent is put on record: no leader that dies makes the next one begin to wait anew. */
const noteSpentEveryMs = 10_000;

/** Counts what a step's patience was spent on, over all leaders that worked on it. */
export class SpentPatience {
  readonly #clock: Clock;
  #spentMs: number;
  #countedUntil: number;

  constructor(clock: Clock, spentMs: number) {
    this.#clock = clock;
    this.#spentMs = spentMs;
    this.#countedUntil = clock.now();
  }

  get spentMs(): number {
    return this.#spentMs + this.#clock.now() - this.#countedUntil;
  }

  /** What passed since the last call counts. */
  spend(): void {
    this.#spentMs = this.spentMs;
    this.#countedUntil = this.#clock.now();
  }

  /** What passed since the last call does not count. */
  spare(): void {
    this.#countedUntil = this.#clock.now();
  }
}

/** What a step waits for no longer than this is known better when it is over; a leader that dies meanwhile loses nothing. */
const briefMs = 3_000;

/** Steps whose waits have an end, mostly within moments, and of whose findings about pods each look makes all anew. */
const briefSteps: ReadonlySet<TakeoverStep> = new Set(['cordon', 'release', 'remove', 'verify']);

/** Whether a waiting step has something to put on record: other words, a finding, or the patience that it spent. */
export function isWorthNoting(
  step: TakeoverStep,
  record: TakeoverRecord,
  { detail, findings, held: isHeld }: StepResult & { readonly outcome: 'wait' },
  waited: Waited,
): boolean {
  const isBrief = isHeld !== true && briefSteps.has(step) && waited.sinceTakenUpMs < briefMs;
  if (isBrief) return hasNews(lastingIn(findings), record);
  const before = record.steps[step]?.detail;
  if (before === undefined || withoutNumbers(detail) !== withoutNumbers(before)) return true;
  if (hasNews(findings, record)) return true;
  if (isHeld === true || isEndless(step, record)) return false;
  return step === 'fence' ? isTimeOfClimbDue(waited) : waited.sinceNotedMs >= noteSpentEveryMs;
}

function hasNews({ climb, ...others }: StepFindings = {}, record: TakeoverRecord): boolean {
  if (climb !== undefined && !isDeepStrictEqual(withoutCounts(climb), withoutCounts(record.climb)))
    return true;
  return Object.entries(others).some(
    ([name, value]) => !isDeepStrictEqual(value, record[name as keyof TakeoverRecord]),
  );
}

/** A device that counts up how far it is says nothing new each time. */
function withoutCounts(climb: Climb | undefined): readonly unknown[] | undefined {
  return (
    climb && [
      climb.round,
      climb.rung,
      ...climb.rungs.map((rung) => ({ ...rung, detail: withoutNumbers(rung.detail ?? '') })),
    ]
  );
}

function lastingIn({ pods: _, ...lasting }: StepFindings = {}): StepFindings {
  return lasting;
}
