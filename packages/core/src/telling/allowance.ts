// How much may be said: so much at once, and then so much in a time. Pure but for what it remembers.

export class Allowance {
  readonly #burst: number;
  readonly #refillMs: number;
  #left: number;
  #countedAt: number;

  /** @param limits `burst` at once, and one more every `refillMs`. */
  constructor(limits: { readonly burst: number; readonly refillMs: number }, now: number) {
    this.#burst = limits.burst;
    this.#refillMs = limits.refillMs;
    this.#left = limits.burst;
    this.#countedAt = now;
  }

  has(now: number): boolean {
    this.#refill(now);
    return this.#left >= 1;
  }

  /** Whether there was one; if so, it is spent. */
  take(now: number): boolean {
    if (!this.has(now)) return false;
    this.#left -= 1;
    return true;
  }

  /** By whole ones, so that no fraction is lost or won by asking often. */
  #refill(now: number): void {
    const more = Math.floor((now - this.#countedAt) / this.#refillMs);
    if (more <= 0) return;
    this.#left = Math.min(this.#burst, this.#left + more);
    this.#countedAt += more * this.#refillMs;
  }
}
