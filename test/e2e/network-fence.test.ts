// A dead node whose storage is fenced, on a real control plane: what writes to that storage alone is freed, and nothing else.
import { isIP } from 'node:net';
import { expect, it } from 'vitest';
import { CsiAddons, ceph, csiAddonsManifests, csiAddonsVersion } from './csi-addons.ts';
import { fast } from './fast.ts';
import { databaseOn, pause, Stage } from './stage.ts';

const outOfService = 'node.kubernetes.io/out-of-service';

it('a NetworkFence frees the pod on that storage, and leaves another to a human; a new leader goes on there', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a', 'agent-b'],
    before: csiAddonsManifests,
    settings: { ...fast.settings, fencers: { ceph: { driver: 'networkFence', class: ceph.class } } },
    policy: {
      detection: fast.detection,
      fencing: { proof: 'required', ladder: [{ fencer: 'ceph', for: '60s' }, { fencer: 'manual' }] },
    },
  });
  await using storage = new CsiAddons(stage.cluster);
  await stage.until('csi-addons is served', () => succeeds(stage.create(networkFenceClass)));
  const cidrs = new Map<string, string>();
  for (const name of await stage.nodeNames()) {
    const address = await addressOf(stage, name);
    const cidr = `${address}/${isIP(address) === 4 ? 32 : 128}`;
    cidrs.set(name, cidr);
    await storage.sidecar(name, [cidr]);
  }
  // mysql-0 keeps its data on its host.
  const { before, node } = await databaseOn(stage);
  await stage.create(...onCeph(node));
  await stage.until(
    'ceph-0 is on the node of mysql-0',
    async () => (await stage.pod('ceph-0'))?.spec?.nodeName === node,
  );
  const ours = await stage.pod('ceph-0');

  storage.answers = false;
  stage.cluster.crash(node);
  await stage.until(
    'the storage is asked to keep the node out',
    async () => (await storage.fences()).length > 0,
  );
  const [record] = await stage.records();
  expect(record?.noted?.storage).toEqual([
    { driver: ceph.driver, nodeId: node, networkFenceClass: ceph.class, cidrs: [cidrs.get(node)] },
  ]);
  // Whoever asks from now on is told something else.
  await stage.remove({
    apiVersion: csiAddonsVersion,
    kind: 'CSIAddonsNode',
    metadata: { namespace: 'default', name: node },
  });
  expect(await stage.deletes('pods')).toEqual([]);
  await stage.changeLeader();
  storage.answers = true;

  await stage.until('ceph-0 is freed', async () => {
    const uid = (await stage.pod('ceph-0'))?.metadata.uid;
    return uid !== undefined && uid !== ours?.metadata.uid;
  });
  const fences = await storage.fences();
  expect(fences).toHaveLength(1);
  expect(fences[0]).toMatchObject({
    metadata: { name: `liberator-${record?.deathId}-${ceph.class}`, generation: 1 },
    spec: { fenceState: 'Fenced', networkFenceClassName: ceph.class, cidrs: [cidrs.get(node)] },
  });
  await pause(5_000);
  expect((await stage.deletes('pods')).map(({ uid }) => uid)).toEqual([ours?.metadata.uid]);
  expect(await stage.deletes('nodes')).toEqual([]);
  expect((await stage.database())?.metadata.uid).toBe(before.metadata.uid);
  expect(await stage.taintsOf(node)).not.toContain(outOfService);
  const [partial] = await stage.records();
  expect(partial?.isolation).toMatchObject({
    proofs: [{ fencer: 'ceph', csiDrivers: [ceph.driver] }],
    beyond: [expect.stringContaining('pod default/mysql-0')],
    freed: true,
  });

  await stage.confirmDead(node, record?.deathId ?? '');
  await stage.until('mysql-0 is elsewhere', async () => {
    const pod = await stage.database();
    return (
      pod?.metadata.uid !== before.metadata.uid &&
      pod?.spec?.nodeName !== undefined &&
      pod.spec.nodeName !== node
    );
  });
  expect((await stage.records())[0]).toMatchObject({ proof: 'confirmed-by-human', fencer: 'manual' });
  const refused = (await stage.cluster.audit({})).filter(
    ({ apiGroup, allowed }) => apiGroup === 'csiaddons.openshift.io' && !allowed,
  );
  expect(refused).toEqual([]);
});

const networkFenceClass = {
  apiVersion: csiAddonsVersion,
  kind: 'NetworkFenceClass',
  metadata: { name: ceph.class },
  spec: { provisioner: ceph.driver },
};

/** A StatefulSet with a volume of that driver, whose first pod goes to the given node if it can. */
function onCeph(node: string) {
  const preference = {
    matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }],
  };
  const affinity = {
    nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, preference }] },
  };
  const storage = { requests: { storage: '1Gi' } };
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'ceph-disk' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'ceph',
        csi: { driver: ceph.driver, volumeHandle: 'image-1' },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'ceph', resources: storage },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'ceph', namespace: 'default' },
      spec: {
        serviceName: 'ceph',
        replicas: 1,
        selector: { matchLabels: { app: 'ceph' } },
        template: {
          metadata: { labels: { app: 'ceph' } },
          spec: {
            affinity,
            containers: [{ name: 'db', image: 'db', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
            volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
          },
        },
      },
    },
  ];
}

async function addressOf(stage: Stage, name: string): Promise<string> {
  const found = (await stage.node(name))?.status?.addresses?.find(({ type }) => type === 'InternalIP');
  if (found === undefined) throw new Error(`expected an address of ${name}, found none`);
  return found.address;
}

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  );
}
