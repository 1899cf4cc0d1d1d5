// Whose turn it is to be checked: those never asked first, then whoever was asked longest ago, evenly over the interval. Pure.
import { OrderedMap, OrderedSet } from 'immutable';
import type { DrillRules } from './drill-rules.ts';

/** A value: each turn makes another one of it. What a key names is a fencer and a node. */
export interface Schedule {
  /** Never asked, or asked in vain. */
  readonly fresh: OrderedSet<string>;
  /** By key, when each was last asked; whoever was asked longest ago first. */
  readonly asked: OrderedMap<string, number>;
  /** When the last turn was due that was not urgent; the next one comes a while after it. */
  readonly lastAt: number;
}

/** Those that nobody has asked yet get their first turn within this time, or within the interval if that is shorter. */
const firstRoundMs = 300_000;

/** In a small cluster nobody waits that long for a first turn. */
const longestFirstGapMs = 10_000;

/** Between two questions of the same kind, where an answer is needed now. */
const urgentEveryMs = 10_000;

/** Turns that nobody looked for in time are made up for as far as this: a leader looks twice a second. */
const madeUpMs = 1_000;

/** Where so many in a row may not be asked now, the next ones are not looked at: they wait for the same, most likely. */
const lookedThrough = 200;

export function newSchedule(): Schedule {
  return { fresh: OrderedSet(), asked: OrderedMap(), lastAt: Number.NEGATIVE_INFINITY };
}

/** With exactly these: newcomers come first, and whoever left is forgotten. */
export function withSubjects(schedule: Schedule, keys: ReadonlySet<string>): Schedule {
  const { fresh, asked } = schedule;
  const left = [...fresh, ...asked.keys()].filter((key) => !keys.has(key));
  const newcomers = [...keys].filter((key) => !fresh.has(key) && !asked.has(key));
  if (left.length === 0 && newcomers.length === 0) return schedule;
  return {
    ...schedule,
    fresh: fresh.subtract(left).union(newcomers),
    asked: asked.deleteAll(left),
  };
}

/** What a turn is given by. */
export interface TurnRules {
  readonly now: number;
  /** Whether it may be asked at this moment: its device may be busy. */
  readonly mayAsk: (key: string) => boolean;
}

/** Who is to be asked now, and the schedule with that turn taken. */
export interface Turn {
  readonly key: string;
  readonly schedule: Schedule;
}

/** Of those whose answer somebody waits for; undefined when it is nobody's turn. It takes none from the others. */
export function urgentTurn(
  schedule: Schedule,
  urgent: readonly string[],
  { now, mayAsk }: TurnRules,
): Turn | undefined {
  const { fresh, asked } = schedule;
  const isDue = (key: string): boolean => {
    const at = asked.get(key);
    return at === undefined ? fresh.has(key) : now - at >= urgentEveryMs;
  };
  const key = urgent.find((one) => isDue(one) && mayAsk(one));
  return key === undefined ? undefined : { key, schedule: taken(schedule, key, now) };
}

/** Undefined when it is nobody's turn. */
export function nextTurn(
  schedule: Schedule,
  { now, everyMs, mayAsk }: TurnRules & Pick<DrillRules, 'everyMs'>,
): Turn | undefined {
  const { fresh, asked, lastAt } = schedule;
  const all = fresh.size + asked.size;
  const firstGapMs = Math.min(longestFirstGapMs, Math.min(everyMs, firstRoundMs) / all);
  // Before anybody is looked through: mostly it is not yet time.
  if (now < lastAt + Math.min(firstGapMs, everyMs / all)) return undefined;
  const newcomer = fresh.toSeq().take(lookedThrough).find(mayAsk);
  const gapMs = newcomer === undefined ? everyMs / all : firstGapMs;
  if (now < lastAt + gapMs) return undefined;
  const key = newcomer ?? asked.keySeq().take(lookedThrough).find(mayAsk);
  if (key === undefined) return undefined;
  // What could not be asked in its time is not made up for all at once.
  const at = Math.max(lastAt + gapMs, gapMs > madeUpMs ? now : now - madeUpMs);
  return { key, schedule: { ...taken(schedule, key, now), lastAt: at } };
}

/** One that was asked in vain has its turn again before all others. */
export function putBack(schedule: Schedule, key: string): Schedule {
  const { fresh, asked } = schedule;
  return asked.has(key) ? { ...schedule, fresh: fresh.add(key), asked: asked.delete(key) } : schedule;
}

function taken(schedule: Schedule, key: string, now: number): Schedule {
  const { fresh, asked } = schedule;
  return { ...schedule, fresh: fresh.delete(key), asked: asked.delete(key).set(key, now) };
}
