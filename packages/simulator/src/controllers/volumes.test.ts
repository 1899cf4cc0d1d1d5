// Claims find volumes, volumes find nodes, and a dead node lets go of them late.
import { describe, expect, test } from 'vitest';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';
import { outOfServiceTaint } from './taints.ts';

const attachments = (cluster: TrialCluster): readonly string[] =>
  cluster.client.list('volumeattachments').map(({ spec, status }) => `${spec?.nodeName} ${status?.attached}`);

const persistentVolume = (name: string, spec: object): object => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, ...spec },
});
const claim = (name: string, spec: object = {}): object => ({
  metadata: { name, namespace: 'default' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
});
const mounting = (claimName: string): object => ({
  volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
});

describe('a claim', () => {
  test('of the default class gets a volume made for it', async () => {
    await using cluster = await startTrial();
    cluster.client.create('persistentvolumeclaims', claim('data'));
    await cluster.clock.advance(2_000);
    const bound = cluster.client.find('persistentvolumeclaims', 'default', 'data');
    expect(bound).toMatchObject({
      spec: { storageClassName: 'standard' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    });
    const volume = cluster.client.find('persistentvolumes', undefined, bound?.spec?.volumeName ?? '');
    expect(volume).toMatchObject({
      spec: { claimRef: { name: 'data', uid: bound?.metadata.uid } },
      status: { phase: 'Bound' },
    });
    cluster.client.delete('persistentvolumeclaims', { metadata: { namespace: 'default', name: 'data' } });
    await cluster.clock.advance(1_000);
    expect(cluster.client.list('persistentvolumes')).toEqual([]);
  });

  test('takes the smallest volume that is big enough', async () => {
    await using cluster = await startTrial();
    for (const [name, storage] of [
      ['small', '512Mi'],
      ['large', '10Gi'],
      ['fitting', '2Gi'],
    ] as const) {
      cluster.client.create('persistentvolumes', persistentVolume(name, { capacity: { storage } }));
    }
    cluster.client.create('persistentvolumeclaims', claim('data', { storageClassName: '' }));
    await cluster.clock.advance(1_000);
    expect(cluster.client.find('persistentvolumeclaims', 'default', 'data')?.spec?.volumeName).toBe(
      'fitting',
    );
    cluster.client.delete('persistentvolumeclaims', { metadata: { namespace: 'default', name: 'data' } });
    await cluster.clock.advance(1_000);
    expect(cluster.client.find('persistentvolumes', undefined, 'fitting')?.status?.phase).toBe('Released');
  });

  test('of a class that waits for its first consumer is bound when a pod comes', async () => {
    await using cluster = await startTrial();
    cluster.client.create('storageclasses', {
      metadata: { name: 'late' },
      provisioner: 'csi.simulator.liberator.dev',
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    cluster.client.create('persistentvolumeclaims', claim('data', { storageClassName: 'late' }));
    await cluster.clock.advance(30_000);
    expect(cluster.client.find('persistentvolumeclaims', 'default', 'data')?.status?.phase).toBe('Pending');
    cluster.createPod('consumer', mounting('data'));
    expect(await cluster.until(() => cluster.podReady('consumer'))).toBeLessThan(15_000);
  });
});

test('a pod whose volume is pinned to a dead node stays Pending, and its message says why', async () => {
  await using cluster = await startTrial();
  const term = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-2'] }] };
  const pinned = {
    nodeAffinity: { required: { nodeSelectorTerms: [term] } },
    claimRef: { namespace: 'default', name: 'data' },
  };
  cluster.client.create('persistentvolumes', persistentVolume('local', pinned));
  cluster.client.create('persistentvolumeclaims', claim('data', { storageClassName: '' }));
  cluster.simulator.machine('node-2').crash();
  await cluster.until(() => cluster.ready('node-2') === 'Unknown');
  cluster.createPod('pinned', mounting('data'));
  await cluster.clock.advance(20_000);
  const scheduled = cluster.pod('pinned')?.status?.conditions?.find((one) => one.type === 'PodScheduled');
  expect(scheduled?.message).toBe(
    "0/3 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }, 2 node(s) didn't match PersistentVolume's node affinity.",
  );
});

describe('an attachable volume', () => {
  test('is attached before its pod starts and detached after it is gone', async () => {
    await using cluster = await startTrial({ timings: { attachMs: 20_000, detachMs: 5_000 } });
    const set = cluster.createSet('web', { replicas: 1, volumes: true });
    await set;
    const nodeName = cluster.nodeOf('web-0');
    expect(attachments(cluster)).toEqual([`${nodeName} true`]);
    expect(cluster.node(nodeName).status?.volumesInUse).toHaveLength(1);
    expect(cluster.node(nodeName).status?.volumesAttached?.map(({ name }) => name)).toEqual(
      cluster.node(nodeName).status?.volumesInUse,
    );
    const started = cluster.simulator.runningPods()[0]?.startedAtMs ?? 0;
    expect(started).toBeGreaterThan(35_000);
    cluster.client.delete('statefulsets', await set);
    await cluster.until(() => cluster.running().length === 0, 20_000);
    expect(await cluster.until(() => attachments(cluster).length === 0)).toBeLessThan(6_000);
    await cluster.clock.advance(1_000);
    expect(cluster.node(nodeName).status?.volumesInUse).toBeUndefined();
  });

  test('follows its pod to another node', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 1, volumes: true });
    const nodeName = cluster.nodeOf('web-0');
    cluster.taint(nodeName, 'example.com/away', 'NoExecute');
    await cluster.until(() => cluster.podReady('web-0') && cluster.nodeOf('web-0') !== nodeName, 20_000);
    expect(attachments(cluster)).toEqual([`${cluster.nodeOf('web-0')} true`]);
  });

  test('of a dead node is freed only after six minutes when its pod is forced away', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 1, volumes: true });
    const nodeName = cluster.nodeOf('web-0');
    const before = cluster.pod('web-0');
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    await cluster.clock.advance(1_000);
    if (before !== undefined) cluster.client.delete('pods', before, { gracePeriodSeconds: 0 });
    await cluster.clock.advance(60_000);
    expect(cluster.nodeOf('web-0')).not.toBe(nodeName);
    expect(attachments(cluster)).toEqual([`${nodeName} true`]);
    const events = cluster.client.list('events').filter(({ reason }) => reason === 'FailedAttachVolume');
    expect(events[0]?.message).toMatch(/^Multi-Attach error for volume "pvc-/);
    const waitedMs = 60_000 + (await cluster.until(() => cluster.podReady('web-0')));
    expect(waitedMs).toBeGreaterThan(360_000);
    expect(waitedMs).toBeLessThan(365_000);
  });

  test('of a node that is out of service is freed at once', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 1, volumes: true });
    const nodeName = cluster.nodeOf('web-0');
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    cluster.taint(nodeName, outOfServiceTaint, 'NoExecute');
    await cluster.until(() => cluster.podReady('web-0') && cluster.nodeOf('web-0') !== nodeName, 25_000);
  });

  test('of a Node that was deleted stays for six minutes after its pods were freed', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 1, volumes: true });
    const nodeName = cluster.nodeOf('web-0');
    const before = cluster.pod('web-0')?.metadata.uid;
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    cluster.client.delete('nodes', cluster.node(nodeName));
    await cluster.until(() => cluster.pod('web-0')?.metadata.uid !== before);
    const waitedMs = await cluster.until(() => cluster.podReady('web-0'));
    expect(waitedMs).toBeGreaterThan(359_000);
    expect(waitedMs).toBeLessThan(365_000);
  });

  test('of a node that is only cut off stays for six minutes, too, though its pod writes on', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 1, volumes: true });
    const nodeName = cluster.nodeOf('web-0');
    const before = cluster.pod('web-0');
    cluster.simulator.machine(nodeName).cut();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    if (before !== undefined) cluster.client.delete('pods', before, { gracePeriodSeconds: 0 });
    await cluster.clock.advance(350_000);
    expect(cluster.running()).toEqual([`web-0 on ${nodeName}`]);
    await cluster.clock.advance(20_000);
    expect(cluster.running()).toHaveLength(2);
  });

  test('that may be attached to many nodes waits for none', async () => {
    await using cluster = await startTrial();
    const shared = {
      accessModes: ['ReadWriteMany'],
      csi: { driver: 'shared', volumeHandle: 'one' },
      claimRef: { namespace: 'default', name: 'data' },
    };
    cluster.client.create('persistentvolumes', persistentVolume('shared', shared));
    cluster.client.create(
      'persistentvolumeclaims',
      claim('data', { storageClassName: '', accessModes: ['ReadWriteMany'] }),
    );
    const labels = { app: 'both' };
    cluster.client.create('deployments', {
      metadata: { name: 'both', namespace: 'default' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'main', image: 'main:1' }], ...mounting('data') },
        },
      },
    });
    await cluster.until(
      () => cluster.client.find('deployments', 'default', 'both')?.status?.readyReplicas === 2,
      30_000,
    );
    expect(attachments(cluster)).toHaveLength(2);
  });

  test('of a driver that attaches nothing has no attachment', async () => {
    await using cluster = await startTrial();
    cluster.client.create('csidrivers', { metadata: { name: 'files' }, spec: { attachRequired: false } });
    const files = {
      csi: { driver: 'files', volumeHandle: 'one' },
      claimRef: { namespace: 'default', name: 'data' },
    };
    cluster.client.create('persistentvolumes', persistentVolume('files', files));
    cluster.client.create('persistentvolumeclaims', claim('data', { storageClassName: '' }));
    cluster.createPod('reader', mounting('data'));
    await cluster.until(() => cluster.podReady('reader'), 15_000);
    expect(attachments(cluster)).toEqual([]);
  });
});
