// Which pods a takeover frees, and what it says of their volumes.
import { describe, expect, it } from 'vitest';
import type { ObjectMeta, OwnerReference, PersistentVolume, Pod } from '../kubernetes/objects.ts';
import { describePinnings, describePod } from '../takeover/describe-pod.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { mustGo } from './affected-pods.ts';

const podWith = (metadata: Partial<Pod['metadata']>, spec: Pod['spec'] = {}): Pod => ({
  metadata: { name: 'pod', namespace: 'shop', uid: 'p', resourceVersion: '1', ...metadata },
  spec,
});
const owner = (kind: string, controller?: boolean): readonly OwnerReference[] => [
  { apiVersion: 'v1', kind, name: 'owner', uid: 'o', ...(controller !== undefined && { controller }) },
];

describe('a pod on a dead node', () => {
  it.each<{ what: string; metadata: Partial<ObjectMeta>; goes: boolean }>([
    { what: 'of a StatefulSet', metadata: { ownerReferences: owner('StatefulSet', true) }, goes: true },
    { what: 'of a ReplicaSet', metadata: { ownerReferences: owner('ReplicaSet', true) }, goes: true },
    { what: 'of a Job', metadata: { ownerReferences: owner('Job', true) }, goes: true },
    { what: 'that nobody manages', metadata: {}, goes: true },
    { what: 'of a DaemonSet', metadata: { ownerReferences: owner('DaemonSet', true) }, goes: false },
    { what: 'that the kubelet itself runs', metadata: { ownerReferences: owner('Node', true) }, goes: false },
    {
      what: 'that mirrors a static one',
      metadata: { annotations: { 'kubernetes.io/config.mirror': '' } },
      goes: false,
    },
    {
      what: 'that a DaemonSet owns without managing it',
      metadata: { ownerReferences: owner('DaemonSet') },
      goes: true,
    },
  ])('$what must go: $goes', ({ metadata, goes }) => {
    expect(mustGo(podWith(metadata))).toBe(goes);
  });
});

describe('the description of a pod', () => {
  const clock = new ManualClock();
  const term = endlessTerm(clock, 1);
  const meta = (name: string): PersistentVolume['metadata'] => ({ name, uid: name, resourceVersion: '1' });

  function clusterWith(
    affinity: readonly { key: string; operator: string; values?: readonly string[] }[],
  ): MemoryCluster {
    const cluster = new MemoryCluster(clock);
    cluster.claims.set('shop/data', { metadata: meta('data'), spec: { volumeName: 'pv' } });
    cluster.volumes.set('pv', {
      metadata: meta('pv'),
      spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: affinity }] } } },
    });
    return cluster;
  }
  const volumes = [
    { name: 'config', emptyDir: {} },
    { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
  ];

  it('names its StatefulSet and its volumes', async () => {
    const pod = podWith({ ownerReferences: owner('StatefulSet', true) }, { volumes });
    expect(await describePod(term, clusterWith([]), pod)).toEqual({
      namespace: 'shop',
      name: 'pod',
      uid: 'p',
      statefulSet: 'owner',
      volumes: [{ claim: 'data', volume: 'pv' }],
    });
  });

  it('says to which hosts a local volume is pinned, and does not take a zone for a host', async () => {
    const local = clusterWith([{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }]);
    const pod = await describePod(term, local, podWith({}, { volumes }));
    expect(await describePinnings(term, local, pod)).toEqual([
      { claim: 'data', volume: 'pv', pinnedTo: ['node-1'] },
    ]);
    const zonal = clusterWith([{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] }]);
    expect(await describePinnings(term, zonal, pod)).toEqual([{ claim: 'data', volume: 'pv' }]);
  });

  it('makes do with a claim that is gone or not bound yet, and with a volume that is gone', async () => {
    const cluster = new MemoryCluster(clock);
    const described = (): Promise<unknown> =>
      describePod(term, cluster, podWith({}, { volumes })).then((pod) => pod.volumes);
    expect(await described()).toEqual([{ claim: 'data' }]);
    cluster.claims.set('shop/data', { metadata: meta('data') });
    expect(await described()).toEqual([{ claim: 'data' }]);
    cluster.claims.set('shop/data', { metadata: meta('data'), spec: { volumeName: 'pv' } });
    expect(await described()).toEqual([{ claim: 'data', volume: 'pv' }]);
  });

  it('makes do with a pod without a spec', async () => {
    const { spec: _, ...bare } = podWith({});
    expect(await describePod(term, new MemoryCluster(clock), bare)).toMatchObject({
      name: 'pod',
      volumes: [],
    });
  });
});
