// Durations as people write them: "30s", "1m30s", "500ms". A bare number is refused, since nobody can tell its unit.

/** What timers of this runtime can wait at most. */
const longestMs = 2 ** 31 - 1;

const unitMs = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

const pattern = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/;

/** Thrown by {@link parseDuration}; the message says what was expected and what was found. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
  readonly code = 'LIBERATOR_DURATION';
}

/**
 * Milliseconds of a duration: hours, minutes, seconds and milliseconds, in this order, each at most once. Seconds may
 * have a fraction.
 *
 * @throws {@link DurationError} for anything else, for nothing at all, and for what no timer can wait (over 596h).
 */
export function parseDuration(text: unknown): number {
  const expected = 'expected a duration such as "30s", "1m30s" or "500ms"';
  if (typeof text === 'number') {
    throw new DurationError(`${expected}, found the number ${text}: add a unit, "${text}s" for seconds`);
  }
  if (typeof text !== 'string') throw new DurationError(`${expected}, found ${describe(text)}`);
  if (/^\d+$/.test(text)) {
    throw new DurationError(`${expected}, found "${text}": add a unit, "${text}s" for seconds`);
  }
  const found = pattern.exec(text.trim());
  if (found === null || found[0] === '') throw new DurationError(`${expected}, found "${text}"`);
  const [, hours = 0, minutes = 0, seconds = 0, milliseconds = 0] = found;
  const ms =
    Number(hours) * unitMs.h + Number(minutes) * unitMs.m + Number(seconds) * unitMs.s + Number(milliseconds);
  if (ms < 1 || ms > longestMs) {
    throw new DurationError(`expected a duration from 1ms to 596h, found "${text}"`);
  }
  return Math.round(ms);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : String(value);
}

/** The same the other way round: `90000` is "1m30s". */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms);
  if (rest === 0) return '0s';
  let text = '';
  for (const [unit, size] of Object.entries(unitMs)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
