// A node is free again once it is removed or kept, on a real control plane: verifying goes on beside it.
import { describe, expect, it } from 'vitest';
import { fast } from './fast.ts';
import { databaseOn, isReady, Stage } from './stage.ts';

const ours = ['liberator.dev/takeover', 'node.kubernetes.io/out-of-service'];

describe('while the takeover of a node waits for pods that need that very node', () => {
  it('the node is taken in again as soon as it has booted, and they run', async () => {
    await using stage = await openWithQuorum({ node: 'keep' });
    const node = await nodeOf(stage, 'quorum-0');

    stage.cluster.crash(node);
    await stage.until('its takeover verifies', async () => (await verifying(stage, node)).length > 0);
    await stage.cluster.start(node);
    const bootedAt = performance.now();
    await stage.until('quorum-0 is Ready', async () => isReady(await stage.pod('quorum-0')), 90_000);
    expect(performance.now() - bootedAt).toBeLessThan(90_000);
    await stage.until('our taints are gone', async () => {
      const taints = await stage.taintsOf(node);
      return !ours.some((key) => taints.includes(key));
    });
    await stage.until('it is on record as recovered', async () =>
      (await stage.records()).some((record) => record.node.name === node && record.result === 'recovered'),
    );
  });

  it('a second death of the node is decided about at once', async () => {
    await using stage = await openWithQuorum({ node: 'keep' });
    const node = await nodeOf(stage, 'quorum-0');

    stage.cluster.crash(node);
    await stage.until('its takeover verifies', async () => (await verifying(stage, node)).length > 0);
    await stage.cluster.start(node);
    await stage.until('our taints are gone', async () => {
      const taints = await stage.taintsOf(node);
      return !ours.some((key) => taints.includes(key));
    });
    stage.cluster.crash(node);
    const diedAt = performance.now();
    await stage.until(
      'the second death has a takeover of its own',
      async () => (await stage.records()).filter((record) => record.node.name === node).length === 2,
      60_000,
    );
    expect(performance.now() - diedAt).toBeLessThan(60_000);
  });
});

describe('a machine in quarantine', () => {
  it('is trusted again after a reboot that lasts longer than it takes to be called dead', async () => {
    await using stage = await Stage.open({
      ...fast,
      agents: ['agent-a', 'agent-b'],
      policy: { detection: fast.detection, node: 'keep' },
      returning: { dwell: '5s' },
    });
    const { before, node } = await databaseOn(stage);

    // Cut off, taken over without proof, and back without having booted.
    stage.cluster.cut(node);
    await stage.untilRecovered(before);
    stage.cluster.heal(node);
    await stage.until('it is in quarantine', async () =>
      (await stage.taintsOf(node)).includes('liberator.dev/quarantine'),
    );

    // Restarted, as its Event asks, by somebody who takes his time.
    stage.cluster.crash(node);
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    await stage.cluster.start(node);
    await stage.until(
      'it bears no mark of ours',
      async () => {
        const taints = await stage.taintsOf(node);
        return ![...ours, 'liberator.dev/quarantine'].some((key) => taints.includes(key));
      },
      90_000,
    );
  });
});

/**
 * Three nodes, and three pods of which no two may share a node: none of them can move. Each has a volume, so that somebody
 * asks whether that is what ties it to its node.
 */
async function openWithQuorum(policy: object): Promise<Stage> {
  const stage = await Stage.open({
    ...fast,
    agents: ['agent-a', 'agent-b'],
    policy: { detection: fast.detection, ...policy },
    returning: { dwell: '5s' },
  });
  const labels = { app: 'quorum' };
  for (const name of ['quorum-disk-0', 'quorum-disk-1', 'quorum-disk-2']) await stage.create(disk(name));
  const apart = [{ labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname' }];
  await stage.create({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'quorum', namespace: 'default' },
    spec: {
      serviceName: 'quorum',
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers: [{ name: 'main', image: 'registry.example/main:1' }],
          affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: apart } },
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'quorum',
            resources: { requests: { storage: '1Gi' } },
          },
        },
      ],
    },
  });
  for (const name of ['quorum-0', 'quorum-1', 'quorum-2'])
    await stage.until(`${name} is Ready`, async () => isReady(await stage.pod(name)));
  return stage;
}

function disk(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'quorum',
      hostPath: { path: `/var/lib/${name}` },
    },
  };
}

async function nodeOf(stage: Stage, name: string): Promise<string> {
  const node = (await stage.pod(name))?.spec?.nodeName;
  if (node === undefined) throw new Error(`expected ${name} on a node, found it on none`);
  return node;
}

async function verifying(stage: Stage, node: string) {
  return (await stage.records()).filter(
    (record) => record.node.name === node && record.steps.verify !== undefined && record.result === undefined,
  );
}
