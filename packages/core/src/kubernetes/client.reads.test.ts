import { describe, expect, expectTypeOf, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, type Script, statusBody } from '../testing/scripted-server.ts';
import { clientOf, collect, during, failureOf } from '../testing/wire.ts';
import { MalformedAnswerError } from './errors.ts';
import type { Node } from './objects.ts';
import { nodes } from './resources.ts';

const node = (name: string, more: object = {}): object => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1' },
  ...more,
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

test('arrays that nobody wants come empty in lists and watches, and everything else as it is', async () => {
  const node = {
    metadata: { name: 'a', uid: 'u', resourceVersion: '2', managedFields: [{ manager: 'kubelet' }] },
    status: { images: [{ names: ['ä'] }], addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] },
  };
  const { client } = await clientOf((request, response) => {
    if (request.query.has('watch')) response.end(`${JSON.stringify({ type: 'ADDED', object: node })}\n`);
    else answer(response, 200, { metadata: { resourceVersion: '1' }, items: [node, node] });
  });
  const withoutArrays = ['managedFields', 'images'];
  const expected = {
    metadata: { ...node.metadata, managedFields: [] },
    status: { ...node.status, images: [] },
  };
  const { items } = await client.list(nodes, { withoutArrays });
  expect(items).toEqual([expected, expected]);
  const watch = client.watch(nodes, { resourceVersion: '1', timeoutSeconds: 60, withoutArrays });
  expect(await collect(watch)).toEqual([{ type: 'ADDED', object: expected }]);
  expect((await client.list(nodes)).items).toEqual([node, node]);
});
