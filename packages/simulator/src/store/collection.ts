// The objects of one kind and who wants to know about them.
import { History } from './history.ts';
import type { StoredObject, VersionedEvent } from './store.ts';

/** Namespace and name as etcd orders them; a slash sorts before every letter a name may have, but after `-` and `.`. */
export function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/** {@link keyOf} an object. */
export function keyOfObject(object: StoredObject): string {
  return keyOf(object.metadata.namespace, object.metadata.name);
}

/** One kind's objects, their recent changes, and the listeners. */
export class Collection {
  readonly objects: Map<string, StoredObject> = new Map();
  readonly history: History;
  /** Told within the write. */
  readonly changed: Set<() => void> = new Set();
  /** Told later, each change on its own. */
  readonly watchers: Set<(event: VersionedEvent) => void> = new Set();
  /** Kept apart from the list, as most changes leave the keys alone. */
  #keys: readonly string[] | undefined;
  #list: readonly StoredObject[] | undefined;

  constructor(historyLimit: number, startsAt: number) {
    this.history = new History(historyLimit, startsAt);
  }

  /** All objects in the order of their keys. */
  inOrder(): readonly StoredObject[] {
    this.#keys ??= [...this.objects.keys()].sort();
    this.#list ??= this.#keys.flatMap((key) => this.objects.get(key) ?? []);
    return this.#list;
  }

  apply(event: VersionedEvent): void {
    const key = keyOfObject(event.object);
    if (event.type === 'DELETED') this.objects.delete(key);
    else this.objects.set(key, event.object);
    this.#list = undefined;
    if (event.type !== 'MODIFIED') this.#keys = undefined;
    this.history.append(event);
    for (const listener of this.changed) listener();
  }
}

/** The values of `objects` in the order of their keys. */
export function inKeyOrder(objects: ReadonlyMap<string, StoredObject>): readonly StoredObject[] {
  const entries = [...objects].sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([, object]) => object);
}
