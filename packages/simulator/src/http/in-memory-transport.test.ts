import { createReader, nodes, Reflector, TransportError } from '@liberator/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault, FaultEffect } from '../faults/fault.ts';
import { Faults } from '../faults/faults.ts';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import type { ServerStore } from '../store/store.ts';
import { between, pick, seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { createApiHandler } from './handler.ts';
import { createInMemoryTransport } from './in-memory-transport.ts';

const context = { user: 'test' };

function open(seed = 1): {
  clock: VirtualClock;
  store: ServerStore;
  faults: Faults;
  transport: ReturnType<typeof createInMemoryTransport>;
} {
  const clock = new VirtualClock();
  const store = createStore({ clock, random: seededRandom(`${seed}/store`) });
  const faults = new Faults({
    clock,
    random: seededRandom(`${seed}/faults`),
    currentVersion: () => store.resourceVersion(),
  });
  return {
    clock,
    store,
    faults,
    transport: createInMemoryTransport(faults.wrap(createApiHandler({ store, clock }))),
  };
}

describe('the in-memory transport', () => {
  const get = (signal = new AbortController().signal) => ({
    method: 'GET' as const,
    path: '/api/v1/nodes',
    signal,
  });

  it('sends nothing when the request is aborted, or when beforeSend throws', async () => {
    const { transport, store } = open();
    const post = { method: 'POST' as const, path: '/api/v1/nodes', body: '{"metadata":{"name":"a"}}' };
    const aborted = AbortSignal.abort(new Error('too late'));
    await expect(transport.send({ ...post, signal: aborted })).rejects.toThrow('too late');
    const beforeSend = (): void => {
      throw new Error('the term has ended');
    };
    const { signal } = new AbortController();
    await expect(transport.send({ ...post, signal, beforeSend })).rejects.toThrow('the term has ended');
    expect(store.list(resources.nodes)).toEqual([]);
  });

  it('fails with the reason of the signal, before and within the body', async () => {
    const { transport, faults, clock } = open();
    const abort = new AbortController();
    const { body } = await transport.send({ ...get(abort.signal), path: '/api/v1/nodes?watch=true' });
    const reading = body[Symbol.asyncIterator]().next();
    abort.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    faults.add({ effect: { kind: 'hang' } });
    const second = new AbortController();
    const sending = transport.send(get(second.signal));
    await clock.advance(10);
    second.abort(new Error('no patience'));
    await expect(sending).rejects.toThrow('no patience');
  });

  it('ends what is open when it closes, and takes nothing more', async () => {
    const { transport } = open();
    const { body } = await transport.send({ ...get(), path: '/api/v1/nodes?watch=true' });
    const reading = body[Symbol.asyncIterator]().next();
    await transport.close();
    await expect(reading).rejects.toBeInstanceOf(TransportError);
    await expect(transport.send(get())).rejects.toMatchObject({ sent: false });
    await transport.close();
  });

  it('says when to come back', async () => {
    const { transport, faults } = open();
    faults.add({ effect: { kind: 'answer', code: 503, retryAfterSeconds: 3 } });
    expect(await transport.send(get())).toMatchObject({ status: 503, retryAfterMs: 3_000 });
  });
});

const effects: readonly FaultEffect[] = [
  { kind: 'refuse' },
  { kind: 'hang' },
  { kind: 'delay', ms: 2_000, jitterMs: 5_000 },
  { kind: 'answer', code: 429, retryAfterSeconds: 2 },
  { kind: 'answer', code: 500 },
  { kind: 'drop', moment: 'after' },
  { kind: 'drop', moment: 'within' },
  { kind: 'stall' },
  { kind: 'cut', afterMs: 3_000 },
  { kind: 'expire' },
];

describe("the library's own reflector on the simulator", () => {
  it('holds what the store holds once the trouble is over, whatever the trouble was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const { clock, store, faults, transport } = open(seed);
        const random = seededRandom(`${seed}/story`);
        const reflector = new Reflector({
          reader: createReader({ transport, clock, random: seededRandom(`${seed}/reader`) }),
          resource: nodes,
          project: ({ metadata }) => ({ metadata }),
          handlers: { onError: () => {} },
          clock,
          random: seededRandom(`${seed}/reflector`),
          pageSize: 3,
        });
        reflector.start();
        for (let turn = 0; turn < 30; turn++) {
          const effect = pick(random, effects);
          const fault: Fault | undefined = effect && {
            effect,
            forMs: between(random, 100, 60_000),
            probability: between(random, 0.2, 1),
          };
          if (fault !== undefined) faults.add(fault);
          for (let changes = between(random, 0, 5); changes > 0; changes--)
            change(store, `n${Math.floor(between(random, 0, 8))}`);
          if (random.next() < 0.1) store.compact();
          await clock.advance(between(random, 100, 20_000));
        }
        faults.clear();
        await clock.advance(180_000);
        const held = [...reflector.items().values()].map(({ metadata }) => metadata).sort(byName);
        const stored = store
          .list(resources.nodes)
          .map(({ metadata }) => metadata)
          .sort(byName);
        expect(held.map(({ uid, resourceVersion }) => [uid, resourceVersion])).toEqual(
          stored.map(({ uid, resourceVersion }) => [uid, resourceVersion]),
        );
        await reflector.stop();
        await transport.close();
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

/** Makes it, changes it or takes it away. */
function change(store: ServerStore, name: string): void {
  const found = store.find(resources.nodes, undefined, name);
  if (found === undefined) {
    store.create(resources.nodes, { metadata: { name } }, context);
  } else if (found.metadata.labels === undefined) {
    store.update(resources.nodes, { ...found, metadata: { ...found.metadata, labels: { a: 'b' } } }, context);
  } else {
    store.delete(resources.nodes, undefined, name, {}, context);
  }
}
