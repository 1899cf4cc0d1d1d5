import { describe, expect, test, vi } from 'vitest';
import { KubernetesClient } from '../kubernetes/client.ts';
import { nodes } from '../kubernetes/resources.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, statusBody } from '../testing/scripted-server.ts';
import { connectTo, failureOf, serve } from '../testing/wire.ts';
import type { LeaseRecord, LeaseStore } from './lease-record.ts';
import { createLeaseStore } from './lease-store.ts';

const record: LeaseRecord = {
  holderIdentity: 'a',
  leaseDurationSeconds: 15,
  leaseTransitions: 3,
  acquireTime: '2030-01-01T00:00:00.000000Z',
  renewTime: '2030-01-01T00:00:00.000000Z',
};
const seen = { record, uid: 'u', resourceVersion: '7' };
const limits = { timeoutMs: 5_000, signal: new AbortController().signal };

async function storeThatHears(status: number, body: unknown): Promise<LeaseStore> {
  const server = await serve((_, response) => answer(response, status, body));
  return createLeaseStore({
    transport: connectTo(server.kubeConfig()),
    namespace: 'shop',
    name: 'cart',
    random: { next: () => 0 },
  });
}

test.each([
  ['create', 409, 'AlreadyExists'],
  ['update', 409, 'Conflict'],
  ['update', 404, 'NotFound'],
] as const)('%s: a %i %s means that somebody else was faster', async (verb, status, reason) => {
  const store = await storeThatHears(status, statusBody(status, reason));
  const written = verb === 'create' ? store.create(record, limits) : store.update(seen, record, limits);
  expect(await written).toEqual({ outcome: 'conflict' });
});

test('create: a namespace that is not there is no lost race, but said aloud', async () => {
  const details = { name: 'shop', kind: 'namespaces' };
  const store = await storeThatHears(
    404,
    statusBody(404, 'NotFound', 'namespaces "shop" not found', { details }),
  );
  expect(await failureOf(store.create(record, limits))).toMatchObject({
    code: 'LIBERATOR_API_ERROR',
    status: 404,
    message: expect.stringContaining('namespaces "shop" not found'),
  });
});

test.each([
  { given: { 'liberator.dev/paused': 'why' }, metadata: { annotations: { 'liberator.dev/paused': 'why' } } },
  { given: undefined, metadata: {} },
])('create: a new Lease is marked with $given, and with nothing else', async ({ given, metadata }) => {
  let sent: unknown;
  const server = await serve((request, response) => {
    sent = JSON.parse(request.body);
    answer(response, 201, { metadata: { uid: 'u', resourceVersion: '1' }, spec: record });
  });
  const store = createLeaseStore({
    transport: connectTo(server.kubeConfig()),
    namespace: 'shop',
    name: 'cart',
  });
  await store.create(record, limits, given);
  expect(sent).toMatchObject({ metadata: { namespace: 'shop', name: 'cart', ...metadata } });
  expect(sent).not.toHaveProperty('metadata.annotations', given === undefined ? expect.anything() : {});
});

test.each([403, 500])('a %i is thrown, whatever was asked for', async (status) => {
  const store = await storeThatHears(status, statusBody(status, ''));
  for (const call of [store.read(limits), store.create(record, limits), store.update(seen, record, limits)]) {
    expect(await failureOf(call)).toMatchObject({ status });
  }
});

test('read: there may be no such Lease, or one that somebody wrote by hand', async () => {
  expect(await (await storeThatHears(404, statusBody(404, 'NotFound'))).read(limits)).toBeUndefined();
  const bare = await storeThatHears(200, { metadata: { uid: 'u', resourceVersion: '7' } });
  expect(await bare.read(limits)).toEqual({
    uid: 'u',
    resourceVersion: '7',
    record: {
      holderIdentity: '',
      leaseDurationSeconds: 0,
      leaseTransitions: 0,
      acquireTime: '',
      renewTime: '',
    },
  });
});

describe('the election Lease', () => {
  test('is renewed while everything else waits, full or turned away, even on the same transport', async () => {
    const clock = new ManualClock();
    let busy = true;
    const lease = { metadata: { uid: 'u', resourceVersion: '1' } };
    const server = await serve((request, response) => {
      if (request.path.includes('leases')) answer(response, 200, lease);
      else if (busy) answer(response, 429, {}, { 'retry-after': '30' });
    });
    const transport = connectTo(server.kubeConfig(), { maxConnections: 1, clock });
    const client = new KubernetesClient({ transport, clock });
    await failureOf(client.request({ verb: 'update', resource: nodes, name: 'a' }));
    busy = false;
    const stop = new AbortController();
    const stuck = failureOf(client.get(nodes, { name: 'b' }, { signal: stop.signal }));
    const paused = failureOf(
      client.request({ verb: 'update', resource: nodes, name: 'c', signal: stop.signal }),
    );
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    const store = createLeaseStore({ transport, clock, namespace: 'ns', name: 'election' });
    const limits = { timeoutMs: 5_000, signal: new AbortController().signal };
    const seen = await store.read(limits);
    expect(seen).toBeDefined();
    if (seen !== undefined)
      expect(await store.update(seen, seen.record, limits)).toMatchObject({ outcome: 'written' });
    expect(server.requests).toHaveLength(4);
    stop.abort();
    await Promise.all([stuck, paused]);
  });
});
