// The pure part of a reflector: what changes between one known state and the next. Objects are the same when their uid
// is; a name can be taken by another object while nobody looks.
import type { ObjectMeta } from './objects.ts';

/** What a projection must keep. */
export interface CacheObject {
  /** By which objects are told apart, and versions of one object. */
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'uid' | 'resourceVersion'>;
}

export type ReflectedChange<V> =
  | { readonly type: 'added'; readonly value: V }
  | { readonly type: 'updated'; readonly previous: V; readonly value: V }
  | { readonly type: 'deleted'; readonly value: V };

/** `namespace/name`, or `name` alone for cluster-scoped objects. */
export function keyOf(value: CacheObject): string {
  const { namespace, name } = value.metadata;
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

export class ReflectedItems<V extends CacheObject> {
  readonly #items = new Map<string, V>();

  get all(): ReadonlyMap<string, V> {
    return this.#items;
  }

  /** Takes over one event of a watch. */
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', value: V): ReflectedChange<V>[] {
    const key = keyOf(value);
    const known = this.#items.get(key);
    if (type !== 'DELETED') {
      this.#items.set(key, value);
      return changesBetween(known, value);
    }
    // Another object took the name: the one that this event is about has been reported deleted already.
    if (known === undefined || known.metadata.uid !== value.metadata.uid) return [];
    this.#items.delete(key);
    return [{ type: 'deleted', value }];
  }

  /** Takes over a complete list: whatever is not in it was deleted. Deletes come first. */
  replace(listed: ReadonlyMap<string, V>): ReflectedChange<V>[] {
    const changes: ReflectedChange<V>[] = [];
    for (const [key, known] of this.#items) {
      if (listed.has(key)) continue;
      this.#items.delete(key);
      changes.push({ type: 'deleted', value: known });
    }
    for (const [key, value] of listed) {
      changes.push(...changesBetween(this.#items.get(key), value));
      this.#items.set(key, value);
    }
    return changes;
  }
}

function changesBetween<V extends CacheObject>(known: V | undefined, value: V): ReflectedChange<V>[] {
  if (known === undefined) return [{ type: 'added', value }];
  if (known.metadata.uid !== value.metadata.uid) {
    return [
      { type: 'deleted', value: known },
      { type: 'added', value },
    ];
  }
  if (known.metadata.resourceVersion === value.metadata.resourceVersion) return [];
  return [{ type: 'updated', previous: known, value }];
}
