// Collects observations from everywhere, in the order in which they were made, and lets the story wait for one.
import { DemoFailure } from '../failure.ts';
import type { Entry, Observation, ObservationKind } from './observation.ts';

export class Journal {
  readonly #now: () => number;
  readonly #entries: Entry[] = [];
  readonly #listeners = new Set<(entry: Entry) => void>();

  /** @param now - Stamps entries, in monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Listeners are called at once, in the order in which they came. */
  onEntry(listener: (entry: Entry) => void): void {
    this.#listeners.add(listener);
  }

  note(observation: Observation): void {
    const entry = { ...observation, at: this.#now() };
    this.#entries.push(entry);
    for (const listener of [...this.#listeners]) listener(entry);
  }

  /**
   * Waits until `look` finds what it looks for; it is asked now and after every further entry.
   *
   * @param what - Completes "waited 60 s in vain until ...".
   * @throws DemoFailure after `timeoutMs`; whatever `look` throws; the signal's reason when it aborts.
   */
  async until<T>(
    what: string,
    look: (entries: readonly Entry[]) => T | undefined,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<T> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const ask = (): void => {
      try {
        const found = look(this.#entries);
        if (found !== undefined) resolve(found);
      } catch (error) {
        reject(error);
      }
    };
    const onAbort = (): void => reject(signal.reason);
    const timer = setTimeout(() => {
      reject(new DemoFailure(`waited ${Math.round(timeoutMs / 1_000)} s in vain until ${what}`));
    }, timeoutMs);
    this.#listeners.add(ask);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      ask();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(ask);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** The latest entry of a kind that satisfies `where`. */
export function latest<K extends ObservationKind>(
  entries: readonly Entry[],
  kind: K,
  where: (entry: Entry<K>) => boolean = () => true,
): Entry<K> | undefined {
  return entries.findLast((entry): entry is Entry<K> => isOf(entry, kind) && where(entry));
}

/** The first entry of a kind that satisfies `where`. */
export function first<K extends ObservationKind>(
  entries: readonly Entry[],
  kind: K,
  where: (entry: Entry<K>) => boolean = () => true,
): Entry<K> | undefined {
  return entries.find((entry): entry is Entry<K> => isOf(entry, kind) && where(entry));
}

function isOf<K extends ObservationKind>(entry: Entry, kind: K): entry is Entry<K> {
  return entry.kind === kind;
}
