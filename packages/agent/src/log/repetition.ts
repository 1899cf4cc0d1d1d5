// Keeps one trouble that goes on and on from filling a disk: it is told at once, then at growing intervals with a count.

const firstPauseMs = 10_000;
const longestPauseMs = 600_000;
/** What has been quiet for this long is news when it comes again. */
const forgottenAfterMs = 300_000;
/** Texts may differ without end, memory may not. */
const mostRemembered = 500;

interface Told {
  toldAt: number;
  lastAt: number;
  pauseMs: number;
  untold: number;
}

export class Repetition {
  readonly #told = new Map<string, Told>();

  /**
   * How many times `text` came since it was last told, this one included, when it is time to tell it; 0 when it is not.
   * Texts that differ in digits alone are the same.
   *
   * @param now monotonic milliseconds
   */
  countToTell(text: string, now: number): number {
    const key = text.replaceAll(/\d+/g, '#');
    const told = this.#told.get(key);
    if (told === undefined || now - told.lastAt >= forgottenAfterMs) {
      this.#told.delete(key);
      this.#told.set(key, { toldAt: now, lastAt: now, pauseMs: firstPauseMs, untold: 0 });
      this.#forgetOldest();
      return 1;
    }
    told.lastAt = now;
    told.untold += 1;
    if (now - told.toldAt < told.pauseMs) return 0;
    const count = told.untold;
    told.toldAt = now;
    told.untold = 0;
    told.pauseMs = Math.min(2 * told.pauseMs, longestPauseMs);
    return count;
  }

  #forgetOldest(): void {
    const [oldest] = this.#told.keys();
    if (this.#told.size > mostRemembered && oldest !== undefined) this.#told.delete(oldest);
  }
}

/** The field that goes with a line told for the `times`-th time. */
export function counted(times: number): { readonly times?: number } {
  return times > 1 ? { times } : {};
}

/** The words that go with it. */
export function timesOf(times: number): string {
  return times > 1 ? ` (${times} times since this was last told)` : '';
}
