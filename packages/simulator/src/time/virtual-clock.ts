// Time that only passes when a test says so, so that a simulated week takes a second and happens the same way twice.
import type { Clock, Random, TimerHandle } from '@liberator/core';

/** Options of {@link VirtualClock}. */
export interface VirtualClockOptions {
  /**
   * What {@link VirtualClock.wallTime} shows at virtual time 0, in milliseconds since the Unix epoch.
   * Default: 2026-01-01T00:00:00Z, whatever today is.
   */
  readonly epoch?: number;
  /**
   * Orders timers that are due at the same millisecond. Without it they fire in the order in which they were set; with
   * a seeded one a test explores other orders, each of which it can replay. Trade-off: two runs are alike only when
   * both set the same timers in the same order.
   */
  readonly tieBreak?: Random;
}

/** How far {@link VirtualClock.runUntil} and {@link VirtualClock.runUntilSettled} may go. */
export interface RunOptions {
  /** Virtual milliseconds from now after which to give up. Default: one hour. */
  readonly limitMs?: number;
}

/** Thrown when virtual time reached a limit before what was waited for happened. */
export class VirtualTimeLimitError extends Error {
  override readonly name = 'VirtualTimeLimitError';
  readonly code = 'LIBERATOR_VIRTUAL_TIME_LIMIT';
}

interface VirtualTimer {
  readonly due: number;
  /** Before `sequence`, so that a tie break can reorder timers of the same instant. */
  readonly order: number;
  readonly sequence: number;
  readonly callback: () => void;
  cancelled: boolean;
}

const defaultLimitMs = 3_600_000;
/** Far beyond any honest chain of yields; code that yields for ever would otherwise hang the test without a word. */
const maximumTurns = 1_000_000;

/**
 * A `Clock` that stands still until it is told to run. Everything that takes its time from it, and talks only to
 * other such things, behaves the same in every run.
 *
 * Between two timers the clock lets all work that the first one started come to rest. "Rest" means that no promise
 * callback and no `setImmediate` is left: promise callbacks, however long their chain, all run within one turn of the
 * event loop, and code that yields with `setImmediate` shows in the process' list of active resources, so the clock
 * turns until that list has no immediate left. It does *not* wait for sockets, files or native timers: what depends on
 * those is not deterministic, and a test of it belongs on real time.
 *
 * @example
 * ```ts
 * const clock = new VirtualClock();
 * const heard: number[] = [];
 * clock.setTimeout(() => heard.push(clock.now()), 60_000);
 * await clock.advance(59_999); // heard: []
 * await clock.advance(1); // heard: [60000]
 * ```
 */
export class VirtualClock implements Clock {
  #now = 0;
  #wallOffset: number;
  #sequence = 0;
  #running = false;
  readonly #tieBreak: Random | undefined;
  readonly #timers = new TimerQueue();

  constructor(options: VirtualClockOptions = {}) {
    this.#wallOffset = options.epoch ?? Date.UTC(2026, 0, 1);
    this.#tieBreak = options.tieBreak;
  }

  /** Virtual milliseconds since this clock was made. */
  now(): number {
    return this.#now;
  }

  /** Milliseconds since 1970, which pass as `now()` does. */
  wallTime(): number {
    return this.#wallOffset + this.#now;
  }

  /** Fires when time is driven past it. */
  setTimeout(callback: () => void, delayMs: number): TimerHandle {
    const timer: VirtualTimer = {
      due: this.#now + Math.max(delayMs || 0, 0),
      order: this.#tieBreak?.next() ?? 0,
      sequence: this.#sequence++,
      callback,
      cancelled: false,
    };
    this.#timers.add(timer);
    return timer;
  }

  /** Nothing happens when it has fired. */
  clearTimeout(handle: TimerHandle | undefined): void {
    if (handle !== undefined) this.#timers.cancel(handle as VirtualTimer);
  }

  /** Makes wall time jump, forwards or backwards, as NTP or an operator would; monotonic time doesn't notice. */
  jumpWallTime(byMs: number): void {
    this.#wallOffset += byMs;
  }

  /** How many timers are set. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets `ms` pass: fires what falls due, in order, and ends exactly `ms` later. */
  async advance(ms: number): Promise<void> {
    await this.#run(this.#now + ms, () => false);
  }

