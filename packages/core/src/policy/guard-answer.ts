// Takes a guard's answer for what it is. Guards may be other people's code, and not all of it has types: what is no verdict
// holds, with what was found in its place, and nothing gets into a record that could not be read back from it.
import { type GuardVerdict, hold, pass } from './guard.ts';

/** The verdict that was answered, and nothing besides it; or the one of a guard that failed. Never throws. */
export function verdictOf(answer: unknown): GuardVerdict {
  try {
    return read(answer);
  } catch (error) {
    return failedWith(error);
  }
}

/** The verdict of a guard that threw. */
export function failedWith(error: unknown): GuardVerdict {
  return failed(error instanceof Error && typeof error.message === 'string' ? error.message : found(error));
}

function read(answer: unknown): GuardVerdict {
  if (typeof answer !== 'object' || answer === null) return misfit('a verdict', answer);
  if (isPromise(answer)) {
    // Nobody waits for it: left alone, its failure would end the process.
    answer.then(undefined, () => {});
    return misfit('a verdict', answer);
  }
  const { outcome, reason, until } = answer as Readonly<Record<string, unknown>>;
  if (outcome === 'pass') return pass;
  if (outcome !== 'hold') return misfit('"pass" or "hold" as outcome', outcome);
  if (typeof reason !== 'string' || reason.trim() === '') return misfit('a reason to hold', reason);
  if (until === undefined) return hold(reason);
  // Its reason is as good as any: only when to look again is not known.
  if (typeof until !== 'number' || !Number.isFinite(until))
    return misfit('a monotonic time as until', until, `; it holds with: ${reason}`);
  return { outcome, reason, until };
}

function misfit(expected: string, value: unknown, rest = ''): GuardVerdict {
  return failed(`expected ${expected}, found ${found(value)}${rest}`);
}

function failed(words: string): GuardVerdict {
  return hold(`the guard itself failed: ${words}`);
}

function isPromise(value: object): value is PromiseLike<unknown> {
  return 'then' in value && typeof value.then === 'function';
}

const longestFound = 40;

function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) {
    if (isPromise(value)) return 'a promise, and guards must not wait';
    return Array.isArray(value) ? 'a list' : 'a mapping';
  }
  const words = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return words.length > longestFound ? `${words.slice(0, longestFound)}...` : words;
}
