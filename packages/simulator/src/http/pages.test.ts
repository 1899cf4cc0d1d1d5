import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import { StatusError } from '../store/status-error.ts';
import type { ServerStore } from '../store/store.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import { listPage } from './pages.ts';
import type { ResourceRoute } from './route.ts';

const context = { user: 'test' };

interface Page {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly { readonly metadata: { readonly name: string; readonly namespace: string } }[];
}

const open = (): ServerStore => createStore({ clock: new VirtualClock(), random: seededRandom(1) });

function page(store: ServerStore, query: Record<string, string>, namespace?: string): Page {
  const route: ResourceRoute = {
    kind: 'resource',
    type: resources.leases,
    query: new URLSearchParams(query),
    ...(namespace === undefined ? {} : { namespace }),
  };
  return listPage(store, route) as Page;
}

const namespaceOf = fc.constantFrom('default', 'kube-system', 'kube-public');
const leaseName = fc.stringMatching(/^[a-c]([-.]?[a-c]){0,3}$/);

describe('the pages of a list', () => {
  it('together are the list as it was at the first, whatever happens in between', () => {
    const lease = fc.tuple(namespaceOf, leaseName);
    fc.assert(
      fc.property(
        fc.uniqueArray(lease, { selector: (one) => one.join('/'), maxLength: 20 }),
        fc.array(fc.tuple(lease, fc.boolean())),
        fc.integer({ min: 1, max: 5 }),
        (leases, changes, limit) => {
          const store = open();
          for (const [namespace, name] of leases)
            store.create(resources.leases, { metadata: { namespace, name } }, context);
          const all = page(store, {}).items;
          const pending = [...changes];
          const seen: unknown[] = [];
          let token: string | undefined;
          do {
            const next: Page = page(store, {
              limit: String(limit),
              ...(token === undefined ? {} : { continue: token }),
            });
            seen.push(...next.items);
            expect(next.metadata.remainingItemCount ?? 0).toBe(all.length - seen.length);
            token = next.metadata.continue;
            const change = pending.pop();
            if (change !== undefined) disturb(store, ...change);
          } while (token !== undefined);
          expect(seen).toEqual(all);
        },
      ),
    );
  });

  it('go on with the present, from where they broke off, when their moment is forgotten', () => {
    const store = open();
    for (const name of ['a', 'b', 'c', 'd'])
      store.create(resources.leases, { metadata: { namespace: 'default', name } }, context);
    const first = page(store, { limit: '2' });
    store.delete(resources.leases, 'default', 'c', {}, context);
    store.compact();
    let rest = '';
    try {
      page(store, { limit: '2', continue: first.metadata.continue ?? '' });
    } catch (error) {
      rest = (error as StatusError).status.metadata.continue ?? '';
    }
    const names = page(store, { limit: '2', continue: rest }).items.map((item) => item.metadata.name);
    expect(names).toEqual(['d']);
  });

  it('leave out what is in other namespaces, from tokens as well', () => {
    const store = open();
    for (const namespace of ['default', 'kube-system']) {
      for (const name of ['a', 'b'])
        store.create(resources.leases, { metadata: { namespace, name } }, context);
    }
    const first = page(store, { limit: '1' }, 'default');
    const second = page(store, { limit: '5', continue: first.metadata.continue ?? '' }, 'default');
    expect(second.items.map((item) => item.metadata)).toMatchObject([{ namespace: 'default', name: 'b' }]);
  });
});

describe('a continue token', () => {
  it('is read back as it was written, and fits into a URL', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1 }),
        fc.string({ minLength: 1 }).filter((text) => !text.includes('\0')),
        (resourceVersion, after) => {
          const text = encodeContinue({ resourceVersion, after });
          expect(encodeURIComponent(text)).toBe(text);
          expect(decodeContinue(text)).toEqual({ resourceVersion, after });
        },
      ),
    );
  });

  it('is refused with 400 when it is anything else', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          decodeContinue(text);
          expect.unreachable('expected a refusal');
        } catch (error) {
          expect(error).toBeInstanceOf(StatusError);
          expect((error as StatusError).status.code).toBe(400);
        }
      }),
    );
  });
});

function disturb(store: ServerStore, [namespace, name]: [string, string], add: boolean): void {
  try {
    if (add) store.create(resources.leases, { metadata: { namespace, name } }, context);
    else store.delete(resources.leases, namespace, name, {}, context);
  } catch (error) {
    // What is there can't be made, and what isn't can't be deleted: no disturbance then.
    if (!(error instanceof StatusError)) throw error;
  }
}
