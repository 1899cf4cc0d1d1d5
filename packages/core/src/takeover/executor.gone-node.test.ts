// What a takeover promises outlives the Node object: somebody may delete that at any moment, and the machine runs on.
import { describe, expect, it } from 'vitest';
import { notedOf } from '../evidence/noted-node.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import { newRecord } from '../testing/dead-node.ts';
import { waiting } from '../testing/leadership-story.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

const { policy } = newRecord();
const byHuman = { policy: { ...policy, drivers: ['manual'] } };

const deleteNode = (story: TakeoverStory): void => {
  story.cluster.nodes.delete('node-1');
  story.cluster.leases.delete('node-1');
};

/** What Kubernetes does within 80 s. */
const collectPods = (story: TakeoverStory): void => {
  for (const [key, { spec }] of story.cluster.pods) {
    if (spec?.nodeName === 'node-1') story.cluster.pods.delete(key);
  }
};

const annotateRecord = (story: TakeoverStory, annotations: Readonly<Record<string, string>>): void => {
  const stored = story.cluster.records.get('death');
  if (stored !== undefined) story.cluster.records.set('death', { ...stored, annotations });
};

describe('a takeover whose Node is gone', () => {
  it.each([0, 100, 10_000])(
    'releases nothing without the proof that is required, when that happens %i ms into it',
    async (ms) => {
      await using story = new TakeoverStory();
      story.fence = waiting;
      if (ms === 0) deleteNode(story);
      await story.start().pass(ms);
      deleteNode(story);
      await story.pass(3_600_000);
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.record.proof).toBeUndefined();
      expect(story.record.steps.recheck).toBeUndefined();
      story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
      await story.pass(90_000);
      expect(story.cluster.destroyed).toEqual(['db', 'web']);
      expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
    },
  );

  it('asks its fencers by what was noted of the machine, since there is no Node', async () => {
    await using story = new TakeoverStory();
    const targets: FenceTarget[] = [];
    story.fence = (target) => {
      targets.push(target);
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    const node = story.cluster.nodes.get('node-1');
    if (node === undefined) throw new Error('there is no node');
    const noted = {
      ...notedOf(node),
      machine: { systemUuid: '4c4c4544', machineId: 'm1', providerId: 'metal:///7' },
      addresses: [{ type: 'InternalIP', address: '10.0.0.7' }],
    };
    deleteNode(story);
    await story.start({ noted }).pass(1_000);
    expect(targets).toEqual([
      {
        name: 'node-1',
        uid: 'n1',
        deathId: 'death',
        noted,
        bootId: 'boot-1',
        howToConfirm:
          'liberator confirm node-1, or kubectl annotate --overwrite --namespace liberator configmap liberator-takeover-death liberator.dev/confirmed-dead=death',
      },
    ]);
  });

  it('keeps the Node in view of its fencers while it is there', async () => {
    await using story = new TakeoverStory();
    const targets: FenceTarget[] = [];
    story.fence = (target) => {
      targets.push(target);
      return waiting();
    };
    await story.start().pass(1_000);
    expect(targets[0]).toMatchObject({ node: { metadata: { uid: 'n1' } }, noted: { labels: { rack: '7' } } });
  });

  it('is confirmed by a human on its record, by the id of this very death', async () => {
    await using story = new TakeoverStory();
    await story.start(byHuman).pass(10_000);
    expect(story.record.nodeGone).toBeUndefined();
    deleteNode(story);
    await story.pass(10_000);
    expect(story.record.nodeGone).toBe(true);
    expect(story.record.steps.fence?.detail).toContain(
      'liberator confirm node-1, or kubectl annotate --overwrite --namespace liberator configmap liberator-takeover-death liberator.dev/confirmed-dead=death',
    );
    annotateRecord(story, { 'liberator.dev/confirmed-dead': 'another' });
    await story.pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    annotateRecord(story, {
      'liberator.dev/confirmed-dead': 'death',
      'liberator.dev/confirmed-by': 'alice',
    });
    await story.pass(90_000);
    expect(story.record).toMatchObject({
      result: 'recovered',
      proof: 'confirmed-by-human',
      confirmedBy: 'alice',
    });
  });

  it('does not take a confirmation on the record for one while there is a Node to put it on', async () => {
    await using story = new TakeoverStory();
    await story.start(byHuman).pass(10_000);
    annotateRecord(story, { 'liberator.dev/confirmed-dead': 'death' });
    await story.pass(60_000);
    expect(story.record.proof).toBeUndefined();
  });

  it('keeps the word of whoever confirmed on the Node before it went', async () => {
    await using story = new TakeoverStory();
    story.holds = ['paused: night'];
    await story.start(byHuman).pass(10_000);
    story.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: { ...metadata, annotations: { 'liberator.dev/confirmed-dead': 'death' } },
    }));
    await story.pass(3_000);
    deleteNode(story);
    await story.pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    story.holds = [];
    await story.pass(90_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'confirmed-by-human' });
  });

  it('is held by a brake as before', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(10_000);
    story.holds = ['paused: everything is paused: the storage is being migrated'];
    await story.pass(5_000);
    deleteNode(story);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    const asked = story.fenced.length;
    await story.pass(600_000);
    expect(story.fenced).toHaveLength(asked);
    expect(story.cluster.destroyed).toEqual([]);
    story.holds = [];
    await story.pass(90_000);
    expect(story.record.result).toBe('recovered');
  });

  it('goes on without proof where none is required', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'failed', detail: 'no such machine' });
    deleteNode(story);
    await story.start({ policy: { ...policy, proof: 'optional' } }).pass(80_000);
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(100_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'none' });
    expect(story.fenced.length).toBeGreaterThan(5);
  });

  it('is undone when its kubelet renews the Lease all the same', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(10_000);
    deleteNode(story);
    story.cluster.renew('node-1', 'r2');
    await story.pass(5_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'its Lease was renewed at r2' });
    expect(story.cluster.destroyed).toEqual([]);
  });

  it.each([{ holds: [] }, { holds: ['paused: night'] }])(
    'ends as overtaken once Kubernetes has collected its pods, under the brakes $holds too',
    async ({ holds }) => {
      await using story = new TakeoverStory();
      story.fence = waiting;
      await story.start().pass(10_000);
      story.holds = holds;
      deleteNode(story);
      await story.pass(60_000);
      expect(story.record.result).toBeUndefined();
      collectPods(story);
      // Whoever could stop the machine has its turn to the end, unless a brake is on.
      await story.pass(holds.length > 0 ? 3_000 : 25_000);
      expect(story.record).toMatchObject({
        result: 'overtaken',
        overtaken: 'the Node was deleted, and no pod of it is left to release',
      });
      expect(story.record.proof).toBeUndefined();
      expect(story.cluster.destroyed).toEqual([]);
    },
  );

  it('stops the machine all the same when Kubernetes has collected its pods, since it may run on', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(10_000);
    deleteNode(story);
    collectPods(story);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(10_000);
    expect(story.record).toMatchObject({ result: 'overtaken', proof: 'powered-off', fencer: 'ipmi' });
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('is not held for a human when Kubernetes has collected its pods', async () => {
    await using story = new TakeoverStory();
    await story.start(byHuman).pass(10_000);
    deleteNode(story);
    collectPods(story);
    await story.pass(12_000);
    expect(story.record).toMatchObject({ result: 'overtaken' });
    expect(story.record.proof).toBeUndefined();
  });

  it('that an older version let pass without a proof goes back for it', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    deleteNode(story);
    const at = '2030-01-01T00:00:00.000Z';
    const ended = { startedAt: at, epoch: 1, endedAt: at, outcome: 'skipped' as const };
    await story
      .start({ steps: { claim: ended, cordon: ended, fence: ended, recheck: ended }, epoch: 1 })
      .pass(600_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record.steps.fence).toMatchObject({ detail: 'ipmi: not yet' });
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(90_000);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a Lease without a time', () => {
  it('is no sign of life', async () => {
    await using story = new TakeoverStory();
    const lease = story.cluster.leases.get('node-1');
    if (lease === undefined) throw new Error('there is no Lease');
    story.cluster.leases.set('node-1', { ...lease, spec: {} });
    story.lifeSign = () => undefined;
    await story.start().pass(90_000);
    expect(story.record.result).toBe('recovered');
  });
});
