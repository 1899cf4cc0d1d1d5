// Tells watchers of changes: in order, and never while the writer is still at it.
import type { VersionedEvent } from './store.ts';

type Watchers = ReadonlySet<(event: VersionedEvent) => void>;

/** One queue for all kinds, so that their changes keep their order. */
export class Delivery {
  readonly #waiting: { readonly watchers: Watchers; readonly event: VersionedEvent }[] = [];
  #underWay = false;

  /** Tells all of `watchers`, in a turn of its own. */
  add(watchers: Watchers, event: VersionedEvent): void {
    if (watchers.size === 0) return;
    this.#waiting.push({ watchers, event });
    if (this.#underWay) return;
    this.#underWay = true;
    queueMicrotask(() => this.#next());
  }

  /** One change a turn: a watcher that writes sees the others informed of the earlier change first. */
  #next(): void {
    const next = this.#waiting.shift();
    this.#underWay = this.#waiting.length > 0;
    if (this.#underWay) queueMicrotask(() => this.#next());
    if (next === undefined) return;
    for (const watcher of next.watchers) watcher(next.event);
  }
}
