import { describe, expect, it } from 'vitest';
import { createReader } from '../kubernetes/client.ts';
import { isForbidden } from '../kubernetes/errors.ts';
import type { ConfigMap } from '../kubernetes/objects.ts';
import type { Transport, TransportRequest, TransportResponse } from '../kubernetes/transport.ts';
import { TermEndedError } from '../term/leader-term.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { StatusDocument } from './status-document.ts';
import { createStatusStore, readStatus } from './status-store.ts';

/** The one ConfigMap of an API server, with the rules that matter for it. */
class OneConfigMap implements Transport {
  stored: ConfigMap | undefined;
  refuse: number | undefined;
  readonly requests: string[] = [];
  #version = 0;

  put(data: Record<string, string>): void {
    this.#version += 1;
    this.stored = {
      metadata: { name: 'liberator-status', uid: 'u', resourceVersion: String(this.#version) },
      data,
    };
  }

  async send({ method, path, body, beforeSend }: TransportRequest): Promise<TransportResponse> {
    beforeSend?.();
    this.requests.push(`${method} ${path}`);
    const [status, answer] = this.#answer(method, JSON.parse(body ?? '{}') as Partial<ConfigMap>);
    const bytes = Buffer.from(JSON.stringify(answer));
    return {
      status,
      body: (async function* () {
        yield bytes;
      })(),
    };
  }

  #answer(method: string, object: Partial<ConfigMap>): [number, object] {
    if (this.refuse !== undefined) return [this.refuse, { reason: 'Forbidden' }];
    if (method === 'POST') {
      if (this.stored !== undefined) return [409, { reason: 'AlreadyExists' }];
      this.put(object.data ?? {});
      return [201, this.stored ?? {}];
    }
    if (this.stored === undefined) return [404, { reason: 'NotFound' }];
    if (method === 'GET') return [200, this.stored];
    if (object.metadata?.resourceVersion !== this.stored.metadata.resourceVersion) {
      return [409, { reason: 'Conflict' }];
    }
    this.put({ ...this.stored.data, ...object.data });
    return [200, this.stored];
  }

  async close(): Promise<void> {}
}

const at = { namespace: 'tkr-system', election: { name: 'liberator' } };

function setUp() {
  const server = new OneConfigMap();
  const clock = new ManualClock();
  const ports = { transport: server, clock, random: { next: () => 0 } };
  return { server, clock, store: createStatusStore({ ...at, ...ports }), reader: createReader(ports) };
}

function document(epoch: number): StatusDocument {
  return {
    version: 1,
    writtenAt: '2030-01-01T00:00:00.000Z',
    leader: { identity: 'a', epoch },
    blind: [],
    counts: { dead: 0, suspect: 0, returning: 0, alive: 3, unselected: 0 },
    nodes: [],
  };
}

const path = '/api/v1/namespaces/tkr-system/configmaps';

describe('the status in the cluster', () => {
  it('is created by the first leader, replaced from then on, and read by anybody', async () => {
    const { server, clock, store, reader } = setUp();
    const term = endlessTerm(clock, 3);
    expect(await readStatus(reader, at)).toBeUndefined();
    expect(await store.publish(term, document(3))).toBe('written');
    expect(await store.publish(term, { ...document(3), blind: ['x'] })).toBe('written');
    expect(await readStatus(reader, at)).toEqual({ ...document(3), blind: ['x'] });
    expect(server.requests.slice(1, 4)).toEqual([
      `GET ${path}/liberator-status`,
      `POST ${path}`,
      `PATCH ${path}/liberator-status`,
    ]);
  });

  it('is taken over by the next leader, and not taken back by the one before', async () => {
    const { clock, server, store, reader } = setUp();
    const other = createStatusStore({ ...at, transport: server, clock });
    await store.publish(endlessTerm(clock, 3), document(3));
    expect(await other.publish(endlessTerm(clock, 4), document(4))).toBe('written');
    const stale = endlessTerm(clock, 3);
    expect(await store.publish(stale, document(3))).toBe('conflict');
    expect(await store.publish(stale, document(3))).toBe('conflict');
    expect((await readStatus(reader, at))?.leader.epoch).toBe(4);
  });

  it('that somebody edited, deleted or spoiled is written anew', async () => {
    const { clock, server, store, reader } = setUp();
    const term = endlessTerm(clock, 3);
    await store.publish(term, document(3));
    server.put({ 'status.json': 'spoiled' });
    expect(await readStatus(reader, at)).toBeUndefined();
    expect(await store.publish(term, document(3))).toBe('conflict');
    expect(await store.publish(term, document(3))).toBe('written');
    server.stored = undefined;
    expect(await store.publish(term, document(3))).toBe('conflict');
    expect(await store.publish(term, document(3))).toBe('written');
    expect(await readStatus(reader, at)).toEqual(document(3));
  });

  it('is not written by a leader whose term is over', async () => {
    const { clock, server, store } = setUp();
    const term = endlessTerm(clock, 3);
    term.end('stopped');
    await expect(store.publish(term, document(3))).rejects.toThrow(TermEndedError);
    expect(server.requests).toEqual([]);
  });

  it('tells a refusal', async () => {
    const { clock, server, store } = setUp();
    server.refuse = 403;
    await expect(store.publish(endlessTerm(clock, 3), document(3))).rejects.toSatisfy(isForbidden);
  });
});
