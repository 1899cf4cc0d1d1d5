// One process' own view of time, which runs at its own speed, jumps, and wakes up late.
import type { Clock, TimerHandle } from '../time/clock.ts';

/** A {@link Clock} of one process, over the clock that all processes of a test share. */
export class SkewedClock implements Clock {
  readonly #shared: Clock;
  readonly #speed: number;
  readonly #lateByMs: () => number;
  #wallOffsetMs = 0;

  /**
   * @param options.speed how many of its milliseconds pass in one that is shared. Default 1.
   * @param options.lateByMs how much later than asked a timer fires, each time: a busy or frozen event loop.
   */
  constructor(shared: Clock, options: { readonly speed?: number; readonly lateByMs?: () => number } = {}) {
    this.#shared = shared;
    this.#speed = options.speed ?? 1;
    this.#lateByMs = options.lateByMs ?? (() => 0);
  }

  now(): number {
    return this.#shared.now() * this.#speed;
  }

  wallTime(): number {
    return this.#shared.wallTime() + this.#wallOffsetMs;
  }

  jumpWallTime(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    // In whole milliseconds, as on a real platform: a rounding error must not become a pause that takes no time.
    const delay = Math.ceil(Math.max(delayMs || 0, 0) / this.#speed + this.#lateByMs());
    return this.#shared.setTimeout(callback, delay);
  }

  clearTimeout(handle: TimerHandle | undefined): void {
    this.#shared.clearTimeout(handle);
  }
}
