import {
  KubernetesError,
  type KubernetesReader,
  MalformedAnswerError,
  nodes,
  type Resource,
  sleep,
  systemClock,
  type Transport,
  TransportError,
  type TransportRequest,
} from '@liberator/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type PreflightOptions, preflight } from './preflight.ts';

beforeEach(() => {
  // Time passes only by being waited for, at once.
  vi.useFakeTimers().setTimerTickMode('nextTimerAsync');
});

afterEach(() => {
  vi.useRealTimers();
});

interface Cluster {
  /** What listing nodes comes to, attempt by attempt; the last goes on. */
  readonly list?: readonly (Error | 'ok')[];
  readonly allowed?: (request: { verb: string; resource: string; namespace?: string }) => boolean;
  readonly namespace?: Error;
}

function check(cluster: Cluster, more: Partial<PreflightOptions> = {}) {
  const attempts = { list: 0 };
  const waits: string[] = [];
  const reader = {
    // biome-ignore lint/correctness/useYield: a listing that fails has no page
    async *listPages() {
      const outcomes = cluster.list ?? ['ok'];
      const outcome = outcomes[Math.min(attempts.list, outcomes.length - 1)];
      attempts.list += 1;
      if (outcome instanceof Error) throw outcome;
    },
    async get() {
      if (cluster.namespace !== undefined) throw cluster.namespace;
      return {};
    },
  } as unknown as KubernetesReader;
  const transport: Transport = {
    async send({ body = '{}' }: TransportRequest) {
      const { resourceAttributes } = (
        JSON.parse(body) as { spec: { resourceAttributes: { verb: string; resource: string } } }
      ).spec;
      const allowed = cluster.allowed?.(resourceAttributes) ?? true;
      const answer = Buffer.from(JSON.stringify({ status: { allowed } }));
      return {
        status: 201,
        body: (async function* () {
          yield answer;
        })(),
      };
    },
    async close() {},
  };
  const done = preflight({
    reader,
    transport,
    namespace: 'apps',
    election: { namespace: 'apps', name: 'liberator' },
    mode: 'act',
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    onWait: (error) => waits.push(String(error)),
    ...more,
  });
  return { done, attempts, waits };
}

const namespaces = { ...nodes, plural: 'namespaces', kind: 'Namespace' } as Resource;
const away = new TransportError('could not reach https://10.0.0.1:6443: connection refused', { sent: false });
const apiError = (status: number): KubernetesError =>
  new KubernetesError({ verb: 'list', resource: nodes }, { status });

describe('before anything starts', () => {
  it('nothing is said when everything is well', async () => {
    const { done, waits } = check({});
    await done;
    expect(waits).toEqual([]);
  });

  it.each([
    ['is away', away],
    ['is broken', apiError(503)],
    ['is busy', apiError(429)],
  ])('an API server that %s is waited for', async (_, error) => {
    const { done, waits, attempts } = check({ list: [error, error, 'ok'] });
    await done;
    expect(attempts.list).toBe(3);
    expect(waits).toHaveLength(2);
  });

  it('one that stays away is given up after the time that was given, in one sentence', async () => {
    const { done, attempts } = check({ list: [away] });
    await expect(done).rejects.toMatchObject({
      message: 'could not reach https://10.0.0.1:6443: connection refused (waited 10s for it)',
      exitCode: 1,
    });
    expect(attempts.list).toBe(6);
  });

  it.each([
    [apiError(401), /did not accept the credentials/],
    [apiError(404), /does not serve nodes/],
    [new MalformedAnswerError({ verb: 'list', resource: nodes }, 'it is a web page'), /really a Kubernetes/],
  ])('what waiting does not change is not waited for: %s', async (error, message) => {
    const { done, waits } = check({ list: [error] });
    await expect(done).rejects.toThrow(message);
    expect(waits).toEqual([]);
  });

  it('all permissions that are missing are told at once, refused reads among them', async () => {
    const { done } = check({
      list: [apiError(403)],
      allowed: ({ verb, resource }) => resource !== 'nodes' && verb !== 'create',
    });
    await expect(done).rejects.toMatchObject({
      message:
        'the API server does not allow this identity to get nodes, list nodes, watch nodes, patch nodes, ' +
        'delete nodes, create leases.coordination.k8s.io in namespace apps, create configmaps in namespace apps, ' +
        'create events in namespace default',
      exitCode: 1,
    });
  });

  it('a namespace that is not there is told, and one that may not be asked for is trusted', async () => {
    const call = { verb: 'get', resource: namespaces, name: 'apps' } as const;
    const { done } = check({ namespace: new KubernetesError(call, { status: 404 }) });
    await expect(done).rejects.toThrow('there is no namespace apps: create it, or set another');
    await check({ namespace: new KubernetesError(call, { status: 403 }) }).done;
  });

  it('being asked to stop ends the wait without an error', async () => {
    const stop = new AbortController();
    const { done } = check(
      { list: [away] },
      {
        signal: stop.signal,
        timeoutMs: 2 ** 30,
        onWait: () => stop.abort(),
      },
    );
    const late = sleep(systemClock, 1_000).then(() => 'late');
    expect(await Promise.race([done, late])).toBeUndefined();
  });
});
