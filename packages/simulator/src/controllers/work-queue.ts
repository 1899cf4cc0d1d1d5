// What is to be looked at again, once per key and not more often than needed: the heart of a level-based controller.
import type { TimerHandle } from '@liberator/core';
import { type ControllerContext, isRefusal } from './controller.ts';

const firstRetryMs = 100;
const longestRetryMs = 60_000;

/**
 * Calls `reconcile` with each key that was added, a moment after it was added and once for any number of additions.
 * When it throws the key comes back later, after waits that double; refusals of the store are expected, anything else
 * is reported.
 */
export class WorkQueue {
  readonly #context: ControllerContext;
  readonly #where: string;
  readonly #reconcile: (key: string) => void;
  readonly #waiting = new Map<string, { readonly due: number; readonly timer: TimerHandle }>();
  readonly #failures = new Map<string, number>();
  #stopped = false;

  constructor(context: ControllerContext, where: string, reconcile: (key: string) => void) {
    this.#context = context;
    this.#where = where;
    this.#reconcile = reconcile;
  }

  /** Looks at `key` after `delayMs`, or earlier when it was added with less. Default: the controllers' reaction time. */
  add(key: string, delayMs: number = this.#context.timings.reactionMs): void {
    if (this.#stopped) return;
    const { clock } = this.#context;
    const due = clock.now() + delayMs;
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) {
      if (waiting.due <= due) return;
      clock.clearTimeout(waiting.timer);
    }
    this.#waiting.set(key, { due, timer: clock.setTimeout(() => this.#process(key), delayMs) });
  }

  /** Forgets `key` until it is added again. */
  remove(key: string): void {
    this.#context.clock.clearTimeout(this.#waiting.get(key)?.timer);
    this.#waiting.delete(key);
    this.#failures.delete(key);
  }

  stop(): void {
    this.#stopped = true;
    for (const key of [...this.#waiting.keys()]) this.remove(key);
  }

  #process(key: string): void {
    this.#waiting.delete(key);
    try {
      this.#reconcile(key);
      this.#failures.delete(key);
    } catch (error) {
      if (!isRefusal(error)) this.#context.report(error, `${this.#where} ${key}`);
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      this.add(key, Math.min(firstRetryMs * 2 ** failures, longestRetryMs));
    }
  }
}

/** `namespace/name`, or the name alone for what lives in no namespace. */
export function keyOf(object: {
  readonly metadata: { readonly namespace?: string; readonly name: string };
}): string {
  const { namespace, name } = object.metadata;
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The other way round. */
export function splitKey(key: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = key.indexOf('/');
  if (slash < 0) return { namespace: undefined, name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
