// A proof that cuts a node off from some storage frees what writes to that storage and to nothing else; the rest waits for more.
import { describe, expect, it } from 'vitest';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import type { Pod } from '../kubernetes/objects.ts';
import { outOfServiceTaint } from '../marks/taints.ts';
import { newRecord } from '../testing/dead-node.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

const { policy } = newRecord();
const ceph = 'rbd.csi.ceph.com';
const cloudDisk = 'ebs.csi.aws.com';

const isolated = (...csiDrivers: string[]): FenceResult => ({
  outcome: 'fenced',
  proof: 'isolated',
  detail: 'fencing operation successful',
  csiDrivers,
  evidence: [{ witness: 'NetworkFence x', said: 'Succeeded', at: '2030-01-01T00:00:00.000Z' }],
});

/** A claim, its volume and its attachment to node-1, served by a CSI driver; by none without one. */
function claim(cluster: MemoryCluster, name: string, driver?: string): void {
  const volumeName = `pv-${name}`;
  cluster.claims.set(`default/${name}`, {
    metadata: { name, namespace: 'default', uid: `claim-${name}`, resourceVersion: '1' },
    spec: { volumeName },
  });
  cluster.volumes.set(volumeName, {
    metadata: { name: volumeName, uid: volumeName, resourceVersion: '1' },
    spec: driver === undefined ? { local: { path: '/disk' } } : { csi: { driver } },
  });
  if (driver === undefined) return;
  cluster.attachments.set(volumeName, {
    metadata: { name: `attachment-${name}`, uid: `va-${name}`, resourceVersion: '1' },
    spec: { attacher: driver, nodeName: 'node-1', source: { persistentVolumeName: volumeName } },
  });
}

type Volumes = NonNullable<NonNullable<Pod['spec']>['volumes']>;

function pod(cluster: MemoryCluster, name: string, set: string | undefined, volumes: Volumes): void {
  const ownerReferences = [
    {
      apiVersion: 'apps/v1',
      kind: set === undefined ? 'ReplicaSet' : 'StatefulSet',
      name: set ?? 'web',
      uid: `uid-${set ?? 'web'}`,
      controller: true,
    },
  ];
  cluster.putPod({
    metadata: { name, uid: name, ownerReferences },
    spec: { nodeName: 'node-1', volumes },
  });
}

const data = (claimName: string): Volumes[number] => ({ name: 'data', persistentVolumeClaim: { claimName } });

/** db-0 on Ceph, kafka-0 on a disk of the cloud, web-1 on nothing; "ipmi" fences Ceph. */
function mixed(): TakeoverStory {
  const story = new TakeoverStory();
  const { cluster } = story;
  cluster.attachments.clear();
  claim(cluster, 'data-db-0', ceph);
  claim(cluster, 'data-kafka-0', cloudDisk);
  pod(cluster, 'kafka-0', 'kafka', [data('data-kafka-0')]);
  story.fence = () => isolated(ceph);
  return story;
}

/** As {@link mixed}, without what only Ceph can't cover. */
function onCephOnly(): TakeoverStory {
  const story = mixed();
  story.cluster.pods.delete('default/kafka-0');
  story.cluster.attachments.delete('pv-data-kafka-0');
  return story;
}

const isMarked = ({ cluster }: TakeoverStory): boolean =>
  cluster.taintsOf('node-1').some(({ key }) => key === outOfServiceTaint.key);

const powerAfter = (story: TakeoverStory, ms: number): Fencer => ({
  name: 'power',
  fence: async () =>
    story.clock.now() >= ms
      ? { outcome: 'fenced', proof: 'powered-off', detail: 'off' }
      : { outcome: 'waiting', detail: 'the chassis restarts', retryAfterMs: 1_000 },
});

const twoRungs = {
  policy: {
    ...policy,
    ladder: [{ fencer: 'ipmi' }, { fencer: 'power', forMs: 600_000 }],
    drivers: ['ipmi', 'power'],
  },
};

