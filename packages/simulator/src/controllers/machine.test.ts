// Machines fail in several ways; what runs on them, and what the API believes, are two things.
import { describe, expect, test } from 'vitest';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';

/** A cluster with one pod, and the machine that it is on. */
async function withPod(options: Parameters<typeof startTrial>[0] = {}) {
  const cluster = await startTrial(options);
  await cluster.createSet('web', { replicas: 1 });
  return { cluster, machine: cluster.simulator.machine(cluster.nodeOf('web-0')) };
}

const lease = (cluster: TrialCluster, name: string) => cluster.client.find('leases', 'kube-node-lease', name);

describe('a machine', () => {
  test('answers probes as what is wrong with it would', async () => {
    await using cluster = await startTrial();
    const machine = cluster.simulator.machine('node-1');
    expect(machine.probe()).toBe('answered');
    machine.pause();
    expect(machine.probe()).toBe('mute');
    machine.resume();
    machine.stopKubelet();
    expect(machine.probe()).toBe('refused');
    machine.startKubelet();
    machine.cut();
    expect(machine.probe()).toBe('silent');
    expect(machine.isAlive()).toBe(true);
    machine.heal();
    machine.crash();
    expect(machine.probe()).toBe('silent');
    expect(machine.isAlive()).toBe(false);
  });

  test('cut off from the API alone is answered for by its host, and lets its Lease lapse until it is healed', async () => {
    await using cluster = await startTrial();
    const machine = cluster.simulator.machine('node-1');
    const renewed = () => lease(cluster, 'node-1')?.spec?.renewTime;
    machine.cut({ from: 'api' });
    expect([machine.probe(), machine.speaks()]).toEqual(['answered', false]);
    const before = renewed();
    await cluster.clock.advance(60_000);
    expect(renewed()).toBe(before);
    machine.cut();
    expect(machine.probe()).toBe('silent');
    machine.heal();
    expect([machine.probe(), machine.speaks()]).toEqual(['answered', true]);
    await cluster.clock.advance(60_000);
    expect(renewed()).not.toBe(before);
  });

  test('takes each verb twice without harm', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    for (const verb of [
      'cut',
      'heal',
      'pause',
      'resume',
      'stopKubelet',
      'startKubelet',
      'crash',
      'powerOn',
    ] as const) {
      machine[verb]();
      machine[verb]();
      await cluster.clock.advance(5_000);
    }
    await cluster.until(() => cluster.running().length === 1, 120_000);
    expect(cluster.running()).toEqual([`web-0 on ${machine.name}`]);
  });

  test('has a new bootID after each boot, which its Node shows', async () => {
    await using cluster = await startTrial();
    const machine = cluster.simulator.machine('node-1');
    const shown = (): string | undefined => cluster.node('node-1').status?.nodeInfo?.bootID;
    const first = machine.bootId;
    expect(shown()).toBe(first);
    machine.reboot();
    expect(machine.bootId).not.toBe(first);
    await cluster.until(() => shown() === machine.bootId, 60_000);
    machine.stopKubelet();
    machine.startKubelet();
    await cluster.clock.advance(60_000);
    expect(shown()).toBe(machine.bootId);
  });
});

describe('containers', () => {
  test('end with the power', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    machine.crash();
    expect(cluster.running()).toEqual([]);
    expect(cluster.podReady('web-0')).toBe(true);
  });

  test('outlive their kubelet, and a new one takes them over', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    const [before] = machine.runningPods();
    machine.stopKubelet();
    await cluster.clock.advance(120_000);
    machine.startKubelet();
    await cluster.clock.advance(30_000);
    expect(machine.runningPods()).toEqual([before]);
    expect(cluster.podReady('web-0')).toBe(true);
    expect(cluster.pod('web-0')?.status?.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  test('start again after a reboot, one restart more', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    const uid = cluster.pod('web-0')?.metadata.uid;
    machine.reboot();
    expect(cluster.running()).toEqual([]);
    await cluster.until(() => !cluster.podReady('web-0'), 60_000);
    await cluster.until(() => cluster.podReady('web-0'), 60_000);
    expect(cluster.pod('web-0')?.metadata.uid).toBe(uid);
    expect(cluster.pod('web-0')?.status?.containerStatuses?.[0]?.restartCount).toBe(1);
  });

  test('live on while the machine is cut off, beside the replacement that somebody forced: a split brain', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    const before = cluster.pod('web-0');
    machine.cut();
    await cluster.until(() => cluster.terminating('web-0'));
    if (before !== undefined) cluster.client.delete('pods', before, { gracePeriodSeconds: 0 });
    await cluster.until(() => cluster.podReady('web-0'), 30_000);
    expect(cluster.running()).toHaveLength(2);
    expect(new Set(cluster.simulator.runningPods().map(({ name }) => name))).toEqual(new Set(['web-0']));
    machine.heal();
    await cluster.until(() => cluster.running().length === 1, 30_000);
    expect(cluster.running()).toEqual([`web-0 on ${cluster.nodeOf('web-0')}`]);
    expect(cluster.nodeOf('web-0')).not.toBe(machine.name);
  });

  test('of a frozen machine are still there, and end when it learns that they should', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    machine.pause();
    await cluster.until(() => cluster.terminating('web-0'));
    expect(machine.runningPods()).toHaveLength(1);
    machine.resume();
    await cluster.until(() => cluster.podReady('web-0'), 30_000);
    expect(cluster.running()).toHaveLength(1);
  });
});

