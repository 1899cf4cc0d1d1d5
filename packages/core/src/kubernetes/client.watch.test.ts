import { getEventListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, statusBody } from '../testing/scripted-server.ts';
import { clientOf, collect, during, failureOf } from '../testing/wire.ts';
import { MalformedAnswerError, RequestAbortedError } from './errors.ts';
import type { Node } from './objects.ts';
import type { WatchEvent } from './reader.ts';
import { nodes } from './resources.ts';

const node = (name: string, more: object = {}): object => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion: '1' },
  ...more,
});
const sendEvent = (response: ServerResponse, type: string, object: unknown): boolean =>
  response.write(`${JSON.stringify({ type, object })}\n`);

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
