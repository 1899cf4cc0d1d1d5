// Time and chance as ports, so that a test can live a simulated week in a second and replay any run from its seed.

/** What {@link Clock.setTimeout} returns and {@link Clock.clearTimeout} takes back. Opaque. */
export type TimerHandle = object;

/**
 * The only source of time in this library.
 *
 * Decisions use {@link Clock.now}, which is monotonic; records meant for people and for Kubernetes use
 * {@link Clock.wallTime}. The two must never be mixed: wall time jumps.
 */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin. Never goes backwards. */
  now(): number;
  /** Milliseconds since the Unix epoch. May jump in both directions. */
  wallTime(): number;
  /**
   * Calls `callback` once, at the earliest `delayMs` from now. What is no positive number (zero, a negative one, NaN)
   * means "as soon as possible, but not synchronously". Delays beyond what the platform's timers can hold are cut into
   * pieces, never fired early; `Infinity` never fires.
   */
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  /** Cancels a timer. Cancelling one that fired or was cancelled before does nothing. */
  clearTimeout(handle: TimerHandle | undefined): void;
}

/** The only source of chance in this library: jitter and nothing else. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Node.js fires a timer beyond this many milliseconds at once instead of late, and warns on stderr. */
const longestNativeDelayMs = 2 ** 31 - 1;

class NativeTimer {
  native: NodeJS.Timeout | undefined;
}

/** Real time: `performance.now()`, `Date.now()` and Node.js' timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimeout(callback, delayMs) {
    const timer = new NativeTimer();
    const due = performance.now() + Math.max(delayMs || 0, 0);
    const arm = (): void => {
      // Time goes on between any two looks at it, so what is left may be less than nothing: Node.js would warn of that.
      const piece = Math.min(Math.max(Math.ceil(due - performance.now()), 0), longestNativeDelayMs);
      // Node.js counts in whole milliseconds of its own, and so fires up to two of them early.
      timer.native = setTimeout(() => (performance.now() < due ? arm() : callback()), piece);
    };
    arm();
    return timer;
  },
  clearTimeout(handle) {
    if (handle instanceof NativeTimer) clearTimeout(handle.native);
  },
};

/** `Math.random()`. */
export const systemRandom: Random = { next: () => Math.random() };

/**
 * Resolves after `delayMs` of the given clock, or as soon as `signal` aborts; it never rejects. Returns whether the
 * whole delay passed.
 *
 * `timers/promises` and `AbortSignal.timeout` can't be driven by virtual time; this can.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const settle = (whole: boolean): void => {
      signal?.removeEventListener('abort', onAbort);
      clock.clearTimeout(timer);
      resolve(whole);
    };
    const onAbort = (): void => settle(false);
    const timer = clock.setTimeout(() => settle(true), delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