describe('a proof of isolation that covers everything on the node', () => {
  it('is as good as any other: the Node is marked, freed and deleted', async () => {
    await using story = onCephOnly();
    await story.start().pass(60_000);
    expect(story.record).toMatchObject({
      result: 'recovered',
      proof: 'isolated',
      isolatedFrom: [ceph],
      fencer: 'ipmi',
      isolation: { proofs: [{ fencer: 'ipmi', csiDrivers: [ceph] }], beyond: [] },
      outOfService: true,
    });
    expect(story.record.isolation).not.toHaveProperty('freed');
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'n1', 'web']);
  });

  it('ends the ladder: nobody else is asked', async () => {
    await using story = onCephOnly();
    let asked = 0;
    story.more = [
      {
        name: 'power',
        fence: async () => {
          asked += 1;
          return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
        },
      },
    ];
    await story.start(twoRungs).pass(60_000);
    expect(asked).toBe(0);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a proof of isolation that covers some of what is on the node', () => {
  it('frees those pods by their uid, and neither marks nor deletes the Node, which would free the others', async () => {
    await using story = mixed();
    await story.start().pass(600_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(isMarked(story)).toBe(false);
    expect(story.cluster.nodes.has('node-1')).toBe(true);
    expect(story.cluster.pods.get('default/kafka-0')?.metadata.deletionTimestamp).toBeUndefined();
    expect(story.record.steps.release).toBeUndefined();
    expect(story.record).not.toHaveProperty('proof');
  });

  it('tells by name what stays, and by which volume', async () => {
    await using story = mixed();
    await story.start().pass(60_000);
    expect(story.record.isolation).toMatchObject({
      beyond: [`pod default/kafka-0 (volume data (claim data-kafka-0): ${cloudDisk})`],
      freed: true,
    });
    expect(story.record.steps.fence?.detail).toContain(
      `cut off from ${ceph} only, which does not cover pod default/kafka-0 (volume data (claim data-kafka-0): ${cloudDisk}); let go of: default/db-0, default/web-1`,
    );
  });

  it('leaves the rest to the next rung, whose proof covers everything', async () => {
    await using story = mixed();
    story.more = [powerAfter(story, 120_000)];
    await story.start(twoRungs).pass(60_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(story.record.climb?.rungs[0]).toMatchObject({ fencer: 'ipmi', end: 'partial' });
    await story.pass(120_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'power' });
    expect(story.record).not.toHaveProperty('isolatedFrom');
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'kafka-0', 'n1', 'web']);
    expect(story.record.pods.map(({ name }) => name).toSorted()).toEqual(['db-0', 'kafka-0', 'web-1']);
  });

  it('waits for a human who vouches for the death, where one is on the ladder', async () => {
    await using story = mixed();
    await story.start({ policy: { ...policy, drivers: ['ipmi', 'manual'] } }).pass(120_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    story.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: { ...metadata, annotations: { 'liberator.dev/confirmed-dead': 'death' } },
    }));
    await story.pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'confirmed-by-human' });
  });

  it('adds up with that of another fencer for the other storage', async () => {
    await using story = mixed();
    story.more = [{ name: 'cloud', fence: async () => isolated(cloudDisk) }];
    await story.start({ policy: { ...policy, drivers: ['ipmi', 'cloud'] } }).pass(60_000);
    expect(story.record).toMatchObject({
      result: 'recovered',
      proof: 'isolated',
      isolatedFrom: [cloudDisk, ceph],
      isolation: { proofs: [{ fencer: 'ipmi' }, { fencer: 'cloud' }] },
    });
  });

  it('is worth nothing where the policy does not accept it', async () => {
    await using story = mixed();
    await story.start({ policy: { ...policy, accept: ['powered-off'] } }).pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record).not.toHaveProperty('isolation');
  });

  it('frees nothing under a brake', async () => {
    await using story = mixed();
    story.fence = () => {
      story.holds = ['paused: night'];
      return isolated(ceph);
    };
    await story.start().pass(600_000);
    expect(story.cluster.destroyed).toEqual([]);
    story.holds = [];
    await story.pass(30_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
  });

  it("frees a pod that is in nobody's way any more once it lost its other volume", async () => {
    await using story = mixed();
    await story.start().pass(60_000);
    story.cluster.pods.delete('default/kafka-0');
    story.cluster.attachments.delete('pv-data-kafka-0');
    await story.pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'isolated' });
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'n1', 'web']);
  });
});

