// A line in which requests wait for their turn, in the order in which they came.
import type { Clock, TimerHandle } from '../time/clock.ts';

/** Who decides whether one more may go. */
export interface Gate {
  /** 0: one more may go now. Infinity: not before one that is under way ends. Otherwise milliseconds. */
  waitMs(now: number): number;
  started(): void;
  ended(): void;
}

/** So many at once and no more. */
export class FixedGate implements Gate {
  readonly #width: number;
  #underWay = 0;

  constructor(width: number) {
    this.#width = width;
  }

  waitMs(): number {
    return this.#underWay < this.#width ? 0 : Number.POSITIVE_INFINITY;
  }

  started(): void {
    this.#underWay += 1;
  }

  ended(): void {
    this.#underWay -= 1;
  }
}

interface Place {
  readonly go: () => void;
  readonly refuse: (reason: unknown) => void;
}

/** Who aborts is out of the line at once; who has a time limit aborts. */
export class WaitingLine {
  readonly #clock: Clock;
  readonly #gate: Gate;
  readonly #places = new Set<Place>();
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, gate: Gate) {
    this.#clock = clock;
    this.#gate = gate;
  }

  /** How many wait. */
  get length(): number {
    return this.#places.size;
  }

  /**
   * Resolves when it is this one's turn, with what to call when it is over; more than once does nothing more. Rejects with the
   * signal's reason.
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#places.size === 0 && this.#gate.waitMs(this.#clock.now()) === 0) return this.#take();
    const { promise, resolve, reject } = Promise.withResolvers<() => void>();
    // Taken at once and not only when the promise is heard, or the next in line would take the same turn.
    const place: Place = { go: () => resolve(this.#take()), refuse: reject };
    const onAbort = (): void => {
      this.#places.delete(place);
      reject(signal.reason);
    };
    this.#places.add(place);
    signal.addEventListener('abort', onAbort, { once: true });
    this.admit();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Lets go who may: to be called when the gate opens for another reason than an end or the passing of time. */
  admit(): void {
    for (const place of this.#places) {
      if (this.#gate.waitMs(this.#clock.now()) !== 0) break;
      this.#places.delete(place);
      place.go();
    }
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#places.size === 0) return;
    const waitMs = this.#gate.waitMs(this.#clock.now());
    if (waitMs !== Number.POSITIVE_INFINITY) {
      this.#timer = this.#clock.setTimeout(() => this.admit(), waitMs);
    }
  }

  /** Sends everybody home who waits. */
  close(reason: Error): void {
    this.#clock.clearTimeout(this.#timer);
    for (const place of this.#places) place.refuse(reason);
    this.#places.clear();
  }

  #take(): () => void {
    let over = false;
    this.#gate.started();
    return () => {
      if (over) return;
      over = true;
      this.#gate.ended();
      this.admit();
    };
  }
}
