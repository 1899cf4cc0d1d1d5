// What happened, in order, one line each: the same seed gives the same lines to the byte.
import type { Clock } from '@liberator/core';

export class Trace {
  readonly #clock: Clock;
  readonly #lines: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  note(who: string, what: string): void {
    const seconds = (this.#clock.now() / 1_000).toFixed(3).padStart(9);
    this.#lines.push(`${seconds}  ${who.padEnd(12)} ${what}`);
  }
}