describe('what a proof for one CSI driver does not cover', () => {
  const cases: readonly (readonly [string, Volumes, boolean])[] = [
    [
      'a second claim of another driver',
      [data('data-db-0'), { name: 'log', persistentVolumeClaim: { claimName: 'other' } }],
      false,
    ],
    [
      'a disk of the host behind a claim',
      [data('data-db-0'), { name: 'log', persistentVolumeClaim: { claimName: 'disk' } }],
      false,
    ],
    ['a path of the host', [data('data-db-0'), { name: 'log', hostPath: { path: '/var/log' } }], false],
    ['NFS', [data('data-db-0'), { name: 'log', nfs: {} }], false],
    [
      'an inline volume of another driver',
      [data('data-db-0'), { name: 'log', csi: { driver: 'other.example.com' } }],
      false,
    ],
    [
      'a claim that is gone',
      [data('data-db-0'), { name: 'log', persistentVolumeClaim: { claimName: 'gone' } }],
      false,
    ],
    ['what nobody knows', [data('data-db-0'), { name: 'log', iscsi: {} } as Volumes[number]], false],
    ['an empty directory', [data('data-db-0'), { name: 'tmp', emptyDir: {} }], true],
    [
      'configuration and secrets',
      [
        data('data-db-0'),
        { name: 'c', configMap: {} },
        { name: 's', secret: {} },
        { name: 'p', projected: {} },
      ],
      true,
    ],
    [
      'an inline volume of the same driver',
      [data('data-db-0'), { name: 'log', csi: { driver: ceph } }],
      true,
    ],
    [
      'another driver, which it only reads',
      [data('data-db-0'), { name: 'log', persistentVolumeClaim: { claimName: 'other', readOnly: true } }],
      true,
    ],
    ['nothing at all, though its StatefulSet promises one of it', [], false],
    [
      'only an empty directory, though its StatefulSet promises one of it',
      [{ name: 'tmp', emptyDir: {} }],
      false,
    ],
  ];
  it.each(cases)('%s', async (_, volumes, isFreed) => {
    await using story = mixed();
    claim(story.cluster, 'other', cloudDisk);
    claim(story.cluster, 'disk');
    pod(story.cluster, 'db-0', 'db', volumes);
    await story.start().pass(60_000);
    expect(story.cluster.destroyed.includes('db-0')).toBe(isFreed);
    expect(story.cluster.destroyed).not.toContain('kafka-0');
  });

  it('a volume that no pod has any more, whose processes may run', async () => {
    await using story = onCephOnly();
    claim(story.cluster, 'left-behind', cloudDisk);
    await story.start().pass(60_000);
    expect(isMarked(story)).toBe(false);
    expect(story.record.isolation?.beyond).toEqual([`volume pv-left-behind (${cloudDisk})`]);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
  });

  it('a pod that is bound to the Node after the fence, which the recheck finds', async () => {
    await using story = onCephOnly();
    claim(story.cluster, 'late', cloudDisk);
    story.cluster.attachments.delete('pv-late');
    story.whenStarted = {
      recheck: () => pod(story.cluster, 'late-0', 'late', [data('late')]),
    };
    await story.start().pass(60_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(isMarked(story)).toBe(false);
    expect(story.record.steps.fence?.detail).toContain('pod default/late-0');
    expect(story.record).not.toHaveProperty('proof');
  });
});

describe('a node that comes back after some of its pods were freed', () => {
  it('keeps the rest and its Node, and is no takeover that was undone', async () => {
    await using story = mixed();
    await story.start().pass(60_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(120_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
    expect(story.record.isolation?.over).toContain('its Lease was renewed at r2');
    for (const step of ['fence', 'recheck', 'release', 'remove'] as const) {
      expect(story.record.steps[step]).toMatchObject({ outcome: 'skipped' });
    }
  });

  it('is given back as it was when nothing had been freed yet', async () => {
    await using story = mixed();
    story.holds = ['paused'];
    await story.start().pass(10_000);
    story.cluster.renew('node-1', 'r2');
    story.holds = [];
    await story.pass(60_000);
    expect(story.record.result).toBe('undone');
    expect(story.cluster.destroyed).toEqual([]);
  });
});
