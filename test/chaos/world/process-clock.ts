// The clock of one process: it may run a little fast or slow, be set by hand, and stand still while its machine is frozen.
import type { Clock, TimerHandle } from '@liberator/core';
import type { ProcessGate } from './process-gate.ts';

interface ProcessTimer {
  inner: TimerHandle | undefined;
  cancelled: boolean;
}

/** Floating-point dust: a timer may find itself this much early. */
const dustMs = 1e-6;

export class ProcessClock implements Clock {
  readonly #base: Clock;
  readonly #gate: ProcessGate;
  /** Milliseconds of this clock in one true millisecond. */
  readonly rate: number;
  #wallOffsetMs = 0;
  #frozenAt: number | undefined;
  #frozenMs = 0;

  constructor(base: Clock, gate: ProcessGate, rate: number) {
    this.#base = base;
    this.#gate = gate;
    this.rate = rate;
  }

  now(): number {
    return ((this.#frozenAt ?? this.#base.now()) - this.#frozenMs) * this.rate;
  }

  wallTime(): number {
    return this.#base.wallTime() + this.#wallOffsetMs;
  }

  jumpWallTime(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Monotonic time stands still, as that of a suspended virtual machine does; wall time goes on. */
  freeze(): void {
    this.#frozenAt ??= this.#base.now();
  }

  thaw(): void {
    if (this.#frozenAt !== undefined) this.#frozenMs += this.#base.now() - this.#frozenAt;
    this.#frozenAt = undefined;
  }

  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const timer: ProcessTimer = { inner: undefined, cancelled: false };
    const due = this.now() + Math.max(delayMs || 0, 0);
    const arm = (): void => {
      timer.inner = this.#base.setTimeout(() => this.#gate.run(fire), (due - this.now()) / this.rate);
    };
    const fire = (): void => {
      if (timer.cancelled) return;
      // Frozen meanwhile: by this clock it isn't time yet.
      if (this.now() < due - dustMs) arm();
      else callback();
    };
    arm();
    return timer;
  }

  clearTimeout(handle: TimerHandle | undefined): void {
    if (handle === undefined) return;
    const timer = handle as ProcessTimer;
    timer.cancelled = true;
    this.#base.clearTimeout(timer.inner);
  }
}
