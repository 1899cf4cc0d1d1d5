// How Events are written to an API server.
import { describe, expect, it } from 'vitest';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { Transport, TransportRequest, TransportResponse } from '../kubernetes/transport.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { NodeEvent } from './cluster.ts';
import { GuardedCluster } from './guarded-cluster.ts';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

function setUp(forgets = false) {
  const sent: Sent[] = [];
  const transport: Transport = {
    async send({ method, path, body, beforeSend }: TransportRequest): Promise<TransportResponse> {
      beforeSend?.();
      sent.push({ method, path, body: JSON.parse(body ?? '{}') as Sent['body'] });
      const lost = method === 'PATCH' && forgets;
      const answer = lost ? { reason: 'NotFound' } : { metadata: { name: `node-1.${sent.length}` } };
      const bytes = Buffer.from(JSON.stringify(answer));
      return {
        status: lost ? 404 : 201,
        body: (async function* () {
          yield bytes;
        })(),
      };
    },
    async close() {},
  };
  const clock = new ManualClock();
  const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
  const cluster = new GuardedCluster({ client, clock, namespace: 'liberator', identity: 'agent-1' });
  return { sent, cluster, term: endlessTerm(clock, 1) };
}

const event: NodeEvent = {
  type: 'Warning',
  reason: 'TakeoverHeld',
  message: 'held for 3598 s more',
  node: { name: 'node-1', uid: 'n1' },
};

describe('an Event', () => {
  it('is about the Node, and tells when it came about rather than when it was written', async () => {
    const { sent, cluster, term } = setUp();
    await cluster.publishEvent(term, event, { at: '2029-12-31T23:59:30.123Z' });
    expect(sent).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/namespaces/default/events',
        body: {
          involvedObject: { kind: 'Node', name: 'node-1', uid: 'n1' },
          source: { component: 'liberator', host: 'agent-1' },
          firstTimestamp: '2029-12-31T23:59:30Z',
          lastTimestamp: '2029-12-31T23:59:30Z',
          count: 1,
        },
      },
    ]);
  });

  it('that was said before is counted up, with the words of now', async () => {
    const { sent, cluster, term } = setUp();
    const earlier = await cluster.publishEvent(term, event);
    const again = { ...event, message: 'held for 3570 s more' };
    expect(await cluster.publishEvent(term, again, { count: 29, earlier })).toEqual(earlier);
    expect(sent[1]).toEqual({
      method: 'PATCH',
      path: '/api/v1/namespaces/default/events/node-1.1',
      body: { message: 'held for 3570 s more', count: 29, lastTimestamp: '2030-01-01T00:00:00Z' },
    });
  });

  it('that the server has forgotten meanwhile is written anew', async () => {
    const { sent, cluster, term } = setUp(true);
    const written = await cluster.publishEvent(term, event, { count: 5, earlier: { name: 'node-1.old' } });
    expect(sent.map(({ method }) => method)).toEqual(['PATCH', 'POST']);
    expect(sent[1]?.body).toMatchObject({ count: 5 });
    expect(written).toEqual({ name: 'node-1.2' });
  });

  it('is no longer than Kubernetes takes', async () => {
    const { sent, cluster, term } = setUp();
    await cluster.publishEvent(term, { ...event, message: 'x'.repeat(5_000) });
    expect(sent[0]?.body['message']).toMatch(/^x{1021}\.\.\.$/);
  });
});
