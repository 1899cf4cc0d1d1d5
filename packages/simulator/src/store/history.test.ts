import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { createStore } from './memory-store.ts';
import { resources } from './resources.ts';
import { StatusError } from './status-error.ts';
import type { ServerStore, StoredObject } from './store.ts';

const context = { user: 'test' };

type Step =
  | { readonly do: 'create' | 'delete' | 'finish'; readonly name: string }
  | { readonly do: 'label'; readonly name: string; readonly value: string };

const name = fc.constantFrom('a', 'b', 'c', 'd');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('create' as const, 'delete' as const, 'finish' as const), name }),
  fc.record({ do: fc.constant('label' as const), name, value: fc.constantFrom('1', '2') }),
);

/** Does it, or is refused: both are part of a history. */
function take(store: ServerStore, one: Step): void {
  const type = resources.configmaps;
  try {
    switch (one.do) {
      case 'create':
        store.create(
          type,
          { metadata: { name: one.name, namespace: 'default', finalizers: ['example.com/a'] } },
          context,
        );
        break;
      case 'delete':
        store.delete(type, 'default', one.name, {}, context);
        break;
      case 'finish':
        store.modify<{ metadata: { finalizers?: string[] } }>(
          type,
          'default',
          one.name,
          (draft) => {
            draft.metadata.finalizers = [];
            return true;
          },
          context,
        );
        break;
      case 'label':
        store.modify<{ metadata: { labels?: object } }>(
          type,
          'default',
          one.name,
          (draft) => {
            draft.metadata.labels = { value: one.value };
            return true;
          },
          context,
        );
        break;
    }
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
  }
}

const open = (historyLimit?: number): ServerStore =>
  createStore({
    clock: new VirtualClock(),
    random: seededRandom(1),
    ...(historyLimit === undefined ? {} : { historyLimit }),
  });

function byName(objects: readonly StoredObject[]): Map<string, StoredObject> {
  return new Map(objects.map((object) => [object.metadata.name, object]));
}

describe('the history of a kind', () => {
  it('leads from the state at any resourceVersion to the present', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = open();
        const moments = [{ version: store.resourceVersion(), objects: store.list(resources.configmaps) }];
        for (const one of steps) {
          take(store, one);
          moments.push({ version: store.resourceVersion(), objects: store.list(resources.configmaps) });
        }
        const present = byName(store.list(resources.configmaps));
        for (const { version, objects } of moments) {
          expect(store.snapshot(resources.configmaps, version).objects).toEqual(objects);
          const state = byName(objects);
          for (const { type, object, previous } of store.eventsAfter(resources.configmaps, version, 1_000)) {
            expect(previous).toEqual(state.get(object.metadata.name));
            if (type === 'DELETED') state.delete(object.metadata.name);
            else state.set(object.metadata.name, object);
          }
          expect(state).toEqual(present);
        }
      }),
    );
  });

  it('gives each change a larger resourceVersion, whatever its kind', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const store = open();
        const start = store.resourceVersion();
        for (const one of steps) take(store, one);
        const versions = store
          .eventsAfter(resources.configmaps, start, 1_000)
          .map((event) => event.resourceVersion);
        expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
        expect(versions.at(-1) ?? start).toBe(store.resourceVersion());
      }),
    );
  });

  it('says 410 rather than leave changes out', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 10 }), (steps, limit) => {
        const [complete, limited] = [open(), open(limit)];
        for (const one of steps) {
          take(complete, one);
          take(limited, one);
        }
        for (let version = complete.resourceVersion(); version >= 0; version--) {
          let kept: unknown;
          try {
            kept = limited.eventsAfter(resources.configmaps, version, 1_000);
          } catch (error) {
            expect((error as StatusError).status).toMatchObject({ code: 410, reason: 'Expired' });
            continue;
          }
          expect(kept).toEqual(complete.eventsAfter(resources.configmaps, version, 1_000));
        }
      }),
    );
  });
});
