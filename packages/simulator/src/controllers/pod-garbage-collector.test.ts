// Whose pods are freed, when, and whose never.
import { describe, expect, test } from 'vitest';
import { startTrial } from '../testing/trial-cluster.ts';
import { outOfServiceTaint } from './taints.ts';

describe('an out-of-service taint', () => {
  test('frees the pods of a node that is not Ready, within one period', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    const nodeName = cluster.nodeOf('web-1');
    cluster.simulator.machine(nodeName).crash();
    await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
    const before = cluster.pod('web-1')?.metadata.uid;
    cluster.taint(nodeName, outOfServiceTaint, 'NoExecute');
    expect(await cluster.until(() => cluster.pod('web-1')?.metadata.uid !== before)).toBeLessThan(21_000);
  });

  test('deletes the pods of a node that reports Ready, but leaves the last word to its kubelet', async () => {
    await using cluster = await startTrial({ timings: { podStopMs: 25_000 } });
    await cluster.createSet('web');
    const nodeName = cluster.nodeOf('web-1');
    const before = cluster.pod('web-1')?.metadata.uid;
    cluster.taint(nodeName, outOfServiceTaint, 'NoExecute');
    await cluster.clock.advance(24_000);
    expect(cluster.pod('web-1')?.metadata.uid).toBe(before);
    expect(cluster.terminating('web-1')).toBe(true);
    await cluster.until(() => cluster.podReady('web-1'), 20_000);
    expect(cluster.nodeOf('web-1')).not.toBe(nodeName);
  });
});

describe('a Node that is deleted', () => {
  test('frees its pods after 40 to 60 seconds, and now and then a period later', async () => {
    const freedAfterMs: number[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      await using cluster = await startTrial({ seed });
      await cluster.createSet('web');
      const nodeName = cluster.nodeOf('web-2');
      const before = cluster.pod('web-2')?.metadata.uid;
      cluster.simulator.machine(nodeName).crash();
      cluster.client.delete('nodes', cluster.node(nodeName));
      freedAfterMs.push(await cluster.until(() => cluster.pod('web-2')?.metadata.uid !== before));
    }
    const late = freedAfterMs.filter((ms) => ms > 60_500);
    expect(late.length).toBeGreaterThan(0);
    expect(late.length).toBeLessThan(freedAfterMs.length / 4);
    expect(Math.max(...freedAfterMs)).toBeLessThan(80_500);
    expect(Math.min(...freedAfterMs)).toBeGreaterThan(40_000 - 1);
  });

  test('and is back within the quarantine keeps them', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web');
    const nodeName = cluster.nodeOf('web-2');
    const before = cluster.pod('web-2')?.metadata.uid;
    cluster.client.delete('nodes', cluster.node(nodeName));
    await cluster.clock.advance(20_000);
    cluster.simulator.machine(nodeName).stopKubelet();
    cluster.simulator.machine(nodeName).startKubelet();
    await cluster.clock.advance(300_000);
    expect(cluster.podReady('web-2')).toBe(true);
    expect(cluster.pod('web-2')?.metadata.uid).toBe(before);
  });
});

test('a pod that is Terminating on a node that is merely silent stays for ever', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web');
  const nodeName = cluster.nodeOf('web-0');
  const before = cluster.pod('web-0')?.metadata.uid;
  cluster.simulator.machine(nodeName).crash();
  await cluster.clock.advance(3 * 3_600_000);
  expect(cluster.terminating('web-0')).toBe(true);
  expect(cluster.pod('web-0')?.metadata.uid).toBe(before);
});
