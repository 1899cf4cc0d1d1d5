// How old a grant of life is, by the strictest of the clocks at hand. Pure.

/** Reads one clock, in milliseconds. */
export type ClockReader = () => number;

/** The clocks of one machine, and what they said at one moment. */
export type ClockReadings = readonly number[];

export function readClocks(clocks: readonly ClockReader[]): ClockReadings {
  return clocks.map((read) => read());
}

/**
 * How much time has passed between two readings, by whichever clock went furthest: the monotonic clock of Linux stands still while
 * the machine is suspended, and others may not. One that can't be read tells that all time has passed.
 */
export function passedMs(before: ClockReadings, now: ClockReadings): number {
  const each = now.map((reading, index) => reading - (before[index] ?? Number.NaN));
  return each.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(0, ...each);
}
