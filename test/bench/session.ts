// What every case is given: a way to end early, somewhere to say how far it is, and where findings go.
import type { Findings } from './rows.ts';

export interface Session {
  /** Ctrl-C. */
  readonly signal: AbortSignal;
  readonly findings: Findings;
  /** For people who wait: to stderr, so that output is the findings alone. */
  say(sentence: string): void;
}

/** @throws the signal's reason when it is aborted meanwhile */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Looks every so often until there is an answer; undefined when there is none in time. */
export async function until<T>(
  look: () => Promise<T | undefined> | T | undefined,
  options: { readonly limitMs: number; readonly everyMs?: number; readonly signal: AbortSignal },
): Promise<T | undefined> {
  const end = performance.now() + options.limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() >= end) return undefined;
    await sleep(options.everyMs ?? 250, options.signal);
  }
}
