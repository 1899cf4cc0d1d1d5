import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import {
  answer,
  type ReceivedRequest,
  type Script,
  ScriptedServer,
  statusBody,
} from '../testing/scripted-server.ts';
import { createReader, KubernetesClient } from './client.ts';
import { KubernetesError, MalformedAnswerError, RequestAbortedError, RequestTimeoutError } from './errors.ts';
import type { Node } from './objects.ts';
import type { KubernetesReader, WatchEvent } from './reader.ts';
import { leases, nodes, pods } from './resources.ts';
import { createTransport } from './undici-transport.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function clientOf(
  script: Script,
  clock: ManualClock | typeof systemClock = systemClock,
): Promise<{ client: KubernetesClient; server: ScriptedServer }> {
  const server = await ScriptedServer.start(script);
  const transport = createTransport(server.kubeConfig());
  cleanUps.push(
    () => server.close(),
    () => transport.close(),
  );
  return { client: new KubernetesClient({ transport, clock, random: { next: () => 0 } }), server };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('expected a failure'),
    (error: unknown) => error,
  );
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Moves virtual time on while real sockets do their work, until `work` settles. */
async function during<T>(clock: ManualClock, work: Promise<T>, stepMs = 500): Promise<T> {
  let settled = false;
  const done = (): void => {
    settled = true;
  };
  work.then(done, done);
  while (!settled) {
    await clock.advance(stepMs);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return work;
}

const node = (name: string, more: object = {}): object => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1' },
  ...more,
});
const sendEvent = (response: ServerResponse, type: string, object: unknown): boolean =>
  response.write(`${JSON.stringify({ type, object })}\n`);

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

describe('reads', () => {
  test('get one object', async () => {
    const { client, server } = await clientOf((_, response) => answer(response, 200, node('node-1')));
    const found = await client.get(nodes, { name: 'node-1' });
    expectTypeOf(found).toEqualTypeOf<Node>();
    expect(found.metadata.name).toBe('node-1');
    expect(server.requests[0]?.url).toBe('/api/v1/nodes/node-1');
  });

  test.each([429, 500, 502, 503, 504])('are repeated after a %i', async (status) => {
    const clock = new ManualClock();
    const { client, server } = await clientOf((_, response) => {
      if (server.requests.length < 3) answer(response, status, statusBody(status, 'Later'));
      else answer(response, 200, node('node-1'));
    }, clock);
    const found = await during(clock, client.get(nodes, { name: 'node-1' }));
    expect(found.metadata.name).toBe('node-1');
    expect(server.requests).toHaveLength(3);
  });

  test('are repeated after a connection that broke', async () => {
    const clock = new ManualClock();
    const { client, server } = await clientOf((request, response) => {
      if (server.requests.length < 2) request.socket.destroy();
      else answer(response, 200, node('node-1'));
    }, clock);
    await during(clock, client.get(nodes, { name: 'node-1' }));
    expect(server.requests).toHaveLength(2);
  });

  test('wait as long as Retry-After says before they are repeated', async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    const { client } = await clientOf((_, response) => {
      at.push(clock.now());
      if (at.length === 1) answer(response, 429, statusBody(429, 'TooManyRequests'), { 'retry-after': '7' });
      else answer(response, 200, node('node-1'));
    }, clock);
    await during(clock, client.get(nodes, { name: 'node-1' }), 100);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(7000);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeLessThan(8000);
  });

  test.each([400, 401, 403, 404, 409, 410, 422])('are not repeated after a %i', async (status) => {
    const { client, server } = await clientOf((request, response) => {
      if (request.path.endsWith('node-1')) answer(response, status, statusBody(status, 'No'));
    });
    expect(await failureOf(client.get(nodes, { name: 'node-1' }))).toMatchObject({ status });
    // The transport itself repeats once after a 401, with fresh credentials.
    expect(server.requests).toHaveLength(status === 401 ? 2 : 1);
  });

  test('give up after the attempts they were given, with the last error', async () => {
    const clock = new ManualClock();
    const { client, server } = await clientOf(
      (_, response) => answer(response, 503, statusBody(503, 'Down')),
      clock,
    );
    expect(await during(clock, failureOf(client.get(nodes, { name: 'n' })))).toMatchObject({ status: 503 });
    expect(server.requests).toHaveLength(3);
    await failureOf(client.get(nodes, { name: 'n' }, { attempts: 1 }));
    expect(server.requests).toHaveLength(4);
  });
});

