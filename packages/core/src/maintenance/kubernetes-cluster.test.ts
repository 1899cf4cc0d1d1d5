// What the API server says to maintenance, and what is made of it.
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { answer, type ReceivedRequest, type ScriptedServer, statusBody } from '../testing/scripted-server.ts';
import { connectTo, serve } from '../testing/wire.ts';
import type { MaintenanceCluster } from './cluster.ts';
import { connectMaintenance } from './kubernetes-cluster.ts';

type Answers = Readonly<Record<string, (response: ServerResponse, request: ReceivedRequest) => void>>;

const pod = { namespace: 'shop', name: 'web-0', uid: 'u-1' };
const eviction = 'POST /api/v1/namespaces/shop/pods/web-0/eviction';
const readPod = 'GET /api/v1/namespaces/shop/pods/web-0';
const listBudgets = 'GET /apis/policy/v1/namespaces/shop/poddisruptionbudgets';

async function clusterThat(
  answers: Answers,
): Promise<{ cluster: MaintenanceCluster; server: ScriptedServer }> {
  const server = await serve((request, response) => {
    const act = answers[`${request.method} ${request.path}`];
    if (act === undefined) answer(response, 404, statusBody(404, 'NotFound'));
    else act(response, request);
  });
  return { cluster: connectMaintenance({ transport: connectTo(server.kubeConfig()) }), server };
}

const podOf = (uid: string) => (response: ServerResponse) =>
  answer(response, 200, { metadata: { ...pod, uid, labels: { app: 'web' } } });

const refusing = (response: ServerResponse): void => {
  const why = 'The disruption budget web needs 2 healthy pods and has 2 currently';
  const details = { causes: [{ reason: 'DisruptionBudget', message: why }] };
  answer(response, 429, statusBody(429, 'TooManyRequests', 'Cannot evict pod', { details }));
};

const budgets = (response: ServerResponse): void => {
  const budget = (name: string, selector?: object): object => ({ metadata: { name }, spec: { selector } });
  answer(response, 200, {
    metadata: { resourceVersion: '1' },
    items: [
      budget('web', { matchLabels: { app: 'web' } }),
      budget('everything', {}),
      budget('others', { matchLabels: { app: 'db' } }),
      budget('nothing'),
    ],
  });
};

