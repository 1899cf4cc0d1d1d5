import { type Transport, TransportError } from '@liberator/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEvent } from '../http/audit.ts';
import { createApiHandler } from '../http/handler.ts';
import { createInMemoryTransport } from '../http/in-memory-transport.ts';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import type { ServerStore } from '../store/store.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { Faults } from './faults.ts';

const context = { user: 'test' };
const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
const nodes = '/api/v1/nodes';

interface Answer {
  readonly status: number;
  readonly retryAfterMs?: number;
  readonly body: { items?: { metadata: { name: string } }[]; reason?: string };
}

let clock: VirtualClock;
let store: ServerStore;
let faults: Faults;
let audit: AuditEvent[];
let transport: Transport;
let transportOf: (user: string) => Transport;

beforeEach(() => {
  clock = new VirtualClock();
  store = createStore({ clock, random: seededRandom(1) });
  audit = [];
  const handler = createApiHandler({ store, clock, onAudit: (event) => audit.push(event) });
  faults = new Faults({ clock, random: seededRandom(2), currentVersion: () => store.resourceVersion() });
  const wrapped = faults.wrap(handler);
  transportOf = (user) => createInMemoryTransport(wrapped, { user });
  transport = transportOf('a');
});

afterEach(async () => {
  await transport.close();
});

async function call(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
  { through = transport, signal = new AbortController().signal } = {},
): Promise<Answer> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await through.send({ method, path, signal, ...sent });
  let text = '';
  for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
  return { ...answer, body: JSON.parse(text) };
}

const named = (name: string): object => ({ metadata: { name } });
const addNode = (name: string): unknown => store.create(resources.nodes, named(name), context);

async function failureOf(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TransportError) return error;
  throw new Error(`expected a TransportError, found ${String(error)}`);
}

interface Heard {
  readonly lines: string[];
  ended: boolean;
  failed: boolean;
  close(): void;
}

