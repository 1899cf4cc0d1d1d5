// Lets a stream wait for news or for a moment, with one timer however often there are news.
import type { Clock, TimerHandle } from '@liberator/core';

/** For one who waits. */
export class Doorbell {
  readonly #clock: Clock;
  #rung = false;
  #hear = (): void => {};
  #alarm: { readonly at: number; readonly timer: TimerHandle } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#hear();
  }

  /** Resolves when it has rung since the last time, or when the moment has come. */
  async rung(until: number): Promise<void> {
    this.#setAlarm(until);
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#hear = resolve;
      });
    }
    this.#rung = false;
  }

  dispose(): void {
    this.#clock.clearTimeout(this.#alarm?.timer);
  }

  #setAlarm(at: number): void {
    if (this.#alarm?.at === at) return;
    this.dispose();
    const timer = this.#clock.setTimeout(() => {
      this.#alarm = undefined;
      this.ring();
    }, at - this.#clock.now());
    this.#alarm = { at, timer };
  }
}
