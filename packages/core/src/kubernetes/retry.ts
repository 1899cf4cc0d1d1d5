// Repeats what may be repeated: reads, and writes that are conditional on what they change. Driven by the injected
// clock, which is why this is not p-retry: that one sleeps on Node.js' own timers.
import { type Clock, type Random, sleep } from '../time/clock.ts';
import { Backoff } from './backoff.ts';
import { KubernetesError, RequestTimeoutError } from './errors.ts';
import { TransportError } from './transport.ts';

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How often to try in all, the first time included. */
  readonly attempts: number;
  /** Ends the waiting between two attempts; the last error is thrown then. */
  readonly signal?: AbortSignal | undefined;
}

/** A server that asks for more patience than this is not obeyed: the caller should hear of its trouble first. */
const longestRetryAfterMs = 60_000;

/** Whether the same call may well succeed a little later: no answer, too slow, too busy, or an error of the server's. */
export function isTransient(error: unknown): boolean {
  if (error instanceof TransportError || error instanceof RequestTimeoutError) return true;
  return error instanceof KubernetesError && (error.status === 429 || error.status >= 500);
}

/** What the server asked for in its `Retry-After`, capped at a minute; 0 when it asked for nothing. */
export function askedDelayMs(error: unknown): number {
  if (!(error instanceof KubernetesError) || error.retryAfterMs === undefined) return 0;
  return Math.min(error.retryAfterMs, longestRetryAfterMs);
}

/** Calls `attempt` until it succeeds, fails for good, or has been tried often enough; then its last error is thrown. */
export async function retryTransient<T>(options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock, random, attempts, signal } = options;
  const backoff = new Backoff({ baseMs: 250, maxMs: 8000 }, random);
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const delayMs = Math.max(backoff.next(), askedDelayMs(error));
      if (backoff.failures >= attempts || !isTransient(error)) throw error;
      if (!(await sleep(clock, delayMs, signal))) throw error;
    }
  }
}