  /**
   * Fires timers one by one until `reached` holds, which is asked now and after each timer came to rest. Resolves with
   * the virtual milliseconds that this took.
   *
   * @throws {@link VirtualTimeLimitError} when it still doesn't hold after `limitMs`.
   */
  async runUntil(reached: () => boolean, options: RunOptions = {}): Promise<number> {
    const limitMs = options.limitMs ?? defaultLimitMs;
    const start = this.#now;
    if (!(await this.#run(start + limitMs, reached))) {
      throw new VirtualTimeLimitError(
        `expected the condition to hold within ${limitMs} ms of virtual time, found that it still does not at ${this.#now} ms: raise limitMs, or look at why ${reached} stays false`,
      );
    }
    return this.#now - start;
  }

  /**
   * Lets time pass until `promise` has settled, and hands on its outcome: for code that sleeps on this clock.
   *
   * @throws {@link VirtualTimeLimitError} when it hasn't settled after `limitMs`.
   */
  async runUntilSettled<T>(promise: Promise<T>, options: RunOptions = {}): Promise<T> {
    const limitMs = options.limitMs ?? defaultLimitMs;
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    if (!(await this.#run(this.#now + limitMs, () => settled))) {
      throw new VirtualTimeLimitError(
        `expected the promise to settle within ${limitMs} ms of virtual time, found it pending at ${this.#now} ms: raise limitMs, or look for something that waits for real time`,
      );
    }
    return promise;
  }

  /** Fires timers until none is left. Never ends where something periodic runs, hence the limit. */
  async run(options: RunOptions = {}): Promise<void> {
    await this.runUntil(() => this.#timers.size === 0, options);
  }

  /** Fires what falls due up to `end` unless `reached` holds earlier; says whether it did. */
  async #run(end: number, reached: () => boolean): Promise<boolean> {
    if (this.#running) {
      throw new Error(
        'expected one caller at a time to let virtual time pass, found a second one: await the first before the next',
      );
    }
    this.#running = true;
    try {
      await comeToRest();
      while (!reached()) {
        const timer = this.#timers.takeNext(end);
        if (timer === undefined) {
          this.#now = Math.max(this.#now, end);
          return false;
        }
        this.#now = Math.max(this.#now, timer.due);
        timer.callback();
        await comeToRest();
      }
      return true;
    } finally {
      this.#running = false;
    }
  }
}

/** How many turns clocks are waiting for right now: several may run in one process, and none is another's work. */
let turnsUnderWay = 0;

/** Turns the event loop until nothing but I/O and native timers could go on by itself. */
async function comeToRest(): Promise<void> {
  for (let turns = 0; turns < maximumTurns; turns++) {
    await nextTurn();
    // An immediate of somebody else's is work that is still to be done; ours has just been taken off the list.
    const immediates = process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate').length;
    if (immediates <= turnsUnderWay) return;
  }
  throw new Error(
    `expected the code under test to come to rest, found it still yielding after ${maximumTurns} turns: look for a loop on setImmediate that never sleeps on the clock`,
  );
}

function nextTurn(): Promise<void> {
  turnsUnderWay++;
  return new Promise((resolve) => {
    setImmediate(() => {
      turnsUnderWay--;
      resolve();
    });
  });
}

/** A binary heap of timers: the earliest first, then by order, then by sequence. */
class TimerQueue {
  readonly #heap: VirtualTimer[] = [];
  #cancelled = 0;

  get size(): number {
    return this.#heap.length - this.#cancelled;
  }

  add(timer: VirtualTimer): void {
    let index = this.#heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Cancelled timers stay in the heap until they come to its top, or until they are most of it. */
  cancel(timer: VirtualTimer): void {
    if (timer.cancelled) return;
    timer.cancelled = true;
    this.#cancelled++;
    if (this.#cancelled > 1_000 && this.#cancelled * 2 > this.#heap.length) this.#sweep();
  }

  /** Removes and returns the first timer unless it is due after `end`. */
  takeNext(end: number): VirtualTimer | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return undefined;
      if (!first.cancelled && first.due > end) return undefined;
      this.#removeFirst();
      if (!first.cancelled) {
        // From now on cancelling it must change nothing, the count of cancelled timers included.
        first.cancelled = true;
        return first;
      }
      this.#cancelled--;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    let index = 0;
    for (;;) {
      let least = index;
      for (const child of [2 * index + 1, 2 * index + 2]) {
        if (child < this.#heap.length && this.#before(child, least)) least = child;
      }
      if (least === index) return;
      this.#swap(index, least);
      index = least;
    }
  }

  #sweep(): void {
    const live = this.#heap.filter((timer) => !timer.cancelled);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const timer of live) this.add(timer);
  }

  #before(left: number, right: number): boolean {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return false;
    return (a.due - b.due || a.order - b.order || a.sequence - b.sequence) < 0;
  }

  #swap(left: number, right: number): void {
    const a = this.#heap[left];
    const b = this.#heap[right];
    if (a === undefined || b === undefined) return;
    this.#heap[left] = b;
    this.#heap[right] = a;
  }
}
