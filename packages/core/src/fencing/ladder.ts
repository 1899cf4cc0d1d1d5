// Which fencer of a ladder has its turn, from what is on record and the time that was spent. Pure.

import type { FencingRules, Rung } from './fencing-rules.ts';
import { manualFencer } from './manual.ts';
import type { AcceptableProof, FenceProof } from './proof.ts';
import { acceptableProofs } from './proof.ts';

/** See {@link Rung.forMs}. */
const askedForMs = 90_000;
const peopleAskedForMs = 300_000;

/** Between the end of one round and the next. */
const pauseMs = 10_000;

/** A round that is over sooner, since everybody refuses at once, is followed by a pause until then: nobody is helped by being asked. */
const shortestRoundMs = 60_000;

/** A ladder with all its defaults filled in. */
export interface Ladder {
  /** The fencers, in the order in which they are asked, and for how long each has its turn, in milliseconds. */
  readonly rungs: readonly { readonly fencer: string; readonly forMs: number }[];
  /** See {@link FencingRules.proof}. */
  readonly proof: 'required' | 'optional';
  /** See {@link FencingRules.accept}. */
  readonly accept: readonly AcceptableProof[];
  /** Undefined: once each rung has had its time, if no proof is required, and else never. Infinite: never. */
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
   * take. `partial`: its proof covers some of what is on the node, and the next one is asked for the rest. `time-out`: its time was up.
   */
  readonly end?: 'failed' | 'not-accepted' | 'partial' | 'time-out';
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

/**
 * The ladder that these rules describe.
 *
 * @param isHarmless - Whether a fencer only waits, by its name: for people, mostly.
 */
export function ladderOf(rules: FencingRules, isHarmless: (fencer: string) => boolean): Ladder {
  const rungs = rules.ladder ?? (rules.drivers ?? []).map((fencer) => ({ fencer }));
  return {
    rungs: rungs.map(({ fencer, forMs }: { readonly fencer: string; readonly forMs?: number }) => ({
      fencer,
      forMs: forMs ?? (isHarmless(fencer) ? peopleAskedForMs : askedForMs),
    })),
    proof: rules.proof,
    accept: rules.accept ?? acceptableProofs,
    giveUpAfterMs: rules.proof === 'optional' ? (rules.giveUpAfterMs ?? untilPeopleAnswer(rungs)) : undefined,
  };
}

/** Whoever puts a human on the ladder wants to be waited for, unless they say for how long. */
function untilPeopleAnswer(rungs: readonly Rung[]): number | undefined {
  return rungs.some(({ fencer }) => fencer === manualFencer.name) ? Number.POSITIVE_INFINITY : undefined;
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
 * no rung anew. Of a record that says what can't be, such as the turn of a fencer that isn't on the ladder, nothing counts: that
 * rung has its turn yet to come.
 *
 * @param spentMs - Of the fence step. What brakes took, or a wait for a busy device, isn't in it.
 */
export function nextRung(ladder: Ladder, climb: Climb | undefined, spentMs: number): NextRung {
  const { rungs, proof, giveUpAfterMs } = ladder;
  const leftMs = (giveUpAfterMs ?? Number.POSITIVE_INFINITY) - spentMs;
  if (leftMs <= 0) return { move: 'give-up' };
  const round = Math.max(1, climb?.round ?? 1);
  let beganMs = spentMs;
  let overMs = 0;
  for (const [rung, { fencer, forMs }] of rungs.entries()) {
    const turn = climb?.rungs[rung];
    const begin: NextRung = { move: 'begin', rung, round, forMs: Math.min(forMs, leftMs) };
    if (turn === undefined || turn.fencer !== fencer || turn.round !== round) return begin;
    // Further ahead than what a leader that died may have left unwritten.
    if (turn.beganMs - spentMs > forMs) return begin;
    const untilMs = turn.beganMs + forMs;
    if (turn.overMs === undefined && spentMs < untilMs) {
      const restMs = Math.min(untilMs - spentMs, forMs, leftMs);
      return rung === climb?.rung ? { move: 'continue', rung, round, forMs: restMs } : begin;
    }
    beganMs = Math.min(beganMs, turn.beganMs);
    overMs = Math.max(overMs, Math.min(turn.overMs ?? untilMs, spentMs));
  }
  // Without a time to give up after, each rung having had its turn is reason enough.
  if (proof === 'optional' && giveUpAfterMs === undefined) return { move: 'give-up' };
  const [first] = rungs;
  if (first === undefined) return { move: 'pause', forMs: Math.min(pauseMs, leftMs) };
  const restMs = Math.max(overMs + pauseMs, beganMs + shortestRoundMs) - spentMs;
  return restMs <= 0
    ? { move: 'begin', rung: 0, round: round + 1, forMs: Math.min(first.forMs, leftMs) }
    : { move: 'pause', forMs: Math.min(restMs, leftMs) };
}

/** The climb with the turn of a rung begun; one whose turn was not over has run out of time. */
export function beginRung(
  ladder: Ladder,
  climb: Climb | undefined,
  { rung, round }: { readonly rung: number; readonly round: number },
  { spentMs, at, epoch }: { readonly spentMs: number; readonly at: string; readonly epoch: number },
): Climb {
  const fencer = ladder.rungs[rung]?.fencer ?? '';
  const before = ladder.rungs.flatMap((_, place): RungRecord[] => {
    const one = climb?.rungs[place];
    if (one === undefined) return [];
    return [one.overMs === undefined ? over(one, 'time-out', spentMs) : one];
  });
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

/** All rungs together say no more: an Event has room for 1024 characters, and the command that a human needs may come last. */
const keptOfWords = 900;

/** What each rung said last, in their order, for people; of those that said most only the beginning, where it is too much. */
export function wordsOfRungs({ rungs }: Climb): readonly string[] {
  const all = rungs.flatMap(({ fencer, detail, end }) => {
    if (detail !== undefined) return [`${fencer}: ${detail}`];
    return end === undefined ? [] : [`${fencer}: no answer in its time`];
  });
  let left = keptOfWords;
  let others = all.length;
  let most = Number.POSITIVE_INFINITY;
  // Whoever needs less than an equal share leaves the rest of it to the others.
  for (const length of all.map((words) => words.length).toSorted((a, b) => a - b)) {
    if (length > left / others) {
      most = Math.floor(left / others);
      break;
    }
    left -= length;
    others--;
  }
  return all.map((words) => (words.length > most ? `${words.slice(0, most - 1)}…` : words));
}

function over(rung: RungRecord, end: NonNullable<RungRecord['end']>, spentMs: number): RungRecord {
  return { ...rung, overMs: Math.round(spentMs), end };
}

function replaced(rungs: readonly RungRecord[], place: number, rung: RungRecord): readonly RungRecord[] {
  return [...rungs.slice(0, place), rung, ...rungs.slice(place + 1)];
}
