// How long to wait between attempts, so that many clients of a server in trouble neither give up nor march in step.
import type { Random } from '../time/clock.ts';

export interface BackoffOptions {
  /** Lower bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of every delay. */
  readonly maxMs: number;
}

/** Delays that double from failure to failure, each one jittered over a whole octave. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #random: Random;
  #failures = 0;

  constructor(options: BackoffOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the last {@link Backoff.reset}. */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Counts one more failure and says how long to wait: between `baseMs * 2^n` and twice that, never above `maxMs`, and
   * never without jitter: the last octave is `maxMs / 2` to `maxMs`.
   */
  next(): number {
    const { baseMs, maxMs } = this.#options;
    const lower = Math.min(baseMs * 2 ** Math.min(this.#failures, 30), maxMs / 2);
    this.#failures += 1;
    return lower * (1 + this.#random.next());
  }

  reset(): void {
    this.#failures = 0;
  }
}
