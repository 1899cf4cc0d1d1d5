// The reflector, the client and the transport together, over real connections, with time run by hand.
import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, type ReceivedRequest, ScriptedServer, statusBody } from '../testing/scripted-server.ts';
import { createReader } from './client.ts';
import type { Node } from './objects.ts';
import { Reflector } from './reflector.ts';
import { nodes } from './resources.ts';
import { createTransport } from './undici-transport.ts';

const node = (name: string, resourceVersion: string): object => ({
  metadata: { name, uid: `uid-${name}`, resourceVersion },
});
const line = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
const listOf = (resourceVersion: string, ...items: object[]): object => ({
  metadata: { resourceVersion },
  items,
});

test('a day of troubles: each is survived, and the copy is right in the end', async () => {
  type Step = (response: ServerResponse, request: ReceivedRequest) => void;
  const steps: { readonly expects: string; readonly does: Step }[] = [
    // A list that the server forgets in the middle, after credentials that it does not accept at first.
    { expects: 'list', does: (response) => answer(response, 401, statusBody(401, 'Unauthorized')) },
    {
      expects: 'list',
      does: (response) =>
        answer(response, 200, {
          metadata: { resourceVersion: '1', continue: 'more' },
          items: [node('ghost', '1')],
        }),
    },
    { expects: 'list more', does: (response) => answer(response, 410, statusBody(410, 'Expired')) },
    {
      expects: 'list',
      does: (response) => answer(response, 200, listOf('10', node('a', '1'), node('b', '2'))),
    },
    // A watch that is cut in the middle of an event: the event comes again.
    {
      expects: 'watch 10',
      does: (response, { socket }) => {
        response.write(line('ADDED', node('c', '11')) + line('ADDED', node('d', '12')).slice(0, 30));
        setTimeout(() => socket.resetAndDestroy(), 10);
      },
    },
    // A server with too much to do.
    {
      expects: 'watch 11',
      does: (response) => answer(response, 429, statusBody(429, 'TooManyRequests'), { 'retry-after': '3' }),
    },
    // A bookmark, then silence.
    {
      expects: 'watch 11',
      does: (response) =>
        response.write(`\n${line('ADDED', node('d', '12'))}${line('BOOKMARK', node('', '40'))}`),
    },
    // Lost in history: listed again, with a deletion and a replacement in between.
    { expects: 'watch 40', does: (response) => response.end(line('ERROR', statusBody(410, 'Expired'))) },
    {
      expects: 'list',
      does: (response) =>
        answer(
          response,
          200,
          listOf('50', { metadata: { name: 'a', uid: 'another', resourceVersion: '45' } }, node('d', '46')),
        ),
    },
    // What no server should say.
    {
      expects: 'watch 50',
      does: (response) => response.write(`${line('MODIFIED', node('d', '51'))}{"type":"WHAT"}\n`),
    },
    { expects: 'watch 51', does: (response) => response.write(line('DELETED', node('d', '52'))) },
  ];
  const asked: string[] = [];
  let step = 0;
  await using server = await ScriptedServer.start((request, response) => {
    const { query } = request;
    asked.push(
      query.has('watch')
        ? `watch ${query.get('resourceVersion')}`
        : query.has('continue')
          ? 'list more'
          : 'list',
    );
    const next = steps[step++];
    if (next === undefined) return response.flushHeaders();
    return next.does(response, request);
  });
  const clock = new ManualClock();
  const transport = createTransport(server.kubeConfig());
  const told: string[] = [];
  const errors: string[] = [];
  const reflector = new Reflector<Node, Node>({
    reader: createReader({ transport, clock, random: { next: () => 0 } }),
    resource: nodes,
    project: (object) => ({ metadata: object.metadata }),
    clock,
    random: { next: () => 0 },
    handlers: {
      onAdded: ({ metadata }) => void told.push(`+${metadata.name}`),
      onUpdated: (_, { metadata }) => void told.push(`~${metadata.name}`),
      onDeleted: ({ metadata }) => void told.push(`-${metadata.name}`),
      onError: (error) => void errors.push((error as Error).name),
    },
  });
  reflector.start();
  await vi.waitFor(
    async () => {
      await clock.advance(400);
      expect(step).toBe(steps.length);
      expect(reflector.items().has('d')).toBe(false);
    },
    { timeout: 20_000, interval: 2 },
  );
  expect(asked).toEqual(steps.map(({ expects }) => expects));
  expect(told).toEqual(['+a', '+b', '+c', '+d', '-b', '-c', '-a', '+a', '~d', '~d', '-d']);
  expect(errors).toEqual(['TransportError', 'KubernetesError', 'KubernetesError', 'MalformedAnswerError']);
  expect([...reflector.items().values()].map(({ metadata }) => metadata.uid)).toEqual(['another']);
  expect(reflector.isStale()).toBe(false);
  expect(reflector.generation).toBe(2);

  await reflector.stop();
  await vi.waitFor(() => expect(clock.pendingTimers).toBe(0));
  const before = server.requests.length;
  await clock.advance(600_000);
  expect(server.requests).toHaveLength(before);
  await transport.close();
  await vi.waitFor(() => expect(server.openConnections).toBe(0));
}, 30_000);
