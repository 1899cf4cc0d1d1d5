// Waits for programs to become ready, and says why when they don't: the end of their log says it best.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from './cluster-error.ts';
import { type ProcessRecord, processState } from './process-guard.ts';

export interface WaitOptions {
  /** Default 60 s. */
  timeoutMs?: number | undefined;
  /** Between two looks. Default 100 ms. */
  intervalMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Calls `look` until it returns something other than undefined. A look that throws counts as "not yet"; its error
 * becomes the cause of the timeout.
 */
export async function waitUntil<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = 60_000, intervalMs = 100, signal } = options;
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const seen = await look();
      if (seen !== undefined) {
        return seen;
      }
    } catch (error) {
      if (error instanceof ClusterError && error.code === 'component-failed') {
        throw error;
      }
      cause = error;
    }
    if (performance.now() > deadline) {
      const reason = cause instanceof Error ? ` Last seen: ${cause.message}` : '';
      throw new ClusterError('component-failed', `${what}: not so after ${timeoutMs / 1000} s.${reason}`, {
        cause,
      });
    }
    await sleep(intervalMs, undefined, { signal });
  }
}

/** Throws, with the end of its log, when the program has ended. */
export function checkStillRuns(name: string, record: ProcessRecord, logPath: string): void {
  if (processState(record) === 'gone') {
    throw new ClusterError(
      'component-failed',
      `${name} ended by itself. Its log ends so:\n${logTail(logPath)}`,
    );
  }
}

/** The last lines of a log, for an error message that outlives the log. */
export function logTail(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
  } catch {
    return `(${path} cannot be read)`;
  }
}
