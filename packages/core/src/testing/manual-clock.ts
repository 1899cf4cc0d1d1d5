// Time that passes only when a test says so.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, TimerHandle } from '../time/clock.ts';

interface ManualTimer {
  readonly at: number;
  readonly callback: () => void;
}

/** A {@link Clock} whose timers fire in order while {@link ManualClock.advance} moves it. */
export class ManualClock implements Clock {
  #now: number;
  readonly #epoch: number;
  readonly #turns: number;
  readonly #timers = new Set<ManualTimer>();

  /**
   * @param options.turns how many turns of the event loop it takes to settle. Default 5; one is enough where nothing but
   *   promises goes on, and makes a long story shorter.
   */
  constructor(options: { readonly now?: number; readonly wallTime?: number; readonly turns?: number } = {}) {
    this.#turns = options.turns ?? 5;
    this.#now = options.now ?? 0;
    this.#epoch = (options.wallTime ?? Date.UTC(2030, 0, 1)) - this.#now;
  }

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#epoch + this.#now;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const timer: ManualTimer = { at: this.#now + Math.max(delayMs || 0, 0), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(handle: TimerHandle | undefined): void {
    this.#timers.delete(handle as ManualTimer);
  }

  /**
   * Moves time by `durationMs`, firing what falls due at its own moment, and lets promises (and real sockets that are
   * ready) go on before, between and after.
   */
  async advance(durationMs: number): Promise<void> {
    const until = this.#now + durationMs;
    await this.settle();
    for (;;) {
      const next = this.#next();
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await this.settle();
    }
    this.#now = until;
    await this.settle();
  }

  /** Time passes in which nobody looks at a timer, as in a process that is stopped: what falls due fires later. */
  skip(durationMs: number): void {
    this.#now += durationMs;
  }

  /** Lets everything go on that needs no time to pass. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < this.#turns; turns++) await turn();
  }

  /** The earliest; among equals, the one set first, since a Set keeps its order. */
  #next(): ManualTimer | undefined {
    let first: ManualTimer | undefined;
    for (const timer of this.#timers) if (first === undefined || timer.at < first.at) first = timer;
    return first;
  }
}