describe('listing', () => {
  const pages =
    (count: number, size: number): Script =>
    (request, response) => {
      const index = Number(request.query.get('continue') ?? 0);
      answer(response, 200, {
        metadata: {
          resourceVersion: '100',
          ...(index + 1 < count ? { continue: String(index + 1) } : { continue: '' }),
        },
        items: Array.from({ length: size }, (_, i) =>
          node(`node-${index * size + i}`, { spec: { bulk: 'x' } }),
        ),
      });
    };

  test('follows the pages to the end and puts them together', async () => {
    const { client, server } = await clientOf(pages(3, 2));
    const { items, resourceVersion } = await client.list(nodes, { pageSize: 2, labelSelector: 'a=b' });
    expect(items.map(({ metadata }) => metadata.name)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `node-${i}`));
    expect(resourceVersion).toBe('100');
    expect(server.requests.map(({ url }) => url)).toEqual([
      '/api/v1/nodes?limit=2&labelSelector=a%3Db',
      '/api/v1/nodes?limit=2&continue=1&labelSelector=a%3Db',
      '/api/v1/nodes?limit=2&continue=2&labelSelector=a%3Db',
    ]);
  });

  test('projects each page as it comes and says where a listing starts and ends', async () => {
    const { client } = await clientOf(pages(3, 1));
    const project = ({ metadata }: Node): string => metadata.name;
    expect(await collect(client.listPages(nodes, { project }))).toEqual([
      { items: ['node-0'], resourceVersion: '100', first: true, last: false },
      { items: ['node-1'], resourceVersion: '100', first: false, last: false },
      { items: ['node-2'], resourceVersion: '100', first: false, last: true },
    ]);
  });

  test('lets others have their turn between pages', async () => {
    const clock = new ManualClock();
    const { client } = await clientOf(pages(2, 1), clock);
    const listing = client.listPages(nodes);
    await listing.next();
    let second: unknown;
    const next = listing.next().then((page) => {
      second = page;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(second).toBeUndefined();
    await during(clock, next, 0);
    expect(second).toMatchObject({ done: false });
  });

  test('starts over when the server forgets the snapshot in the middle', async () => {
    let forgotten = 0;
    const { client, server } = await clientOf((request, response) => {
      if (request.query.get('continue') === '1' && forgotten++ === 0) {
        answer(response, 410, statusBody(410, 'Expired'));
      } else void pages(3, 1)(request, response);
    });
    const all = await collect(client.listPages(nodes));
    expect(all.map(({ first }) => first)).toEqual([true, true, false, false]);
    expect((await client.list(nodes)).items).toHaveLength(3);
    expect(server.requests.slice(0, 3).map(({ query }) => query.get('continue'))).toEqual([null, '1', null]);
  });

  test('gives up on a server that always forgets', async () => {
    const { client, server } = await clientOf((request, response) => {
      if (request.query.has('continue')) answer(response, 410, statusBody(410, 'Expired'));
      else void pages(3, 1)(request, response);
    });
    expect(await failureOf(client.list(nodes))).toMatchObject({ status: 410 });
    expect(server.requests).toHaveLength(8);
  });

  test('repeats one page, not all, after a hiccup', async () => {
    const clock = new ManualClock();
    let hiccups = 0;
    const { client, server } = await clientOf((request, response) => {
      if (request.query.get('continue') === '2' && hiccups++ === 0) {
        answer(response, 503, statusBody(503, 'Unavailable'));
      } else void pages(3, 1)(request, response);
    }, clock);
    expect((await during(clock, client.list(nodes))).items).toHaveLength(3);
    expect(server.requests.map(({ query }) => query.get('continue'))).toEqual([null, '1', '2', '2']);
  });

  test('takes null for an empty list, and anything without a resourceVersion for no list at all', async () => {
    const { client, server } = await clientOf((_, response) =>
      answer(response, 200, { metadata: { resourceVersion: '7' }, items: null }),
    );
    expect(await client.list(nodes)).toEqual({ items: [], resourceVersion: '7' });
    for (const body of [{}, { items: [] }, { metadata: {} }, [], null, 'text']) {
      server.script = (_, response) => answer(response, 200, body);
      expect(await failureOf(client.list(nodes))).toBeInstanceOf(MalformedAnswerError);
    }
  });
});

describe('watching', () => {
  const watchOptions = { resourceVersion: '5', timeoutSeconds: 300 };

  test('asks for bookmarks and hands out events until the server ends it', async () => {
    const { client, server } = await clientOf((_, response) => {
      sendEvent(response, 'ADDED', node('node-1'));
      sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '9' } });
      response.end();
    });
    const opened: string[] = [];
    const events = await collect(
      client.watch(nodes, {
        ...watchOptions,
        fieldSelector: 'metadata.name=node-1',
        onOpen: () => void opened.push('open'),
      }),
    );
    expect(events).toEqual([
      { type: 'ADDED', object: node('node-1') },
      { type: 'BOOKMARK', resourceVersion: '9' },
    ]);
    expect(opened).toEqual(['open']);
    expect(server.requests[0]?.url).toBe(
      '/api/v1/nodes?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300&fieldSelector=metadata.name%3Dnode-1',
    );
  });

  test('puts together what the network cut: lines, characters, and objects of several megabytes', async () => {
    const big = node('node-1', {
      metadata: { name: 'Zürich 🚀', annotations: { big: 'ü'.repeat(3_000_000) } },
    });
    let sent = 0;
    const { client } = await clientOf(async (_, response) => {
      const bytes = Buffer.from(`\n${JSON.stringify({ type: 'ADDED', object: big })}\n\n`);
      for (const edge of [1, 3, 62, 63, 64, 65, 66, 67, 68, 69, 70, 200_001, bytes.length]) {
        response.write(bytes.subarray(sent, edge));
        sent = edge;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      response.end();
    });
    expect(await collect(client.watch(nodes, watchOptions))).toEqual([{ type: 'ADDED', object: big }]);
  });

  test('fails on a 410, by status and by ERROR event', async () => {
    const { client, server } = await clientOf((_, response) =>
      answer(response, 410, statusBody(410, 'Expired')),
    );
    expect(await failureOf(collect(client.watch(nodes, watchOptions)))).toMatchObject({ status: 410 });
    server.script = (_, response) => {
      sendEvent(response, 'ERROR', statusBody(410, 'Expired', 'too old resource version: 5 (9)'));
      response.end();
    };
    expect(await failureOf(collect(client.watch(nodes, watchOptions)))).toMatchObject({
      status: 410,
      reason: 'Expired',
    });
  });

  test('fails on a malformed line, after the events before it', async () => {
    const { client } = await clientOf((_, response) => {
      sendEvent(response, 'ADDED', node('node-1'));
      response.write('{"type":"ADDED","obj\n');
      sendEvent(response, 'ADDED', node('node-2'));
    });
    const events: WatchEvent<Node>[] = [];
    const watching = (async () => {
      for await (const event of client.watch(nodes, watchOptions)) events.push(event);
    })();
    expect(await failureOf(watching)).toBeInstanceOf(MalformedAnswerError);
    expect(events).toHaveLength(1);
  });

  test('fails when the connection is cut in the middle of a line, and when the server ends it there', async () => {
    const { client, server } = await clientOf((request, response) => {
      response.write('{"type":"ADDED","object":{"meta');
      setTimeout(() => request.socket.resetAndDestroy(), 20);
    });
    expect(await failureOf(collect(client.watch(nodes, watchOptions)))).toMatchObject({
      name: 'TransportError',
    });
    server.script = (_, response) => void response.end('{"type":"ADDED","object":{"meta');
    expect(await failureOf(collect(client.watch(nodes, watchOptions)))).toMatchObject({
      name: 'MalformedAnswerError',
      message: expect.stringContaining('ended in the middle of an event'),
    });
  });

  test('a silent server runs into the idle limit, counted from the last sign of life', async () => {
    const clock = new ManualClock();
    let pulse: (() => void) | undefined;
    const { client, server } = await clientOf((_, response) => {
      response.flushHeaders();
      pulse = () => sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '9' } });
    }, clock);
    const seen: unknown[] = [];
    const watching = failureOf(
      (async () => {
        for await (const event of client.watch(nodes, watchOptions)) seen.push(event);
      })(),
    );
    await vi.waitFor(() => expect(pulse).toBeDefined());
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.advance(100_000);
    pulse?.();
    await vi.waitFor(() => expect(seen).toHaveLength(1));
    await clock.advance(119_000);
    expect(server.openConnections).toBe(1);
    await clock.advance(1001);
    expect(await watching).toMatchObject({ name: 'RequestTimeoutError', phase: 'idle', timeoutMs: 120_000 });
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
    expect(clock.pendingTimers).toBe(0);
  });

  test('a server that does not even send a head runs into the head limit', async () => {
    const clock = new ManualClock();
    const { client, server } = await clientOf(() => undefined, clock);
    const watching = failureOf(collect(client.watch(nodes, watchOptions)));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    await clock.advance(15_000);
    expect(await watching).toMatchObject({ name: 'RequestTimeoutError', phase: 'head' });
  });

  test('a server that does not end the watch in time is left', async () => {
    const clock = new ManualClock();
    const { client } = await clientOf((_, response) => {
      const beat = setInterval(
        () => sendEvent(response, 'BOOKMARK', { metadata: { resourceVersion: '9' } }),
        2,
      );
      response.once('close', () => clearInterval(beat));
    }, clock);
    const error = await during(clock, failureOf(collect(client.watch(nodes, watchOptions))), 2000);
    expect(error).toMatchObject({ name: 'RequestTimeoutError', phase: 'total', timeoutMs: 330_000 });
  });

  test('aborting works before the head, between events, and leaves nothing behind', async () => {
    const { client, server } = await clientOf(() => undefined);
    const first = new AbortController();
    const early = failureOf(collect(client.watch(nodes, { ...watchOptions, signal: first.signal })));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    first.abort();
    expect(await early).toBeInstanceOf(RequestAbortedError);

    server.script = (_, response) => void sendEvent(response, 'ADDED', node('node-1'));
    const second = new AbortController();
    const late = client.watch(nodes, { ...watchOptions, signal: second.signal });
    await late.next();
    const next = failureOf(late.next());
    second.abort();
    expect(await next).toBeInstanceOf(RequestAbortedError);
    expect(getEventListeners(second.signal, 'abort')).toHaveLength(0);
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  test('leaving the loop ends the watch on the server, too', async () => {
    const { client, server } = await clientOf(
      (_, response) => void sendEvent(response, 'ADDED', node('node-1')),
    );
    for await (const event of client.watch(nodes, watchOptions)) {
      expect(event.type).toBe('ADDED');
      break;
    }
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});

test('a reader can only read, in its type and in fact', async () => {
  const { server } = await clientOf((_: ReceivedRequest, response) => answer(response, 200, node('node-1')));
  const transport = createTransport(server.kubeConfig());
  cleanUps.push(() => transport.close());
  const reader = createReader({ transport });
  expectTypeOf(reader).toEqualTypeOf<KubernetesReader>();
  expectTypeOf<keyof KubernetesReader>().toEqualTypeOf<'get' | 'list' | 'listPages' | 'watch'>();
  expect(Object.keys(reader).sort()).toEqual(['get', 'list', 'listPages', 'watch']);
  expect((await reader.get(nodes, { name: 'node-1' })).metadata.name).toBe('node-1');
});