describe('an eviction', () => {
  it('is asked for through the subresource, for this very pod', async () => {
    const { cluster, server } = await clusterThat({ [eviction]: (response) => answer(response, 201, {}) });
    expect(await cluster.evict(pod, { gracePeriodSeconds: 5 })).toEqual({ outcome: 'evicted' });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace: 'shop', name: 'web-0' },
      deleteOptions: { preconditions: { uid: 'u-1' }, gracePeriodSeconds: 5 },
    });
  });

  it('that is refused names the budgets that cover the pod', async () => {
    const { cluster } = await clusterThat({
      [eviction]: refusing,
      [readPod]: podOf('u-1'),
      [listBudgets]: budgets,
    });
    expect(await cluster.evict(pod, {})).toEqual({
      outcome: 'refused',
      budgets: ['web', 'everything'],
      why: 'The disruption budget web needs 2 healthy pods and has 2 currently',
      retryAfterMs: 0,
    });
  });

  it('that is refused has only the server’s words for whoever may not read budgets', async () => {
    const { cluster } = await clusterThat({
      [eviction]: refusing,
      [readPod]: podOf('u-1'),
      [listBudgets]: (response) => answer(response, 403, statusBody(403, 'Forbidden')),
    });
    expect(await cluster.evict(pod, {})).toMatchObject({ outcome: 'refused', budgets: [] });
  });

  it('of a pod that two budgets cover is refused until somebody decides between them', async () => {
    const { cluster } = await clusterThat({
      [eviction]: (response) => {
        const said =
          'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
        answer(response, 500, statusBody(500, 'InternalError', said));
      },
      [readPod]: podOf('u-1'),
      [listBudgets]: budgets,
    });
    expect(await cluster.evict(pod, {})).toMatchObject({
      outcome: 'refused',
      budgets: ['web', 'everything'],
      why: expect.stringContaining('more than one budget'),
    });
  });

  it('by a server that is busy is not blamed on a budget', async () => {
    const { cluster } = await clusterThat({
      [eviction]: (response) =>
        answer(response, 429, statusBody(429, 'TooManyRequests', 'too many requests'), {
          'retry-after': '3',
        }),
    });
    expect(await cluster.evict(pod, {})).toEqual({
      outcome: 'busy',
      why: 'too many requests',
      retryAfterMs: 3_000,
    });
  });

  it.each([
    { what: 'of nobody', code: 404, now: undefined, outcome: 'gone' },
    { what: 'of a pod whose name another one has', code: 409, now: 'u-2', outcome: 'gone' },
    { what: 'of a pod whose name nobody has any more', code: 409, now: undefined, outcome: 'gone' },
    { what: 'that met a change of the pod', code: 409, now: 'u-1', outcome: 'busy' },
  ])('$what is $outcome', async ({ code, now, outcome }) => {
    const { cluster } = await clusterThat({
      [eviction]: (response) =>
        answer(response, code, statusBody(code, code === 404 ? 'NotFound' : 'Conflict')),
      ...(now !== undefined && { [readPod]: podOf(now) }),
    });
    expect(await cluster.evict(pod, {})).toMatchObject({ outcome });
  });

  it.each([
    {
      who: 'an authorizer',
      said: 'pods "web-0" is forbidden: User "alice" cannot create resource "pods/eviction"',
    },
    {
      who: 'a policy',
      said: 'ValidatingAdmissionPolicy "keep" with binding "keep" denied request: not this one',
    },
    {
      who: 'a webhook',
      said: 'admission webhook "keep.example.com" denied the request: the database is syncing',
    },
  ])('that $who does not allow is denied in its words', async ({ said }) => {
    const { cluster } = await clusterThat({
      [eviction]: (response) => answer(response, 403, statusBody(403, 'Forbidden', said)),
    });
    expect(await cluster.evict(pod, {})).toMatchObject({
      outcome: 'denied',
      why: said,
      error: { status: 403, said },
    });
  });

  it('in a namespace that is being deleted waits until the pod is deleted, too', async () => {
    const said = 'unable to create new content in namespace shop because it is being terminated';
    const details = {
      causes: [{ reason: 'NamespaceTerminating', message: 'namespace shop is being terminated' }],
    };
    const { cluster } = await clusterThat({
      [eviction]: (response) => answer(response, 403, statusBody(403, 'Forbidden', said, { details })),
    });
    expect(await cluster.evict(pod, {})).toEqual({ outcome: 'busy', why: said, retryAfterMs: 5_000 });
  });

  it('of a pod that is gone is no refusal, though the budget of its namesake refuses', async () => {
    for (const now of [podOf('u-2'), undefined]) {
      const { cluster } = await clusterThat({
        [eviction]: refusing,
        ...(now !== undefined && { [readPod]: now }),
        [listBudgets]: (response) => answer(response, 403, statusBody(403, 'Forbidden')),
      });
      expect(await cluster.evict(pod, {})).toEqual({ outcome: 'gone' });
    }
  });
});

describe('a change of a node', () => {
  const node = { metadata: { name: 'node-1', uid: 'n-1', resourceVersion: '7' } };
  const patch = 'PATCH /api/v1/nodes/node-1';

  it.each([
    [
      { unschedulable: true, maintenance: 'text' },
      { annotations: { 'liberator.dev/maintenance': 'text' } },
      true,
    ],
    [
      { unschedulable: false, maintenance: null },
      { annotations: { 'liberator.dev/maintenance': null } },
      null,
    ],
    [{ unschedulable: true }, { annotations: {} }, true],
  ])('%j touches nothing else, and no other version of it', async (change, metadata, unschedulable) => {
    const { cluster, server } = await clusterThat({ [patch]: (response) => answer(response, 200, node) });
    expect(await cluster.changeNode(node, change)).toBe('written');
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      metadata: { uid: 'n-1', resourceVersion: '7', ...metadata },
      spec: { unschedulable },
    });
  });

  it('that comes too late is an outcome, not an error', async () => {
    const { cluster } = await clusterThat({
      [patch]: (response) => answer(response, 409, statusBody(409, 'Conflict')),
    });
    expect(await cluster.changeNode(node, { unschedulable: true })).toBe('conflict');
    const nobody = { metadata: { ...node.metadata, name: 'node-2' } };
    expect(await cluster.changeNode(nobody, { unschedulable: true })).toBe('gone');
  });
});
