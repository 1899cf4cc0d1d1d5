// Where pods go, and what is said when they can't go anywhere.
import { describe, expect, test } from 'vitest';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';

const whyPending = (cluster: TrialCluster, name: string): string | undefined =>
  cluster.pod(name)?.status?.conditions?.find((one) => one.type === 'PodScheduled' && one.status === 'False')
    ?.message;

const request = (cpu: string): object => ({
  containers: [{ name: 'main', image: 'main:1', resources: { requests: { cpu } } }],
});

test('pods of one owner spread over the nodes', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web', { replicas: 3 });
  expect(new Set(['web-0', 'web-1', 'web-2'].map((name) => cluster.nodeOf(name))).size).toBe(3);
});

describe('a pod that fits nowhere', () => {
  test.each([
    [
      'a selector',
      { nodeSelector: { disk: 'fast' } },
      "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    ],
    ['its size', request('9'), '0/3 nodes are available: 3 Insufficient cpu.'],
    [
      'a claim that is missing',
      { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'none' } }] },
      'persistentvolumeclaim "none" not found',
    ],
  ])('because of %s says so', async (_, spec, message) => {
    await using cluster = await startTrial();
    cluster.createPod('lonely', spec);
    await cluster.clock.advance(2_000);
    expect(cluster.pod('lonely')?.spec?.nodeName).toBeUndefined();
    expect(whyPending(cluster, 'lonely')).toBe(message);
    expect(cluster.pod('lonely')?.status?.phase).toBe('Pending');
    expect(cluster.client.list('events').map((event) => event.reason)).toContain('FailedScheduling');
  });

  test('because of taints comes when they go', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    cluster.taint('node-1', 'example.com/mine', 'NoSchedule');
    cluster.createPod('patient');
    await cluster.clock.advance(60_000);
    expect(whyPending(cluster, 'patient')).toBe(
      '0/1 nodes are available: 1 node(s) had untolerated taint {example.com/mine: }.',
    );
    cluster.client.change('nodes', { metadata: { name: 'node-1' } }, (draft) => {
      draft.spec = { ...draft.spec, taints: [] };
      return true;
    });
    expect(await cluster.until(() => cluster.podReady('patient'))).toBeLessThan(12_000);
    expect(whyPending(cluster, 'patient')).toBeUndefined();
  });

  test('because another one is too big comes when that one goes', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    cluster.createPod('big', request('5'));
    await cluster.until(() => cluster.podReady('big'));
    cluster.createPod('second', request('4'));
    await cluster.clock.advance(30_000);
    expect(whyPending(cluster, 'second')).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    cluster.client.delete('pods', { metadata: { namespace: 'default', name: 'big' } });
    expect(await cluster.until(() => cluster.podReady('second'))).toBeLessThan(15_000);
  });
});

test('a cordoned node gets no pods', async () => {
  await using cluster = await startTrial({ nodes: 2 });
  cluster.client.change('nodes', { metadata: { name: 'node-1' } }, (draft) => {
    draft.spec = { ...draft.spec, unschedulable: true };
    return true;
  });
  await cluster.createSet('web', { replicas: 3 });
  expect(cluster.running()).toEqual(['web-0 on node-2', 'web-1 on node-2', 'web-2 on node-2']);
});

test('required anti-affinity keeps pods apart', async () => {
  await using cluster = await startTrial({ nodes: 2 });
  const apart = { labelSelector: { matchLabels: { app: 'web' } }, topologyKey: 'kubernetes.io/hostname' };
  const podSpec = {
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
  };
  await cluster.createSet('web', { replicas: 2, podSpec });
  cluster.client.change('statefulsets', { metadata: { namespace: 'default', name: 'web' } }, (draft) => {
    draft.spec = { ...draft.spec, replicas: 3 };
    return true;
  });
  await cluster.clock.advance(30_000);
  expect(whyPending(cluster, 'web-2')).toBe(
    "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.",
  );
});

test('a pod with another scheduler is left alone', async () => {
  await using cluster = await startTrial();
  cluster.createPod('other', { schedulerName: 'mine' });
  await cluster.clock.advance(60_000);
  expect(cluster.pod('other')?.spec?.nodeName).toBeUndefined();
  expect(whyPending(cluster, 'other')).toBeUndefined();
});
