// Nodes fall silent, come back, and fall silent together.
import { describe, expect, test } from 'vitest';
import { startTrial } from '../testing/trial-cluster.ts';

const unreachable = ['node.kubernetes.io/unreachable:NoExecute', 'node.kubernetes.io/unreachable:NoSchedule'];
const zones = (layout: string): { name: string; zone: string }[] =>
  [...layout].map((zone, index) => ({ name: `node-${index + 1}`, zone }));

describe('a node that falls silent', () => {
  test('turns Unknown after the grace period and gets both taints', async () => {
    await using cluster = await startTrial();
    cluster.simulator.machine('node-2').crash();
    const tookMs = await cluster.until(() => cluster.ready('node-2') === 'Unknown');
    expect(tookMs).toBeGreaterThan(39_000);
    expect(tookMs).toBeLessThan(56_000);
    await cluster.clock.advance(6_000);
    expect(cluster.taints('node-2')).toEqual(unreachable);
    expect(cluster.node('node-2').status?.conditions?.map(({ status }) => status)).toEqual(
      Array(4).fill('Unknown'),
    );
    expect(cluster.taints('node-1')).toEqual([]);
  });

  test('makes its pods count as not Ready', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 3 });
    const nodeName = cluster.nodeOf('web-1');
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    await cluster.clock.advance(1_000);
    expect(cluster.podReady('web-1')).toBe(false);
    expect(cluster.set('web').status?.readyReplicas).toBe(2);
  });

  test('is judged by when its Lease was seen to move, not by the times in it', async () => {
    await using cluster = await startTrial();
    cluster.clock.jumpWallTime(24 * 3_600_000);
    await cluster.clock.advance(120_000);
    cluster.clock.jumpWallTime(-48 * 3_600_000);
    await cluster.clock.advance(120_000);
    expect(cluster.simulator.nodesReady()).toBe(true);
  });

  test('that loses its Lease, but writes its status, stays Ready', async () => {
    await using cluster = await startTrial({ timings: { nodeStatusReportMs: 20_000, leaseRenewMs: 1e9 } });
    cluster.client.delete('leases', { metadata: { namespace: 'kube-node-lease', name: 'node-1' } });
    await cluster.clock.advance(600_000);
    expect(cluster.ready('node-1')).toBe('True');
  });

  test('that never wrote a status turns Unknown, too', async () => {
    await using cluster = await startTrial();
    cluster.client.create('nodes', { metadata: { name: 'ghost' } });
    const tookMs = await cluster.until(() => cluster.ready('ghost') === 'Unknown');
    expect(tookMs).toBeGreaterThan(59_000);
    expect(tookMs).toBeLessThan(66_000);
    expect(cluster.node('ghost').status?.conditions?.[0]).toMatchObject({ reason: 'NodeStatusNeverUpdated' });
  });

  test('loses its taints when it comes back', async () => {
    await using cluster = await startTrial();
    cluster.simulator.machine('node-1').pause();
    await cluster.clock.advance(70_000);
    expect(cluster.taints('node-1')).toEqual(unreachable);
    cluster.simulator.machine('node-1').resume();
    await cluster.clock.advance(16_000);
    expect(cluster.ready('node-1')).toBe('True');
    expect(cluster.taints('node-1')).toEqual([]);
  });
});

test('a cordoned node carries the taint for it', async () => {
  await using cluster = await startTrial();
  cluster.client.change('nodes', { metadata: { name: 'node-1' } }, (draft) => {
    draft.spec = { ...draft.spec, unschedulable: true };
    return true;
  });
  await cluster.clock.advance(1_000);
  expect(cluster.taints('node-1')).toEqual(['node.kubernetes.io/unschedulable:NoSchedule']);
});

describe('when many nodes fall silent', () => {
  test('and none is left, nothing is tainted for eviction', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    for (const machine of cluster.simulator.nodes) machine.cut();
    await cluster.clock.advance(1_800_000);
    for (const { name } of cluster.simulator.nodes) {
      expect(cluster.ready(name)).toBe('Unknown');
      expect(cluster.taints(name)).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
    }
    expect(['web-0', 'web-1', 'web-2'].some((name) => cluster.terminating(name))).toBe(false);
    for (const machine of cluster.simulator.nodes) machine.heal();
    await cluster.clock.advance(60_000);
    expect(cluster.simulator.nodes.flatMap(({ name }) => cluster.taints(name))).toEqual([]);
    expect(cluster.running()).toHaveLength(3);
  });

  test('one after the other and the last one, too, the taints of the earlier ones are taken back', async () => {
    await using cluster = await startTrial();
    cluster.simulator.machine('node-1').cut();
    await cluster.clock.advance(70_000);
    expect(cluster.taints('node-1')).toEqual(unreachable);
    cluster.simulator.machine('node-2').cut();
    cluster.simulator.machine('node-3').cut();
    await cluster.clock.advance(70_000);
    expect(cluster.taints('node-1')).toEqual(['node.kubernetes.io/unreachable:NoSchedule']);
  });

  test('a node that falls silent while all are dark gets a whole new grace when one comes back', async () => {
    await using cluster = await startTrial({ nodes: 2 });
    cluster.simulator.machine('node-1').cut();
    await cluster.clock.advance(30_000);
    cluster.simulator.machine('node-2').cut();
    await cluster.until(() => cluster.ready('node-2') === 'Unknown');
    cluster.simulator.machine('node-2').heal();
    await cluster.until(() => cluster.ready('node-2') === 'True');
    cluster.simulator.machine('node-2').cut();
    const tookMs = await cluster.until(() => cluster.ready('node-2') === 'Unknown');
    expect(tookMs).toBeGreaterThan(45_000);
  });

  test('in one zone of several they are tainted one by one, ten seconds apart', async () => {
    await using cluster = await startTrial({ nodes: zones('aaabbb') });
    for (const name of ['node-1', 'node-2', 'node-3']) cluster.simulator.machine(name).crash();
    const evicted = (): number =>
      ['node-1', 'node-2', 'node-3'].filter((name) => cluster.taints(name).length === 2).length;
    await cluster.until(() => evicted() === 1);
    const second = await cluster.until(() => evicted() === 2);
    const third = await cluster.until(() => evicted() === 3);
    expect(second).toBeGreaterThan(9_000);
    expect(second + third).toBeLessThan(26_000);
  });

  test('in a small zone of which most is dark nobody is evicted', async () => {
    await using cluster = await startTrial({ nodes: zones('aaaabbb') });
    for (const name of ['node-1', 'node-2', 'node-3']) cluster.simulator.machine(name).crash();
    await cluster.clock.advance(600_000);
    const evicted = cluster.simulator.nodes.filter(({ name }) => cluster.taints(name).length === 2);
    expect(evicted.length).toBeLessThan(3);
    expect(['node-1', 'node-2', 'node-3'].map((name) => cluster.ready(name))).toEqual(
      Array(3).fill('Unknown'),
    );
  });
});
