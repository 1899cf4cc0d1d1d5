// The changes of one kind, kept for a while, so that a watch can go on where it broke off and a list can look back.
import { tooOldToWatch } from './status-error.ts';
import type { StoredObject, VersionedEvent } from './store.ts';

/** The latest changes of one kind of object, oldest first; the oldest fall out when there are too many. */
export class History {
  readonly #limit: number;
  #events: VersionedEvent[] = [];
  /** Where the kept events begin in `events`; moving it is cheaper than shifting the array each time. */
  #first = 0;
  /** Changes up to this resourceVersion may have been forgotten. */
  #forgottenUpTo: number;

  constructor(limit: number, startsAt: number) {
    this.#limit = limit;
    this.#forgottenUpTo = startsAt;
  }

  append(event: VersionedEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#first <= this.#limit) return;
    this.#forgottenUpTo = this.#events[this.#first]?.resourceVersion ?? this.#forgottenUpTo;
    this.#first += 1;
    if (this.#first > this.#limit) {
      this.#events = this.#events.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Forgets everything up to `resourceVersion`. */
  forget(resourceVersion: number): void {
    this.#events = this.#events.slice(this.#indexAfter(resourceVersion));
    this.#first = 0;
    this.#forgottenUpTo = Math.max(this.#forgottenUpTo, resourceVersion);
  }

  /** @throws StatusError 410 when a change after `resourceVersion` has been forgotten. */
  after(resourceVersion: number, limit: number = Number.POSITIVE_INFINITY): readonly VersionedEvent[] {
    if (resourceVersion < this.#forgottenUpTo) throw tooOldToWatch(resourceVersion, this.#forgottenUpTo);
    const from = this.#indexAfter(resourceVersion);
    return this.#events.slice(from, from + limit);
  }

  /**
   * Takes the changes after `resourceVersion` back out of `current`, newest first.
   *
   * @throws StatusError 410 as {@link History.after} does.
   */
  rewind(
    current: ReadonlyMap<string, StoredObject>,
    keyOf: (object: StoredObject) => string,
    resourceVersion: number,
  ): Map<string, StoredObject> {
    const state = new Map(current);
    for (const { object, previous } of this.after(resourceVersion).toReversed()) {
      if (previous === undefined) state.delete(keyOf(object));
      else state.set(keyOf(object), previous);
    }
    return state;
  }

  /** The index of the first kept event that is newer. */
  #indexAfter(resourceVersion: number): number {
    let low = this.#first;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.resourceVersion ?? 0) > resourceVersion) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
