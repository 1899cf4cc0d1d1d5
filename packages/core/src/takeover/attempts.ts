// Spaces out what a step has to try again, thing by thing: a refusal is no reason to ask twice a second for ever.

/** Between the first two tries; twice as long each time. */
const firstPauseMs = 1_000;

const longestPauseMs = 15_000;

/** Pure: times are given, on the monotonic clock. */
export class Attempts {
  readonly #made = new Map<string, { count: number; nextAt: number; problem: string | undefined }>();

  /** Whether `what` may be tried at `now`: it never was, or long enough ago. */
  isDue(what: string, now: number): boolean {
    return now >= (this.#made.get(what)?.nextAt ?? now);
  }

  /** How often it was tried. */
  count(what: string): number {
    return this.#made.get(what)?.count ?? 0;
  }

  /** What went wrong the last time; undefined when nothing did, or when it never was tried. */
  problem(what: string): string | undefined {
    return this.#made.get(what)?.problem;
  }

  /** Notes a try at `now` and, if it failed, why. */
  note(what: string, now: number, problem?: string): void {
    const count = this.count(what) + 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (count - 1));
    this.#made.set(what, { count, nextAt: now + pauseMs, problem });
  }
}
