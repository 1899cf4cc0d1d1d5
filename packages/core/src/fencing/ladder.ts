// Which fencer of a ladder has its turn, from what is on record and the time that was spent. Pure.

import type { FencingRules } from './fencing-rules.ts';
import type { AcceptableProof, FenceProof } from './proof.ts';
import { acceptableProofs } from './proof.ts';

/** See {@link Rung.forMs}. */
const askedForMs = 90_000;
const peopleAskedForMs = 300_000;

/** Between two climbs. */
const pauseMs = 10_000;

/** A ladder with all its defaults filled in. */
export interface Ladder {
  readonly rungs: readonly { readonly fencer: string; readonly forMs: number }[];
  readonly proof: 'required' | 'optional';
  readonly accept: readonly AcceptableProof[];
  /** Undefined: once each rung has had its time, if no proof is required, and else never. */
  readonly giveUpAfterMs: number | undefined;
}

/** How far a climb has come: on the record of its takeover, so that the next leader goes on where the last one stopped. */
export interface Climb {
  /** How often the ladder was begun at its first rung: 1 at first. */
  readonly round: number;
  /** The place, from 0, of the rung that was begun last. */
  readonly rung: number;
  /** What each rung came to when it had its turn last, by its place. */
  readonly rungs: readonly RungRecord[];
}

/** One rung, when it had its turn last. */
export interface RungRecord {
  /** The fencer's name. */
  readonly fencer: string;
  /** In which round. */
  readonly round: number;
  /** ISO 8601, wall clock of the leader that began it. For people. */
  readonly startedAt: string;
  /** The term in which it was begun. */
  readonly epoch: number;
  /** How much of the fence step's time was spent when it began, in milliseconds. */
  readonly beganMs: number;
  /** The same when it was over; absent while it has its turn. */
  readonly overMs?: number;
  /**
   * Why it is over. `failed`: asking again would have come to the same. `not-accepted`: it gave a proof that the policy doesn't
   * take. `time-out`: its time was up.
   */
  readonly end?: 'failed' | 'not-accepted' | 'time-out';
  /** What it answered last. */
  readonly detail?: string;
}

/** What comes next. */
export type NextRung =
  /** The fencer in this place is asked, for at most so long. `begin`: it had no turn in this round yet. */
  | {
      readonly move: 'begin' | 'continue';
      readonly rung: number;
      readonly round: number;
      readonly forMs: number;
    }
  /** All had their turn; the first has it again after so long. */
  | { readonly move: 'pause'; readonly forMs: number }
  /** There won't be a proof, and none is required. */
  | { readonly move: 'give-up' };

/** @param isHarmless - Whether a fencer only waits, by its name: for people, mostly. */
export function ladderOf(rules: FencingRules, isHarmless: (fencer: string) => boolean): Ladder {
  const rungs = rules.ladder ?? (rules.drivers ?? []).map((fencer) => ({ fencer }));
  return {
    rungs: rungs.map(({ fencer, forMs }: { readonly fencer: string; readonly forMs?: number }) => ({
      fencer,
      forMs: forMs ?? (isHarmless(fencer) ? peopleAskedForMs : askedForMs),
    })),
    proof: rules.proof,
    accept: rules.accept ?? acceptableProofs,
    giveUpAfterMs: rules.proof === 'optional' ? rules.giveUpAfterMs : undefined,
  };
}

/** Names of the fencers of a ladder, in their order. */
export function fencersIn({ ladder, drivers }: Pick<FencingRules, 'ladder' | 'drivers'>): readonly string[] {
  return ladder?.map(({ fencer }) => fencer) ?? drivers ?? [];
}

/** Whether a proof ends the climb. Without one that is required, `none` does. */
export function isAccepted({ proof, accept }: Pick<Ladder, 'proof' | 'accept'>, given: FenceProof): boolean {
  return given === 'none' ? proof === 'optional' : accept.includes(given);
}

/**
 * A pure function of what is on record and of the time that the fence step has taken so far, over all leaders: a new leader begins
 * no rung anew.
 *
 * @param spentMs - Of the fence step. What brakes took, or a wait for a busy device, isn't in it.
 */
