// What it looks like to everybody when a policy refuses a deletion, and how an object hangs on a finalizer.
import { describe, expect, it } from 'vitest';
import { resources } from '../store/resources.ts';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';

const minute = 60_000;

async function remove(cluster: TrialCluster, path: string): Promise<{ status: number; message?: string }> {
  const transport = cluster.simulator.transport({ user: 'agent' });
  const answer = await transport.send({ method: 'DELETE', path, signal: new AbortController().signal });
  let text = '';
  for await (const chunk of answer.body) text += new TextDecoder().decode(chunk);
  return { status: answer.status, message: JSON.parse(text).message };
}

const holding = (cluster: TrialCluster, finalizers: readonly string[]): void => {
  cluster.store.modify<{ metadata: { finalizers?: readonly string[] } }>(
    resources.pods,
    'default',
    'db-0',
    ({ metadata }) => {
      metadata.finalizers = finalizers;
      return true;
    },
    { user: 'somebody' },
  );
};

const db = {
  metadata: { name: 'db', namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'm', image: 'm:1' }] } },
  },
};

async function withDatabase(): Promise<TrialCluster> {
  const cluster = await startTrial();
  cluster.store.create(resources.statefulsets, db, { user: 'somebody' });
  await cluster.until(() => cluster.pod('db-0')?.status?.phase === 'Running');
  return cluster;
}

describe('a policy that refuses deletions', () => {
  it.each([
    { code: 403 as const, words: 'admission webhook "protect.example.com" denied the request: pods "db-0"' },
    { code: 500 as const, words: 'failed calling webhook "protect.example.com"' },
  ])('answers $code until it is lifted', async ({ code, words }) => {
    await using cluster = await withDatabase();
    const lift = cluster.simulator.admission.refuseDeletion({ resource: 'pods', name: 'db-0', code });
    const refused = await remove(cluster, '/api/v1/namespaces/default/pods/db-0');
    expect(refused.status).toBe(code);
    expect(refused.message).toContain(words);
    expect(cluster.pod('db-0')?.metadata.deletionTimestamp).toBeUndefined();
    lift();
    expect((await remove(cluster, '/api/v1/namespaces/default/pods/db-0')).status).toBe(200);
  });

  it('is about nothing but what it names', async () => {
    await using cluster = await withDatabase();
    cluster.simulator.admission.refuseDeletion({ resource: 'pods', namespace: 'other' });
    cluster.simulator.admission.refuseDeletion({ resource: 'pods', name: 'db-1' });
    cluster.simulator.admission.refuseDeletion({ resource: 'nodes' });
    expect((await remove(cluster, '/api/v1/namespaces/default/pods/db-0')).status).toBe(200);
    expect((await remove(cluster, '/api/v1/nodes/node-1')).status).toBe(403);
  });

  it('stands before the pod garbage collector, too', async () => {
    await using cluster = await withDatabase();
    const node = cluster.pod('db-0')?.spec?.nodeName ?? '';
    cluster.simulator.admission.refuseDeletion({ resource: 'pods', name: 'db-0' });
    cluster.simulator.machine(node).crash();
    cluster.store.delete(resources.nodes, undefined, node, {}, { user: 'somebody' });
    await cluster.clock.advance(10 * minute);
    expect(cluster.pod('db-0')?.spec?.nodeName).toBe(node);
    cluster.simulator.admission.clear();
    await cluster.until(() => cluster.pod('db-0')?.spec?.nodeName !== node, 3 * minute);
  });

  it('lets a kubelet confirm that its pod has ended, unless it is told otherwise', async () => {
    await using cluster = await withDatabase();
    const { uid } = cluster.pod('db-0')?.metadata ?? {};
    await remove(cluster, '/api/v1/namespaces/default/pods/db-0');
    cluster.simulator.admission.refuseDeletion({ resource: 'pods', name: 'db-0' });
    await cluster.until(() => cluster.pod('db-0')?.metadata.uid !== uid, minute);

    cluster.simulator.admission.clear();
    await cluster.until(() => cluster.pod('db-0')?.status?.phase === 'Running');
    await remove(cluster, '/api/v1/namespaces/default/pods/db-0');
    cluster.simulator.admission.refuseDeletion({ resource: 'pods', name: 'db-0', exceptKubelets: false });
    await cluster.clock.advance(minute);
    expect(cluster.pod('db-0')?.metadata.deletionTimestamp).toBeDefined();
  });
});

describe('a pod with a finalizer', () => {
  it('stays marked after a forced deletion, and goes when the finalizer does', async () => {
    await using cluster = await withDatabase();
    const { uid } = cluster.pod('db-0')?.metadata ?? {};
    cluster.simulator.machine(cluster.pod('db-0')?.spec?.nodeName ?? '').crash();
    holding(cluster, ['example.com/hold']);
    const context = { user: 'somebody' };
    cluster.store.delete(resources.pods, 'default', 'db-0', { gracePeriodSeconds: 0 }, context);
    await cluster.clock.advance(10 * minute);
    expect(cluster.pod('db-0')?.metadata).toMatchObject({ uid, deletionGracePeriodSeconds: 0 });
    holding(cluster, []);
    await cluster.until(() => ![undefined, uid].includes(cluster.pod('db-0')?.metadata.uid), minute);
  });
});
