// A process as seen from outside: it can be stopped for a while, frozen with its machine, or killed, and nothing in it knows.
import type { Clock } from '@liberator/core';

/**
 * Everything that makes code of one process run comes through here: timers that fire, and answers that arrive. While
 * the gate is shut both wait in order; after a kill neither ever comes.
 */
export class ProcessGate {
  readonly #clock: Clock;
  #state: 'open' | 'shut' | 'dead' = 'open';
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  get dead(): boolean {
    return this.#state === 'dead';
  }

  /** Calls back now, or when the process goes on, or never. */
  run(callback: () => void): void {
    if (this.#state === 'open') callback();
    else if (this.#state === 'shut') this.#waiting.push(callback);
  }

  /** Resolves as soon as the process runs. */
  passage(): Promise<void> {
    return this.#state === 'open' ? Promise.resolve() : new Promise((resolve) => this.run(resolve));
  }

  shut(): void {
    if (this.#state === 'open') this.#state = 'shut';
  }

  /** What piled up runs one by one, each to its rest, as an event loop would have it. */
  reopen(): void {
    if (this.#state !== 'shut') return;
    this.#state = 'open';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) this.#clock.setTimeout(() => this.run(callback), 0);
  }

  kill(): void {
    this.#state = 'dead';
    this.#waiting = [];
  }
}
