import { describe, expect, it } from 'vitest';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import type { StoreWrite } from '../store/store-options.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import type { AuditEvent } from './audit.ts';
import { createApiHandler } from './handler.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
}

function record(): {
  send: (sent: Sent) => Promise<AuditEvent | undefined>;
  writes: StoreWrite[];
  store: ReturnType<typeof createStore>;
} {
  const clock = new VirtualClock();
  const writes: StoreWrite[] = [];
  const store = createStore({ clock, random: seededRandom(1), onWrite: (write) => writes.push(write) });
  writes.length = 0;
  const events: AuditEvent[] = [];
  const handler = createApiHandler({ store, clock, onAudit: (event) => events.push(event) });
  const send = async ({ method, path, body }: Sent): Promise<AuditEvent | undefined> => {
    const { signal } = new AbortController();
    await handler({
      method,
      path,
      user: 'agent',
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return events.at(-1);
  };
  return { send, writes, store };
}

const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';

describe('the audit log', () => {
  it('names who asked for what, and what came of it', async () => {
    const { send } = record();
    expect(await send({ method: 'POST', path: leases, body: { metadata: { name: 'a' } } })).toEqual({
      time: Date.UTC(2026, 0, 1),
      user: 'agent',
      verb: 'create',
      group: 'coordination.k8s.io',
      resource: 'leases',
      namespace: 'default',
      name: 'a',
      code: 201,
    });
    expect(await send({ method: 'GET', path: `${leases}/b` })).toMatchObject({
      verb: 'get',
      name: 'b',
      code: 404,
    });
    expect(await send({ method: 'GET', path: `${leases}?watch=true` })).toMatchObject({
      verb: 'watch',
      code: 200,
    });
    expect(await send({ method: 'DELETE', path: '/api/v1/pods' })).toMatchObject({
      verb: 'delete',
      code: 405,
    });
  });

  it('says on what a write was conditional', async () => {
    const { send, store } = record();
    store.create(resources.nodes, { metadata: { name: 'a' } }, { user: 'test' });
    const preconditions = { uid: 'u', resourceVersion: '7' };
    const conditions = { requestUid: 'u', requestResourceVersion: '7' };
    expect(await send({ method: 'DELETE', path: '/api/v1/nodes/a', body: { preconditions } })).toMatchObject({
      code: 409,
      ...conditions,
    });
    const eviction = { metadata: { name: 'p' }, deleteOptions: { preconditions } };
    const path = '/api/v1/namespaces/default/pods/p/eviction';
    expect(await send({ method: 'POST', path, body: eviction })).toMatchObject({
      subresource: 'eviction',
      name: 'p',
      ...conditions,
    });
    const update = { metadata: { name: 'a', resourceVersion: '7' } };
    expect(await send({ method: 'PUT', path: '/api/v1/nodes/a', body: update })).toMatchObject({
      verb: 'update',
      requestResourceVersion: '7',
    });
  });

  it('leaves paths that are about no object out', async () => {
    const { send } = record();
    expect(await send({ method: 'GET', path: '/healthz' })).toBeUndefined();
  });

  it('of the store holds what did not come through the API, and nothing else', async () => {
    const { send, writes, store } = record();
    await send({ method: 'POST', path: leases, body: { metadata: { name: 'a' } } });
    expect(writes).toEqual([]);
    store.delete(resources.leases, 'default', 'a', {}, { user: 'controller' });
    expect(writes).toMatchObject([
      { verb: 'delete', context: { user: 'controller' }, object: { metadata: { name: 'a' } } },
    ]);
  });
});
