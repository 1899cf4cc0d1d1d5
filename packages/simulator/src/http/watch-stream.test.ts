import { describe, expect, it } from 'vitest';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import type { ServerStore } from '../store/store.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { createApiHandler } from './handler.ts';
import { createInMemoryTransport } from './in-memory-transport.ts';

const context = { user: 'test' };
const minuteMs = 60_000;

interface Watcher {
  readonly lines: { type: string; object: { metadata: { name?: string; resourceVersion: string } } }[];
  /** When it ended, by the clock. */
  endedAt: number | undefined;
  close(): void;
}

function open(historyLimit = 10_000): {
  clock: VirtualClock;
  store: ServerStore;
  watch: (query: string) => Promise<Watcher>;
} {
  const clock = new VirtualClock();
  const store = createStore({ clock, random: seededRandom(1), historyLimit });
  const transport = createInMemoryTransport(createApiHandler({ store, clock }));
  const watch = async (query: string): Promise<Watcher> => {
    const abort = new AbortController();
    const watcher: Watcher = { lines: [], endedAt: undefined, close: () => abort.abort() };
    const path = `/api/v1/nodes?watch=true&${query}`;
    const { body } = await transport.send({ method: 'GET', path, signal: abort.signal });
    const read = async (): Promise<void> => {
      let text = '';
      for await (const chunk of body) {
        text += new TextDecoder().decode(chunk);
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        watcher.lines.push(...lines.map((line) => JSON.parse(line)));
      }
      watcher.endedAt = clock.now();
    };
    read().catch(() => {});
    await clock.advance(0);
    return watcher;
  };
  return { clock, store, watch };
}

const addNode = (store: ServerStore, name: string): unknown =>
  store.create(resources.nodes, { metadata: { name } }, context);
const told = ({ lines }: Watcher): string[] =>
  lines.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());

describe('a watch on virtual time', () => {
  it('tells news without any time passing', async () => {
    const { clock, store, watch } = open();
    const watcher = await watch('');
    addNode(store, 'a');
    await clock.advance(0);
    expect(told(watcher)).toEqual(['ADDED a']);
    watcher.close();
  });

  it('gets a bookmark each minute in which something happened anywhere', async () => {
    const { clock, store, watch } = open();
    const start = store.resourceVersion();
    const watcher = await watch(`allowWatchBookmarks=true&resourceVersion=${start}`);
    await clock.advance(5 * minuteMs);
    expect(watcher.lines).toEqual([]);
    store.create(resources.leases, { metadata: { name: 'a', namespace: 'default' } }, context);
    await clock.advance(3 * minuteMs);
    expect(told(watcher)).toEqual(['BOOKMARK', 'BOOKMARK', 'BOOKMARK']);
    expect(watcher.lines[0]?.object.metadata.resourceVersion).toBe(String(start + 1));
    watcher.close();
  });

  it('gets no bookmark that it did not ask for', async () => {
    const { clock, store, watch } = open();
    const watcher = await watch('');
    store.create(resources.leases, { metadata: { name: 'a', namespace: 'default' } }, context);
    await clock.advance(10 * minuteMs);
    expect(watcher.lines).toEqual([]);
    watcher.close();
  });

  it('gets a last bookmark two seconds before it ends', async () => {
    const { clock, store, watch } = open();
    const watcher = await watch('allowWatchBookmarks=true&timeoutSeconds=10');
    addNode(store, 'a');
    store.create(resources.leases, { metadata: { name: 'a', namespace: 'default' } }, context);
    await clock.advance(7_999);
    expect(told(watcher)).toEqual(['ADDED a']);
    await clock.advance(1);
    expect(told(watcher)).toEqual(['ADDED a', 'BOOKMARK']);
    await clock.advance(1_999);
    expect(watcher.endedAt).toBeUndefined();
    await clock.advance(1);
    expect(watcher.endedAt).toBe(10_000);
  });

  it('lasts three quarters of an hour when it names no time', async () => {
    const { clock, watch } = open();
    const watcher = await watch('');
    await clock.advance(60 * minuteMs);
    expect(watcher.endedAt).toBe(45 * minuteMs);
  });

  it('leaves no timer behind when its client hangs up', async () => {
    const { clock, watch } = open();
    const watcher = await watch('allowWatchBookmarks=true');
    expect(clock.pendingTimers).toBe(1);
    watcher.close();
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is ended, not lied to, when it reads more slowly than things change', async () => {
    const { clock, store } = open(10);
    const handler = createApiHandler({ store, clock });
    const abort = new AbortController();
    const path = `/api/v1/nodes?watch=true&resourceVersion=${store.resourceVersion()}`;
    const { body } = await handler({ method: 'GET', path, user: 'a', signal: abort.signal });
    const chunks = body[Symbol.asyncIterator]();
    addNode(store, 'first');
    expect(new TextDecoder().decode((await chunks.next()).value)).toContain('"first"');
    for (let count = 0; count < 20; count++) addNode(store, `n${count}`);
    expect((await chunks.next()).done).toBe(true);
  });

  it('catches up in order with more than fits into one chunk', async () => {
    const { clock, store, watch } = open();
    const start = store.resourceVersion();
    for (let count = 0; count < 350; count++) addNode(store, `n${count}`);
    const watcher = await watch(`resourceVersion=${start}`);
    await clock.advance(0);
    expect(told(watcher)).toEqual(Array.from({ length: 350 }, (_, count) => `ADDED n${count}`));
    watcher.close();
  });
});
