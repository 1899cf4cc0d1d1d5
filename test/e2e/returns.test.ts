// Nodes that come back after they were taken over, on a real control plane: when they are trusted again, and when not.
import { confirmedReturnedAnnotation } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { expectDeletes } from './deletes.ts';
import { databaseOn, pause, Stage } from './stage.ts';

const ours = ['liberator.dev/takeover', 'node.kubernetes.io/out-of-service'] as const;
const quarantine = 'liberator.dev/quarantine';

describe('on a real control plane', () => {
  it('a deleted Node that registers anew gets back what people had put on it', async () => {
    await using stage = await Stage.open();
    const { before, node } = await databaseOn(stage);
    await stage.label(node, { 'example.com/rack': 'r7' });

    stage.cluster.crash(node);
    await stage.untilRecovered(before);
    await stage.cluster.start(node);
    await stage.until('the label is back', async () => {
      const again = await stage.node(node);
      return again?.metadata.labels?.['example.com/rack'] === 'r7';
    });
    await expectDeletes(stage, { node, pod: before.metadata.uid });
  });

  it('a Node that was kept loses our taints once it has booted again and stayed Ready, and others keep theirs', async () => {
    await using stage = await Stage.open({ policy: { node: 'keep' }, returning: { dwell: '20s' } });
    const { before, node } = await databaseOn(stage);

    stage.cluster.crash(node);
    await stage.untilRecovered(before);
    await expectDeletes(stage, { pod: before.metadata.uid });
    expect(await stage.taintsOf(node)).toEqual(expect.arrayContaining([...ours]));
    await stage.cluster.start(node);
    // Nothing of before runs on it any more: its own pods may start at once, and others not yet.
    await stage.until('it is let in', async () => !(await stage.taintsOf(node)).includes(ours[1]));
    expect(await stage.taintsOf(node)).toContain(ours[0]);

    await stage.until('our taints are gone', async () => {
      const taints = await stage.taintsOf(node);
      return !ours.some((key) => taints.includes(key));
    });
    // Its Lease was back before its new boot was.
    expect((await stage.records())[0]?.return).toMatchObject({ welcomed: true, quarantined: false });
    await expectDeletes(stage, { pod: before.metadata.uid });
  });

  it('a deleted Node that registers anew without having booted is in quarantine until a human vouches for it', async () => {
    const proven = { fencing: { ladder: [{ fencer: 'manual' }], proof: 'required' } };
    await using stage = await Stage.open({ policy: proven, returning: { dwell: '5s' } });
    const { before, node } = await databaseOn(stage);
    const { bootId } = stage.cluster.node(node);

    // Only the kubelet stops. The human who takes that for the death of the machine is wrong.
    stage.cluster.stopKubelet(node);
    const leader = stage.agent(await stage.leader());
    const held = await leader.waitFor(
      (entry) => entry.event === 'decision' && entry['node'] === node,
      60_000,
    );
    await stage.confirmDead(node, String(held['deathId']));
    await stage.untilRecovered(before);
    await stage.cluster.start(node);

    await stage.until('it is in quarantine', async () => (await stage.taintsOf(node)).includes(quarantine));
    expect((await stage.node(node))?.status?.nodeInfo?.bootID).toBe(bootId);
    await stage.until(
      'somebody was told',
      async () => (await stage.eventsAbout(node, 'NodeQuarantined')).length > 0,
    );
    const [told, ...more] = await stage.eventsAbout(node, 'NodeQuarantined');
    expect(more).toEqual([]);
    expect(told?.type).toBe('Warning');
    expect(told?.message).toContain(`it has not booted since it was taken over (boot ${bootId})`);
    const command = /kubectl annotate --overwrite node (\S+) ([^=\s]+)=(\S+)/.exec(told?.message ?? '');
    expect(command?.slice(1, 3)).toEqual([node, confirmedReturnedAnnotation]);
    // Longer than it would have to stay Ready if it were trusted.
    await pause(6_000);
    expect(await stage.taintsOf(node)).toContain(quarantine);
    const [record] = await stage.records();
    expect(record?.return).toMatchObject({ bootId, quarantined: true, welcomed: false });

    await stage.annotate(node, { [confirmedReturnedAnnotation]: command?.[3] ?? '' });
    await stage.until('it is trusted again', async () => !(await stage.taintsOf(node)).includes(quarantine));
    await stage.until('that is on record', async () => (await stage.records())[0]?.return?.welcomed === true);
    await expectDeletes(stage, { node, pod: before.metadata.uid });
  });
});