/** A watch that is read as fast as it comes. */
async function listen(query = '', through: Transport = transport): Promise<Heard> {
  const abort = new AbortController();
  const heard: Heard = { lines: [], ended: false, failed: false, close: () => abort.abort() };
  const path = `${nodes}?watch=true${query}`;
  const { body } = await through.send({ method: 'GET', path, signal: abort.signal });
  const read = async (): Promise<void> => {
    for await (const chunk of body) {
      const text = new TextDecoder().decode(chunk).trim();
      for (const line of text.split('\n')) {
        const { type, object } = JSON.parse(line);
        heard.lines.push(`${type} ${object.metadata.name ?? object.code}`);
      }
    }
    heard.ended = true;
  };
  void read().catch(() => {
    heard.failed = true;
  });
  await settle();
  return heard;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('without faults', () => {
  it('everything goes through', async () => {
    expect((await call('POST', leases, named('a'))).status).toBe(201);
    expect((await call('GET', leases)).body.items).toHaveLength(1);
  });
});

describe('refusing', () => {
  it('fails at once, certain that nothing was sent, and breaks what is open', async () => {
    const watch = await listen();
    const remove = faults.add({ effect: { kind: 'refuse' } });
    await settle();
    expect(watch.failed).toBe(true);
    expect((await failureOf(call('POST', leases, named('a')))).sent).toBe(false);
    remove();
    expect((await call('GET', leases)).body.items).toEqual([]);
    expect(audit.map((event) => event.verb)).toEqual(['watch', 'list']);
  });

  it('ends by itself after forMs', async () => {
    faults.add({ effect: { kind: 'refuse' }, forMs: 5_000 });
    await clock.advance(4_999);
    await failureOf(call('GET', leases));
    await clock.advance(1);
    expect((await call('GET', leases)).status).toBe(200);
  });
});

describe('hanging', () => {
  it('holds back answers and streams until it is over, then lets them go on', async () => {
    const watch = await listen();
    const remove = faults.add({ effect: { kind: 'hang' } });
    addNode('n1');
    let answered = false;
    const pending = call('POST', leases, named('a')).then((answer) => {
      answered = true;
      return answer;
    });
    await clock.advance(60_000);
    expect([answered, watch.lines, store.list(resources.leases)]).toEqual([false, [], []]);
    remove();
    expect((await pending).status).toBe(201);
    await settle();
    expect(watch.lines).toEqual(['ADDED n1']);
    watch.close();
  });

  it('does nothing for a client that gave up meanwhile', async () => {
    const remove = faults.add({ effect: { kind: 'hang' } });
    const abort = new AbortController();
    const pending = call('POST', leases, named('a'), { signal: abort.signal });
    abort.abort(new Error('too slow'));
    await expect(pending).rejects.toThrow('too slow');
    remove();
    await settle();
    expect(store.list(resources.leases)).toEqual([]);
  });
});

describe('a delay', () => {
  it('passes before the server hears of it', async () => {
    faults.add({ effect: { kind: 'delay', ms: 1_000 } });
    faults.add({ effect: { kind: 'delay', ms: 500, jitterMs: 100 } });
    const pending = call('POST', leases, named('a'));
    await clock.advance(1_499);
    expect(store.list(resources.leases)).toEqual([]);
    await clock.advance(101);
    expect((await pending).status).toBe(201);
  });
});

describe('a delay that outlives its sender', () => {
  it.each([
    [true, 1],
    [false, 0],
  ])('%s brings %i of the writes that were given up', async (outlivesSender, count) => {
    faults.add({ effect: { kind: 'delay', ms: 1_000, outlivesSender } });
    const abort = new AbortController();
    const pending = call('POST', leases, named('a'), { signal: abort.signal });
    abort.abort(new Error('too slow'));
    await expect(pending).rejects.toThrow('too slow');
    await clock.advance(1_000);
    expect(store.list(resources.leases)).toHaveLength(count);
  });
});

describe('an answer in the place of the server', () => {
  it('has the code, the reason and the time to come back', async () => {
    faults.add({ effect: { kind: 'answer', code: 429, retryAfterSeconds: 7 } });
    const answer = await call('POST', leases, named('a'));
    expect(answer).toMatchObject({ status: 429, retryAfterMs: 7_000, body: { reason: 'TooManyRequests' } });
    expect(store.list(resources.leases)).toEqual([]);
  });

  it.each([401, 403, 409, 500, 502, 503, 504] as const)('can be %i', async (code) => {
    faults.add({ effect: { kind: 'answer', code } });
    expect(await call('GET', leases)).toMatchObject({ status: code, body: { code } });
  });
});

describe('a dropped connection', () => {
  it.each([
    ['before', 0],
    ['after', 1],
    ['within', 1],
  ] as const)('%s the server acts leaves %i Leases, and the client in doubt', async (moment, count) => {
    faults.add({ effect: { kind: 'drop', moment }, times: 1 });
    expect((await failureOf(call('POST', leases, named('a')))).sent).toBe(true);
    expect(store.list(resources.leases)).toHaveLength(count);
    expect((await call('GET', leases)).body.items).toHaveLength(count);
  });
});

describe('a stalled watch', () => {
  it('stays open and says nothing, while other requests go on', async () => {
    const remove = faults.add({ effect: { kind: 'stall', afterMs: 1_000 } });
    const watch = await listen();
    addNode('n1');
    await settle();
    await clock.advance(1_000);
    addNode('n2');
    await clock.advance(60_000);
    expect(watch).toMatchObject({ lines: ['ADDED n1'], ended: false, failed: false });
    expect((await call('GET', nodes)).body.items).toHaveLength(2);
    remove();
    await settle();
    expect(watch.lines).toEqual(['ADDED n1', 'ADDED n2']);
    watch.close();
  });
});

describe('a cut watch', () => {
  it('breaks after a while, whether it was there before or not', async () => {
    const before = await listen();
    faults.add({ effect: { kind: 'cut', afterMs: 1_000 } });
    const after = await listen();
    await clock.advance(999);
    expect([before.failed, after.failed]).toEqual([false, false]);
    await clock.advance(1);
    expect([before.failed, after.failed]).toEqual([true, true]);
    expect((await call('GET', nodes)).status).toBe(200);
  });
});

describe('a forgotten past', () => {
  it('is 410 for those who go on from it, and nothing to those who start anew', async () => {
    addNode('n1');
    addNode('n2');
    faults.add({ effect: { kind: 'expire' } });
    const continued = await listen('&resourceVersion=3');
    await settle();
    expect(continued).toMatchObject({ lines: ['ERROR 410'], ended: true });
    expect(await call('GET', `${nodes}?limit=1&continue=abc`)).toMatchObject({
      status: 410,
      body: { reason: 'Expired' },
    });
    expect((await call('GET', nodes)).body.items).toHaveLength(2);
    const anew = await listen();
    expect(anew.lines).toEqual(['ADDED n1', 'ADDED n2']);
    anew.close();
  });
});

describe('a server that lags', () => {
  it('lists what there was when the fault came', async () => {
    addNode('n1');
    const remove = faults.add({ effect: { kind: 'stale' } });
    addNode('n2');
    const names = async (): Promise<string[]> =>
      ((await call('GET', nodes)).body.items ?? []).map((item) => item.metadata.name);
    expect(await names()).toEqual(['n1']);
    expect((await call('GET', `${nodes}/n2`)).status).toBe(200);
    remove();
    expect(await names()).toEqual(['n1', 'n2']);
  });
});

describe('which requests', () => {
  it('are chosen by user, verb, resource and anything else', async () => {
    const other = transportOf('b');
    faults.add({
      match: { user: 'b', resource: ['leases', 'nodes'], verb: 'list' },
      effect: { kind: 'refuse' },
    });
    await failureOf(call('GET', leases, undefined, { through: other }));
    expect((await call('GET', leases)).status).toBe(200);
    expect((await call('GET', '/api/v1/pods', undefined, { through: other })).status).toBe(200);
    expect((await call('POST', leases, named('a'), { through: other })).status).toBe(201);
    faults.add({ match: { where: ({ name }) => name === 'a' }, effect: { kind: 'answer', code: 500 } });
    expect((await call('GET', `${leases}/a`)).status).toBe(500);
  });

  it('are chosen by chance that can be replayed', async () => {
    const run = async (): Promise<number> => {
      const chosen = new Faults({ clock, random: seededRandom(3), currentVersion: () => 0 });
      const through = createInMemoryTransport(chosen.wrap(createApiHandler({ store, clock })));
      chosen.add({ effect: { kind: 'answer', code: 500 }, probability: 0.3 });
      let failed = 0;
      for (let count = 0; count < 200; count++) {
        if ((await call('GET', leases, undefined, { through })).status === 500) failed += 1;
      }
      return failed;
    };
    const first = await run();
    expect(first).toBeGreaterThan(30);
    expect(first).toBeLessThan(90);
    expect(await run()).toBe(first);
  });

  it('are as many as told', async () => {
    faults.add({ effect: { kind: 'answer', code: 503 }, times: 2 });
    const codes = [await call('GET', leases), await call('GET', leases), await call('GET', leases)];
    expect(codes.map((answer) => answer.status)).toEqual([503, 503, 200]);
  });
});

it('clear ends everything that goes wrong', async () => {
  faults.add({ effect: { kind: 'refuse' } });
  faults.add({ effect: { kind: 'hang' }, forMs: 1 });
  faults.add({ effect: { kind: 'cut', afterMs: 1 } });
  faults.clear();
  const watch = await listen();
  await clock.advance(10);
  expect(watch.failed).toBe(false);
  watch.close();
  await clock.advance(0);
  expect((await call('GET', leases)).status).toBe(200);
});

it.each([{ probability: 2 }, { probability: Number.NaN }, { times: 0 }, { forMs: -1 }])(
  'a fault with %o is refused',
  (wrong) => {
    expect(() => faults.add({ effect: { kind: 'refuse' }, ...wrong })).toThrow(RangeError);
  },
);
