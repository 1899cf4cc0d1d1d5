import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CacheObject, keyOf, type ReflectedChange, ReflectedItems } from './reflected-items.ts';

const object = (
  name: string,
  uid = `uid-${name}`,
  resourceVersion = '1',
  namespace?: string,
): CacheObject => ({
  metadata: { name, uid, resourceVersion, ...(namespace === undefined ? {} : { namespace }) },
});
const listOf = (...values: CacheObject[]): Map<string, CacheObject> =>
  new Map(values.map((value) => [keyOf(value), value]));

test('keys are namespace/name, or the name alone', () => {
  expect(keyOf(object('web-0', 'u', '1', 'shop'))).toBe('shop/web-0');
  expect(keyOf(object('node-1'))).toBe('node-1');
});

describe('events', () => {
  test('add, update and delete', () => {
    const items = new ReflectedItems();
    const [one, two] = [object('a', 'u', '1'), object('a', 'u', '2')];
    expect(items.apply('ADDED', one)).toEqual([{ type: 'added', value: one }]);
    expect(items.apply('MODIFIED', two)).toEqual([{ type: 'updated', previous: one, value: two }]);
    expect(items.apply('DELETED', two)).toEqual([{ type: 'deleted', value: two }]);
    expect(items.all.size).toBe(0);
  });

  test('an event seen before changes nothing', () => {
    const items = new ReflectedItems();
    items.apply('ADDED', object('a'));
    expect(items.apply('ADDED', object('a'))).toEqual([]);
    expect(items.apply('MODIFIED', object('a'))).toEqual([]);
  });

  test('the same name with a new uid is another object', () => {
    const items = new ReflectedItems();
    const [old, young] = [object('a', 'old'), object('a', 'young')];
    items.apply('ADDED', old);
    expect(items.apply('MODIFIED', young)).toEqual([
      { type: 'deleted', value: old },
      { type: 'added', value: young },
    ]);
    expect(items.apply('DELETED', old)).toEqual([]);
    expect(items.all.get('a')).toBe(young);
  });

  test('the deletion of something unknown changes nothing', () => {
    expect(new ReflectedItems().apply('DELETED', object('a'))).toEqual([]);
  });
});

describe('a relist', () => {
  test('tells the deletes that were missed, before anything else', () => {
    const items = new ReflectedItems();
    for (const name of ['a', 'b', 'c']) items.apply('ADDED', object(name));
    const changed = object('b', 'uid-b', '2');
    const replaced = object('c', 'other');
    expect(items.replace(listOf(changed, replaced, object('d')))).toEqual([
      { type: 'deleted', value: object('a') },
      { type: 'updated', previous: object('b'), value: changed },
      { type: 'deleted', value: object('c') },
      { type: 'added', value: replaced },
      { type: 'added', value: object('d') },
    ]);
    expect([...items.all.keys()].sort()).toEqual(['b', 'c', 'd']);
  });

  test('of the same state changes nothing', () => {
    const items = new ReflectedItems();
    items.apply('ADDED', object('a'));
    expect(items.replace(listOf(object('a')))).toEqual([]);
  });
});

test('whatever happens, following the changes gives the same state as looking at it', () => {
  const value = fc
    .record({ name: fc.constantFrom('a', 'b', 'c'), uid: fc.constantFrom('1', '2', '3'), version: fc.nat(3) })
    .map(({ name, uid, version }) => object(name, uid, String(version)));
  const action = fc.oneof(
    fc.record({ type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED'), value }),
    fc.record({ type: fc.constant('LIST'), values: fc.uniqueArray(value, { selector: keyOf }) }),
  );
  fc.assert(
    fc.property(fc.array(action), (actions) => {
      const items = new ReflectedItems();
      /** By uid within name, as a handler sees it: everything is added once before it is updated or deleted. */
      const mirror = new Map<string, CacheObject>();
      const follow = (change: ReflectedChange<CacheObject>): void => {
        const id = `${keyOf(change.value)}#${change.value.metadata.uid}`;
        expect(mirror.has(id)).toBe(change.type !== 'added');
        if (change.type === 'updated') expect(change.previous).toEqual(mirror.get(id));
        if (change.type === 'deleted') mirror.delete(id);
        else mirror.set(id, change.value);
      };
      for (const step of actions) {
        const changes =
          'values' in step
            ? items.replace(listOf(...step.values))
            : items.apply(step.type as 'ADDED' | 'MODIFIED' | 'DELETED', step.value);
        for (const change of changes) follow(change);
        expect([...mirror.values()].sort(byName)).toEqual([...items.all.values()].sort(byName));
      }
    }),
  );
});

function byName(a: CacheObject, b: CacheObject): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
