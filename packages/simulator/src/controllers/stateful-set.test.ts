// Identity above all: order, names, claims, and no replacement before the old pod is gone.
import { describe, expect, test } from 'vitest';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';

const scale = (cluster: TrialCluster, replicas: number): void => {
  cluster.client.change('statefulsets', { metadata: { namespace: 'default', name: 'web' } }, (draft) => {
    draft.spec = { ...draft.spec, replicas };
    return true;
  });
};
const names = (cluster: TrialCluster): readonly string[] =>
  cluster.client.list('pods').map((pod) => pod.metadata.name);

test('pods come in order, each after the one before is Ready', async () => {
  await using cluster = await startTrial();
  const order: string[] = [];
  const end = cluster.client.watch('pods', ({ type, object, previous }) => {
    const ready = object.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
    const wasReady = previous?.status?.conditions?.some(
      (one) => one.type === 'Ready' && one.status === 'True',
    );
    if (type === 'ADDED') order.push(`made ${object.metadata.name}`);
    else if (ready && !wasReady) order.push(`ready ${object.metadata.name}`);
  });
  await cluster.createSet('web', { replicas: 2 });
  end();
  expect(order).toEqual(['made web-0', 'ready web-0', 'made web-1', 'ready web-1']);
});

test('with Parallel they come all at once', async () => {
  await using cluster = await startTrial({ timings: { podStartMs: 30_000 } });
  const created = cluster.createSet('web', { spec: { podManagementPolicy: 'Parallel' } });
  const early = cluster.client.watch('pods', () => {
    if (names(cluster).length === 3) expect(cluster.clock.now()).toBeLessThan(60_000);
  });
  await created;
  early();
  expect(names(cluster)).toEqual(['web-0', 'web-1', 'web-2']);
});

test('each pod has its labels, its host name, its owner and its own claim', async () => {
  await using cluster = await startTrial();
  const set = await cluster.createSet('web', { replicas: 2, volumes: true });
  const pod = cluster.pod('web-1');
  expect(pod?.metadata.labels).toMatchObject({
    app: 'web',
    'statefulset.kubernetes.io/pod-name': 'web-1',
    'apps.kubernetes.io/pod-index': '1',
    'controller-revision-hash': set.status?.currentRevision,
  });
  expect(pod?.spec).toMatchObject({ hostname: 'web-1', subdomain: 'web' });
  expect(pod?.metadata.ownerReferences).toMatchObject([
    { kind: 'StatefulSet', uid: set.metadata.uid, controller: true },
  ]);
  expect(pod?.spec?.volumes).toContainEqual({
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-web-1' },
  });
});

test('a pod that was deleted comes back under its name with its claim', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web', { replicas: 2, volumes: true });
  const claim = cluster.client.find('persistentvolumeclaims', 'default', 'data-web-0');
  const before = cluster.pod('web-0')?.metadata.uid;
  cluster.client.delete('pods', { metadata: { namespace: 'default', name: 'web-0' } });
  await cluster.until(() => cluster.podReady('web-0'), 30_000);
  expect(cluster.pod('web-0')?.metadata.uid).not.toBe(before);
  expect(cluster.client.find('persistentvolumeclaims', 'default', 'data-web-0')).toEqual(claim);
});

describe('while one pod is stuck Terminating', () => {
  const withStuckPod = async (spec: object) => {
    const cluster = await startTrial();
    await cluster.createSet('web', { spec });
    cluster.simulator.machine(cluster.nodeOf('web-1')).crash();
    await cluster.until(() => cluster.terminating('web-1'));
    return cluster;
  };

  test('the status counts it as there, but not as Ready', async () => {
    await using cluster = await withStuckPod({});
    await cluster.clock.advance(1_000);
    expect(cluster.set('web').status).toMatchObject({ replicas: 3, readyReplicas: 2 });
  });

  test('an ordered set stands still', async () => {
    await using cluster = await withStuckPod({});
    scale(cluster, 5);
    await cluster.clock.advance(3_600_000);
    expect(names(cluster)).toEqual(['web-0', 'web-1', 'web-2']);
  });

  test('a parallel set goes on with the others', async () => {
    await using cluster = await withStuckPod({ podManagementPolicy: 'Parallel' });
    scale(cluster, 5);
    await cluster.clock.advance(60_000);
    expect(names(cluster)).toEqual(['web-0', 'web-1', 'web-2', 'web-3', 'web-4']);
    expect(cluster.set('web').status).toMatchObject({ replicas: 5, readyReplicas: 4 });
  });
});

test('scaling down removes pods from the top, one by one, and leaves their claims', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web', { volumes: true });
  scale(cluster, 1);
  await cluster.until(() => names(cluster).length === 2);
  expect(names(cluster)).toEqual(['web-0', 'web-1']);
  await cluster.until(() => names(cluster).length === 1);
  await cluster.clock.advance(5_000);
  expect(cluster.client.list('persistentvolumeclaims')).toHaveLength(3);
});

test('a new template replaces pods from the top, each after the one above is Ready', async () => {
  await using cluster = await startTrial();
  const before = await cluster.createSet('web');
  const gone: string[] = [];
  const end = cluster.client.watch('pods', ({ type, object }) => {
    if (type === 'DELETED') gone.push(object.metadata.name);
  });
  cluster.client.change('statefulsets', before, (draft) => {
    const template = draft.spec?.template;
    if (template?.spec?.containers?.[0] !== undefined) template.spec.containers[0].image = 'main:2';
    return true;
  });
  await cluster.until(
    () => cluster.set('web').status?.currentRevision !== before.status?.currentRevision,
    120_000,
  );
  end();
  expect(gone).toEqual(['web-2', 'web-1', 'web-0']);
  expect(cluster.set('web').status).toMatchObject({
    replicas: 3,
    readyReplicas: 3,
    updatedReplicas: 3,
    observedGeneration: 2,
  });
  expect(cluster.pod('web-0')?.spec?.containers?.[0]?.image).toBe('main:2');
});