export function nextRung(ladder: Ladder, climb: Climb | undefined, spentMs: number): NextRung {
  const { rungs, giveUpAfterMs } = ladder;
  if (giveUpAfterMs !== undefined && spentMs >= giveUpAfterMs) return { move: 'give-up' };
  const leftMs = giveUpAfterMs === undefined ? Number.POSITIVE_INFINITY : giveUpAfterMs - spentMs;
  const begin = (rung: number, round: number): NextRung => {
    const forMs = rungs[rung]?.forMs;
    return forMs === undefined
      ? endOfRound(ladder, undefined, spentMs, leftMs)
      : { move: 'begin', rung, round, forMs: Math.min(forMs, leftMs) };
  };
  if (climb === undefined) return begin(0, 1);
  const { rung, round } = climb;
  const now = climb.rungs[rung];
  // What an older or a damaged record doesn't say: the rung has its turn now.
  if (now === undefined) return begin(rung, round);
  const untilMs = now.beganMs + (rungs[rung]?.forMs ?? 0);
  if (now.overMs === undefined && spentMs < untilMs) {
    return { move: 'continue', rung, round, forMs: Math.min(untilMs - spentMs, leftMs) };
  }
  if (rung + 1 < rungs.length) return begin(rung + 1, round);
  const end = endOfRound(ladder, now.overMs ?? untilMs, spentMs, leftMs);
  return end.move === 'pause' && end.forMs <= 0 ? begin(0, round + 1) : end;
}

/** Without a time to give up after, each rung having had its turn is reason enough. */
function endOfRound(
  { proof, giveUpAfterMs }: Ladder,
  overMs: number | undefined,
  spentMs: number,
  leftMs: number,
): NextRung {
  if (proof === 'optional' && giveUpAfterMs === undefined) return { move: 'give-up' };
  return { move: 'pause', forMs: Math.min((overMs ?? spentMs) + pauseMs - spentMs, leftMs) };
}

/** The climb with the turn of a rung begun; one whose turn was not over has run out of time. */
export function beginRung(
  ladder: Ladder,
  climb: Climb | undefined,
  { rung, round }: { readonly rung: number; readonly round: number },
  { spentMs, at, epoch }: { readonly spentMs: number; readonly at: string; readonly epoch: number },
): Climb {
  const fencer = ladder.rungs[rung]?.fencer ?? '';
  const before = (climb?.rungs ?? []).map((one, place) =>
    place === climb?.rung && one.overMs === undefined ? over(one, 'time-out', spentMs) : one,
  );
  const began: RungRecord = { fencer, round, startedAt: at, epoch, beganMs: Math.round(spentMs) };
  return { round, rung, rungs: replaced(before, rung, began) };
}

/** The climb with what the rung that has its turn answered and, if that ends it, why. */
export function noteAnswer(
  climb: Climb,
  {
    detail,
    end,
    spentMs,
  }: { readonly detail: string; readonly end?: RungRecord['end']; readonly spentMs: number },
): Climb {
  const now = climb.rungs[climb.rung];
  if (now === undefined) return climb;
  const answered = { ...now, detail };
  const next = end === undefined ? answered : over(answered, end, spentMs);
  return { ...climb, rungs: replaced(climb.rungs, climb.rung, next) };
}

/** What each rung said last, in their order, for people. */
export function wordsOfRungs({ rungs }: Climb): readonly string[] {
  return rungs.flatMap(({ fencer, detail, end }) => {
    if (detail !== undefined) return [`${fencer}: ${detail}`];
    return end === undefined ? [] : [`${fencer}: no answer in its time`];
  });
}

function over(rung: RungRecord, end: NonNullable<RungRecord['end']>, spentMs: number): RungRecord {
  return { ...rung, overMs: Math.round(spentMs), end };
}

function replaced(rungs: readonly RungRecord[], place: number, rung: RungRecord): readonly RungRecord[] {
  const next = rungs.slice();
  next[place] = rung;
  return next;
}
