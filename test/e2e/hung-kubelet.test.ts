// A host that is up while its kubelet is silent, on a real control plane: it is switched off where the policy says so, and not before.
import { describe, expect, it } from 'vitest';
import { fast } from './fast.ts';
import { PoweredStage } from './machines/powered-stage.ts';
import { databaseOn, pause } from './stage.ts';

function open(hungAfterMs: number): Promise<PoweredStage> {
  return PoweredStage.open({
    timings: fast.timings,
    settings: { ...fast.settings },
    policy: {
      detection: fast.detection,
      fencing: { ladder: [{ fencer: 'bmc' }], proof: 'required', hungAfter: `${hungAfterMs / 1_000}s` },
    },
  });
}

describe('a host that is up', () => {
  it.each(['pause', 'stopKubelet'] as const)(
    'is switched off after the time of its policy, and its database runs elsewhere: %s',
    async (how) => {
      const hungAfterMs = 50_000;
      await using powered = await open(hungAfterMs);
      const { stage, room } = powered;
      const { before, node } = await databaseOn(stage);

      const silentSince = Date.now();
      stage.cluster[how](node);
      await stage.untilRecovered(before);

      const offAt = room.switchedOffAt(node) ?? 0;
      // Its last renewal may be as old as the kubelet's interval when it falls silent.
      expect(offAt - silentSince).toBeGreaterThan(hungAfterMs - 10_000);
      const [record] = await stage.records();
      expect(record).toMatchObject({ hung: true, proof: 'powered-off', fencer: 'bmc' });
      const freed = await stage.deletes('pods');
      expect(freed.map(({ uid }) => uid)).toEqual([before.metadata.uid]);
      for (const { receivedAt } of freed) expect(receivedAt.getTime()).toBeGreaterThan(offAt);
    },
  );

  it('is left alone when its kubelet comes back in time', async () => {
    // Kubernetes takes up to a minute to call it Unknown, which is when it begins to count as one that hangs.
    const hungAfterMs = 90_000;
    await using powered = await open(hungAfterMs);
    const { stage, room } = powered;
    const { before, node } = await databaseOn(stage);

    const silentSince = performance.now();
    stage.cluster.pause(node);
    await stage.cluster.untilReady(node, 'Unknown');
    stage.cluster.resume(node);
    await stage.cluster.untilReady(node, 'True');
    await pause(silentSince + hungAfterMs + 15_000 - performance.now());

    expect(room.orders).toEqual([]);
    expect(await stage.deletes('pods')).toEqual([]);
    expect((await stage.database())?.metadata.uid).toBe(before.metadata.uid);
  });
});
