// Deployments and DaemonSets, and what is left when owners and namespaces go.
import { describe, expect, test } from 'vitest';
import { resources } from '../store/resources.ts';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';
import { isReady } from './conditions.ts';

const template = (labels: object, spec: object = {}): object => ({
  metadata: { labels },
  spec: { containers: [{ name: 'main', image: 'main:1' }], ...spec },
});
const workload = (name: string, spec: object = {}): object => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { matchLabels: { app: name } }, template: template({ app: name }), ...spec },
});
const readyPods = (cluster: TrialCluster): readonly string[] =>
  cluster.client
    .list('pods')
    .filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined)
    .map((pod) => pod.metadata.name);

describe('a Deployment', () => {
  test('keeps its pods, and replaces those of a dead node without waiting for them to go', async () => {
    await using cluster = await startTrial();
    cluster.client.create('deployments', workload('web', { replicas: 3 }));
    await cluster.until(() => readyPods(cluster).length === 3, 30_000);
    const [victim = ''] = readyPods(cluster);
    const nodeName = cluster.nodeOf(victim);
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.terminating(victim));
    await cluster.until(() => readyPods(cluster).length === 3, 10_000);
    expect(cluster.terminating(victim)).toBe(true);
    await cluster.clock.advance(1_000);
    expect(cluster.client.find('deployments', 'default', 'web')?.status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
    });
  });

  test('moves to a new template', async () => {
    await using cluster = await startTrial();
    const made = cluster.client.create('deployments', workload('web', { replicas: 2 }));
    await cluster.until(() => readyPods(cluster).length === 2, 30_000);
    const before = readyPods(cluster);
    cluster.client.change('deployments', made, (draft) => {
      draft.spec = {
        ...draft.spec,
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'main', image: 'main:2' }] },
        },
      };
      return true;
    });
    await cluster.until(
      () => readyPods(cluster).length === 2 && !readyPods(cluster).some((name) => before.includes(name)),
      60_000,
    );
    expect(
      cluster.client
        .list('replicasets')
        .map((set) => set.spec?.replicas)
        .sort(),
    ).toEqual([0, 2]);
  });
});

describe('a DaemonSet', () => {
  test('has a pod on each node, on new ones and on cordoned ones, too', async () => {
    await using cluster = await startTrial();
    cluster.client.create('daemonsets', workload('agent'));
    await cluster.until(() => readyPods(cluster).length === 3, 30_000);
    cluster.simulator.addMachine({ name: 'node-4' });
    cluster.client.change('nodes', { metadata: { name: 'node-1' } }, (draft) => {
      draft.spec = { ...draft.spec, unschedulable: true };
      return true;
    });
    const cordoned = cluster.client.list('pods').find((pod) => pod.spec?.nodeName === 'node-1');
    if (cordoned !== undefined) cluster.client.delete('pods', cordoned);
    await cluster.until(() => readyPods(cluster).length === 4, 30_000);
    await cluster.clock.advance(1_000);
    expect(new Set(readyPods(cluster).map((name) => cluster.nodeOf(name))).size).toBe(4);
    expect(cluster.client.find('daemonsets', 'default', 'agent')?.status).toMatchObject({
      desiredNumberScheduled: 4,
      numberReady: 4,
    });
  });

  test('keeps its pod on a node that is unreachable', async () => {
    await using cluster = await startTrial();
    cluster.client.create('daemonsets', workload('agent'));
    await cluster.until(() => readyPods(cluster).length === 3, 30_000);
    cluster.simulator.machine('node-1').crash();
    await cluster.clock.advance(3_600_000);
    expect(cluster.client.list('pods')).toHaveLength(3);
    expect(cluster.client.list('pods').some((pod) => pod.metadata.deletionTimestamp !== undefined)).toBe(
      false,
    );
  });
});

describe('when an owner is deleted', () => {
  const remove = (cluster: TrialCluster, propagationPolicy: 'Background' | 'Foreground' | 'Orphan'): void => {
    cluster.client.delete(
      'statefulsets',
      { metadata: { namespace: 'default', name: 'web' } },
      { propagationPolicy },
    );
  };

  test('in the background its pods follow', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    remove(cluster, 'Background');
    expect(cluster.store.find(resources.statefulsets, 'default', 'web')).toBeUndefined();
    await cluster.until(() => cluster.running().length === 0, 10_000);
    expect(cluster.client.list('pods')).toEqual([]);
  });

  test('in the foreground it waits for them', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    remove(cluster, 'Foreground');
    await cluster.clock.advance(100);
    expect(
      cluster.store.find(resources.statefulsets, 'default', 'web')?.metadata.deletionTimestamp,
    ).toBeDefined();
    await cluster.until(
      () => cluster.store.find(resources.statefulsets, 'default', 'web') === undefined,
      10_000,
    );
    expect(cluster.client.list('pods')).toEqual([]);
  });

  test('as an orphan maker it leaves them alone and running', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    remove(cluster, 'Orphan');
    await cluster.clock.advance(60_000);
    expect(cluster.store.find(resources.statefulsets, 'default', 'web')).toBeUndefined();
    expect(cluster.running()).toHaveLength(3);
    expect(cluster.pod('web-0')?.metadata.ownerReferences ?? []).toEqual([]);
  });
});

test('an object whose owner never was is removed', async () => {
  await using cluster = await startTrial();
  const owner = {
    apiVersion: 'v1',
    kind: 'Node',
    name: 'node-1',
    uid: '00000000-0000-4000-8000-000000000000',
  };
  cluster.client.create('leases', {
    metadata: { name: 'stray', namespace: 'default', ownerReferences: [owner] },
    spec: {},
  });
  await cluster.clock.advance(1_000);
  expect(cluster.client.find('leases', 'default', 'stray')).toBeUndefined();
});

test('a namespace goes when its pods have been stopped, and takes everything in it along', async () => {
  await using cluster = await startTrial();
  cluster.client.create('namespaces', { metadata: { name: 'team' } });
  cluster.client.create('pods', {
    metadata: { name: 'one', namespace: 'team' },
    spec: { containers: [{ name: 'main', image: 'main:1' }] },
  });
  await cluster.until(() => cluster.running().length === 1, 20_000);
  cluster.client.delete('namespaces', { metadata: { name: 'team' } });
  await cluster.clock.advance(100);
  expect(cluster.client.find('namespaces', undefined, 'team')?.metadata.deletionTimestamp).toBeDefined();
  await cluster.until(() => cluster.client.find('namespaces', undefined, 'team') === undefined, 20_000);
  expect(cluster.running()).toEqual([]);
});

test('Events are counted when they repeat, and forgotten after an hour', async () => {
  await using cluster = await startTrial();
  cluster.createPod('lonely', { nodeSelector: { disk: 'fast' } });
  await cluster.clock.advance(1_800_000);
  const failed = cluster.client.list('events').filter(({ reason }) => reason === 'FailedScheduling');
  expect(failed).toHaveLength(1);
  expect(failed[0]?.count).toBeGreaterThan(3);
  cluster.client.delete('pods', { metadata: { namespace: 'default', name: 'lonely' } });
  await cluster.clock.advance(5_400_000);
  expect(cluster.client.list('events')).toEqual([]);
});