describe('a pod that is deleted', () => {
  test('stays until its kubelet has stopped it', async () => {
    const { cluster } = await withPod({ timings: { podStopMs: 4_000 } });
    await using _ = cluster;
    const before = cluster.pod('web-0');
    cluster.client.delete('pods', { metadata: { namespace: 'default', name: 'web-0' } });
    await cluster.clock.advance(3_900);
    expect(cluster.pod('web-0')?.metadata.uid).toBe(before?.metadata.uid);
    expect(cluster.running()).toHaveLength(1);
    await cluster.clock.advance(200);
    expect(cluster.pod('web-0')?.metadata.uid).not.toBe(before?.metadata.uid);
  });

  test('is killed when its grace ends first', async () => {
    const { cluster } = await withPod({ timings: { podStopMs: 600_000 } });
    await using _ = cluster;
    const uid = cluster.pod('web-0')?.metadata.uid;
    cluster.client.delete(
      'pods',
      { metadata: { namespace: 'default', name: 'web-0' } },
      { gracePeriodSeconds: 7 },
    );
    expect(await cluster.until(() => cluster.pod('web-0')?.metadata.uid !== uid)).toBeLessThan(8_000);
  });

  test('goes after the kubelet of a crashed machine is back and finds it not running', async () => {
    const { cluster, machine } = await withPod();
    await using _ = cluster;
    const uid = cluster.pod('web-0')?.metadata.uid;
    machine.crash();
    await cluster.until(() => cluster.terminating('web-0'));
    machine.powerOn();
    await cluster.until(() => cluster.podReady('web-0'), 60_000);
    expect(cluster.pod('web-0')?.metadata.uid).not.toBe(uid);
  });
});

describe('a Node', () => {
  test('that is deleted while its kubelet runs does not come back until the kubelet starts anew', async () => {
    await using cluster = await startTrial();
    const { uid } = cluster.node('node-1').metadata;
    cluster.client.delete('nodes', cluster.node('node-1'));
    await cluster.clock.advance(3_600_000);
    expect(cluster.hasNode('node-1')).toBe(false);
    expect(lease(cluster, 'node-1')).toBeUndefined();
    cluster.simulator.machine('node-1').stopKubelet();
    cluster.simulator.machine('node-1').startKubelet();
    await cluster.until(() => cluster.simulator.nodesReady(), 30_000);
    expect(cluster.node('node-1').metadata.uid).not.toBe(uid);
    await cluster.clock.advance(15_000);
    expect(lease(cluster, 'node-1')?.metadata.ownerReferences?.[0]?.uid).toBe(
      cluster.node('node-1').metadata.uid,
    );
  });

  test('is not Ready and not to be scheduled on at first', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    cluster.simulator.addMachine({ name: 'late' });
    await cluster.clock.advance(1);
    expect(cluster.ready('late')).toBe('False');
    expect(cluster.taints('late')).toContain('node.kubernetes.io/not-ready:NoSchedule');
    await cluster.until(() => cluster.ready('late') === 'True', 5_000);
    await cluster.clock.advance(6_000);
    expect(cluster.taints('late')).toEqual([]);
  });

  test('has its status written every five minutes though nothing changes, and its Lease every ten seconds', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    const writes = (resource: string): number =>
      cluster.simulator
        .audit()
        .filter((event) => event.user === 'system:node:node-1' && event.resource === resource).length;
    const before = { nodes: writes('nodes'), leases: writes('leases') };
    await cluster.clock.advance(3_600_000);
    expect(writes('nodes') - before.nodes).toBe(12);
    expect(writes('leases') - before.leases).toBeGreaterThan(345);
    expect(writes('leases') - before.leases).toBeLessThan(361);
  });
});
