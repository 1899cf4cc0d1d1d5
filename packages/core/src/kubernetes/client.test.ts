import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { connect } from '../connect.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, statusBody } from '../testing/scripted-server.ts';
import { clientOf, connectTo, during, failureOf, serve } from '../testing/wire.ts';
import { createReader, KubernetesClient } from './client.ts';
import { KubernetesError, MalformedAnswerError, RequestTimeoutError } from './errors.ts';
import type { KubernetesReader } from './reader.ts';
import { leases, nodes, pods } from './resources.ts';
import type { Transport } from './transport.ts';

describe('request', () => {
  test('sends any verb with a body of its content type and parses the answer', async () => {
    const { client, server } = await clientOf((_, response) => answer(response, 201, { made: true }));
    const made = await client.request({
      verb: 'create',
      resource: pods,
      namespace: 'shop',
      name: 'web-0',
      subresource: 'eviction',
      query: { dryRun: 'All' },
      body: { kind: 'Eviction' },
    });
    expect(made).toEqual({ made: true });
    await client.request({
      verb: 'delete',
      resource: nodes,
      name: 'node-1',
      body: { preconditions: { uid: 'u' } },
    });
    await client.request({
      verb: 'patch',
      resource: nodes,
      name: 'node-1',
      body: [],
      contentType: 'application/json-patch+json',
    });
    await client.request({ verb: 'update', resource: nodes, name: 'node-1', body: {} });
    expect(
      server.requests.map(({ method, url, body, headers }) => [method, url, body, headers['content-type']]),
    ).toEqual([
      [
        'POST',
        '/api/v1/namespaces/shop/pods/web-0/eviction?dryRun=All',
        '{"kind":"Eviction"}',
        'application/json',
      ],
      ['DELETE', '/api/v1/nodes/node-1', '{"preconditions":{"uid":"u"}}', 'application/json'],
      ['PATCH', '/api/v1/nodes/node-1', '[]', 'application/json-patch+json'],
      ['PUT', '/api/v1/nodes/node-1', '{}', 'application/json'],
    ]);
  });

  test('a failure carries status, reason, details and how long to wait', async () => {
    const { client } = await clientOf((_, response) => {
      const details = { causes: [{ reason: 'DisruptionBudget', message: 'no' }] };
      answer(response, 429, statusBody(429, 'TooManyRequests', 'no', { details }), { 'retry-after': '10' });
    });
    const error = await failureOf(
      client.request({ verb: 'create', resource: pods, namespace: 'a', name: 'b', subresource: 'eviction' }),
    );
    expect(error).toBeInstanceOf(KubernetesError);
    expect(error).toMatchObject({
      status: 429,
      reason: 'TooManyRequests',
      retryAfterMs: 10_000,
      details: { causes: [{ reason: 'DisruptionBudget' }] },
    });
  });

  test('is never repeated, whatever happens', async () => {
    const { client, server } = await clientOf((_, response) =>
      answer(response, 503, statusBody(503, 'ServiceUnavailable')),
    );
    await failureOf(client.request({ verb: 'delete', resource: nodes, name: 'node-1' }));
    server.script = (request) => void request.socket.destroy();
    expect(
      await failureOf(client.request({ verb: 'delete', resource: nodes, name: 'node-1' })),
    ).toMatchObject({
      name: 'TransportError',
      sent: true,
    });
    expect(server.requests).toHaveLength(2);
  });

  test('a failure whose explanation is not JSON is still known by its status', async () => {
    const { client } = await clientOf(
      (_, response) => void response.writeHead(502).end('<html>Bad gateway</html>'),
    );
    expect(await failureOf(client.request({ verb: 'list', resource: nodes }))).toMatchObject({
      status: 502,
      reason: '',
    });
  });

  test('an answer that is not JSON is named as such', async () => {
    const { client } = await clientOf((_, response) => void response.end('<html>Log in</html>'));
    const error = await failureOf(client.request({ verb: 'list', resource: nodes }));
    expect(error).toBeInstanceOf(MalformedAnswerError);
  });

  test('an empty name never leaves this process', async () => {
    const { client, server } = await clientOf((_, response) => answer(response, 200, {}));
    expect(await failureOf(client.request({ verb: 'delete', resource: nodes, name: '' }))).toBeInstanceOf(
      TypeError,
    );
    expect(server.requests).toHaveLength(0);
  });

  test('a server that says nothing runs into the total limit, and may have acted', async () => {
    const clock = new ManualClock();
    const { client, server } = await clientOf(() => undefined, clock);
    const call = failureOf(
      client.request({ verb: 'update', resource: leases, namespace: 'a', name: 'b', timeoutMs: 5000 }),
    );
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    await clock.advance(4999);
    await clock.advance(1);
    const error = await call;
    expect(error).toBeInstanceOf(RequestTimeoutError);
    expect(error).toMatchObject({ timeoutMs: 5000, sent: true });
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
    expect(clock.pendingTimers).toBe(0);
  });

  test('a head that comes without its body runs into the idle limit', async () => {
    const clock = new ManualClock();
    const { client } = await clientOf((_, response) => void response.write('{"a":'), clock);
    const error = await during(clock, failureOf(client.request({ verb: 'list', resource: nodes })));
    expect(error).toMatchObject({ name: 'RequestTimeoutError', phase: 'idle', timeoutMs: 15_000 });
  });

  test('a body that trickles for ever runs into the total limit', async () => {
    const clock = new ManualClock();
    const { client } = await clientOf((_, response) => {
      const trickle = setInterval(() => response.write(' '), 2);
      response.once('close', () => clearInterval(trickle));
    }, clock);
    const error = await during(clock, failureOf(client.request({ verb: 'list', resource: nodes })), 100);
    expect(error).toMatchObject({ name: 'RequestTimeoutError', phase: 'total', timeoutMs: 30_000 });
  });

  test('what beforeSend throws is thrown on, and the server never hears of it', async () => {
    const { client, server } = await clientOf((_, response) => answer(response, 200, {}));
    const reason = new Error('the term is over');
    const beforeSend = (): never => {
      throw reason;
    };
    expect(await failureOf(client.request({ verb: 'delete', resource: nodes, name: 'n', beforeSend }))).toBe(
      reason,
    );
    expect(server.requests).toHaveLength(0);
  });

  test('aborting says whether the request may have been applied', async () => {
    const { client, server } = await clientOf(() => undefined);
    const abort = new AbortController();
    const call = failureOf(
      client.request({ verb: 'delete', resource: nodes, name: 'n', signal: abort.signal }),
    );
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    abort.abort('stop');
    expect(await call).toMatchObject({ name: 'RequestAbortedError', sent: true, cause: 'stop' });
    const before = failureOf(
      client.request({ verb: 'delete', resource: nodes, name: 'n', signal: abort.signal }),
    );
    expect(await before).toMatchObject({ name: 'RequestAbortedError', sent: false });
    expect(server.requests).toHaveLength(1);
  });

  test('leaves nothing behind on a signal that lives long', async () => {
    const clock = new ManualClock();
    const { client, server } = await clientOf(
      (_, response) => answer(response, 200, { metadata: { resourceVersion: '1' } }),
      clock,
    );
    const { signal } = new AbortController();
    for (let i = 0; i < 100; i++) await client.request({ verb: 'list', resource: nodes, signal });
    server.script = (_, response) => answer(response, 404, statusBody(404, 'NotFound'));
    for (let i = 0; i < 100; i++) await failureOf(client.get(nodes, { name: 'n' }, { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

test.each([
  ['that was asked for', (transport: Transport) => createReader({ transport })],
  [
    'of a connection',
    (transport: Transport) => {
      const election = { namespace: 'liberator', name: 'liberator' };
      return connect({
        transport,
        leaseTransport: transport,
        namespace: 'liberator',
        election,
        identity: 'a',
      }).reader;
    },
  ],
])('a reader %s can only read, in its type and in fact', async (_, make) => {
  const { server } = await clientOf((_, response) => answer(response, 200, { metadata: { name: 'node-1' } }));
  const reader = make(connectTo(server.kubeConfig()));
  expectTypeOf(reader).toEqualTypeOf<KubernetesReader>();
  expectTypeOf<keyof KubernetesReader>().toEqualTypeOf<'get' | 'list' | 'listPages' | 'watch'>();
  // Nothing else within reach of a cast: neither on it, nor behind it, nor in what somebody puts there later.
  expect(Reflect.ownKeys(reader).toSorted()).toEqual(['get', 'list', 'listPages', 'watch']);
  expect(Object.getPrototypeOf(reader)).toBe(Object.prototype);
  expect(Object.isFrozen(reader)).toBe(true);
  const { request } = reader as unknown as { request?: (options: object) => Promise<unknown> };
  await request?.({ verb: 'delete', resource: nodes, name: 'node-1' });
  expect((await reader.get(nodes, { name: 'node-1' })).metadata.name).toBe('node-1');
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
});

describe('a request in the line for a connection', () => {
  /** One connection, taken by a request that never ends. */
  async function occupied(clock: ManualClock) {
    const held: ServerResponse[] = [];
    const server = await serve((_, response) => void held.push(response));
    const transport = connectTo(server.kubeConfig(), { maxConnections: 1 });
    const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
    const first = client.request({ verb: 'get', resource: nodes, name: 'first', timeoutMs: 60_000 });
    await vi.waitFor(() => expect(held).toHaveLength(1));
    return { client, server, held, first: first.catch(() => undefined) };
  }

  test('waits no longer than its caller allows for all of it, and was then never sent', async () => {
    const clock = new ManualClock();
    const { client, server } = await occupied(clock);
    const waiting = failureOf(
      client.request({ verb: 'delete', resource: nodes, name: 'second', timeoutMs: 10_000 }),
    );
    await clock.advance(9_999);
    await clock.advance(1);
    expect(await waiting).toMatchObject({ code: 'LIBERATOR_TIMEOUT', phase: 'total', sent: false });
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  test('does not count that as silence of the server, which has its whole time from then on', async () => {
    const clock = new ManualClock();
    const { client, server, held } = await occupied(clock);
    const second = client.request({ verb: 'get', resource: nodes, name: 'second', timeoutMs: 60_000 });
    await clock.advance(14_000);
    for (const response of held.splice(0)) answer(response, 200, {});
    await vi.waitFor(() => expect(server.requests).toHaveLength(2));
    await clock.advance(14_000);
    for (const response of held.splice(0)) answer(response, 200, { name: 'second' });
    expect(await second).toEqual({ name: 'second' });
  });
});
