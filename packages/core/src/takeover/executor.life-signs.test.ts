// A node that lives after all is given back, and one that is gone or replaced harms nobody.
import { describe, expect, it } from 'vitest';
import { TakeoverStory } from '../testing/takeover-story.ts';

describe('a node that comes back', () => {
  it.each(['claim', 'cordon', 'fence', 'recheck'])(
    'while the %s is recorded is given back, and nothing is destroyed',
    async (step) => {
      await using story = new TakeoverStory();
      story.cluster.fateOf = ({ method, target }) => ({
        before: () => {
          const steps = story.cluster.records.get(target)?.record.steps ?? {};
          const begun = Object.keys(steps).at(-1) ?? 'nothing';
          const isIts = step === 'claim' ? method === 'createRecord' : begun === step;
          if (isIts && method.endsWith('Record')) story.cluster.renew('node-1', 'r2');
        },
      });
      await story.start().pass(30_000);
      expect(story.record).toMatchObject({ result: 'undone', undoing: expect.stringContaining('Lease') });
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
      expect(story.ended.slice(-2)).toEqual(['undo done', 'close done']);
    },
  );

  it('is told of once that is on record, so that no later leader tells it again', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    story.trouble('updateRecord', {}, { outcome: 'failed' }, { outcome: 'failed' });
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_500);
    expect(story.record).toMatchObject({ undoing: expect.stringContaining('Lease') });
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
    expect(story.record.result).toBeUndefined();
    expect(story.ended).not.toContain('undo done');
    await story.pass(10_000);
    expect(story.record.result).toBe('undone');
    expect(story.ended.filter((one) => one === 'undo done')).toHaveLength(1);
  });

  it('while a human is waited for is given back within seconds', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(60_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_100);
    expect(story.record.result).toBe('undone');
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
  });

  it('while a brake holds is given back all the same: no brake blocks recovery', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    story.holds = ['paused: everything is paused: night', 'waiting for evidence that the node is still dead'];
    await story.pass(10_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_000);
    expect(story.record.result).toBe('undone');
  });

  it('by a boot that nobody asked for is given back', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    story.cluster.changeNode('node-1', (node) => ({ ...node, status: { nodeInfo: { bootID: 'boot-2' } } }));
    await story.pass(3_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'it has booted again' });
  });

  it('without ever having had a Lease is given back when Kubernetes calls it Ready', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    story.cluster.leases.clear();
    story.lifeSign = () => undefined;
    await story.start({ lastHeartbeat: '' }).pass(10_000);
    expect(story.record.result).toBeUndefined();
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' }] },
    }));
    await story.pass(3_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'it is Ready again' });
  });

  it('after the release has begun is neither harmed further nor deleted', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(500);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toContain(
      'node.kubernetes.io/out-of-service',
    );
    story.cluster.renew('node-1', 'r2');
    await story.pass(900_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.ended).toEqual(expect.arrayContaining(['release skipped', 'remove skipped']));
    expect(story.record.result).toBe('incomplete');
  });

  it('while many pods are released loses none of those that were not asked for yet, whatever the caches show', async () => {
    await using story = new TakeoverStory();
    story.lifeSign = () => undefined;
    for (let i = 0; i < 40; i++) {
      story.cluster.putPod({ metadata: { name: `job-${i}`, uid: `job-${i}` }, spec: { nodeName: 'node-1' } });
    }
    story.cluster.fateOf = ({ method }) =>
      method === 'deletePod' ? { after: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(60_000);
    expect(story.cluster.destroyed.length).toBeLessThanOrEqual(10);
    expect(story.record.steps.release?.outcome).toBe('skipped');
  });

  it('between two pods that are released loses no further pod', async () => {
    await using story = new TakeoverStory();
    story.cluster.fateOf = ({ method }) =>
      method === 'deletePod' ? { after: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db']);
  });

  it('after its pods are gone keeps its Node', async () => {
    await using story = new TakeoverStory();
    story.cluster.fateOf = ({ method }) =>
      method === 'listAttachmentsOn' ? { before: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
  });

  it('is not taken for alive because its Lease is gone', async () => {
    await using story = new TakeoverStory();
    story.cluster.leases.delete('node-1');
    story.lifeSign = () => undefined;
    await story.start().pass(30_000);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a new Node under the old name', () => {
  const reregister = (story: TakeoverStory): void => {
    story.cluster.leases.delete('node-1');
    story.lifeSign = () => undefined;
    story.cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
  };

  it.each([0, 100])('is left alone with all its pods when it appears %i ms into a takeover', async (ms) => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    if (ms === 0) reregister(story);
    await story.start().pass(ms);
    reregister(story);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record).toMatchObject({ result: 'overtaken', overtaken: 'a new Node has taken its name' });
    expect(story.cluster.taintsOf('node-1')).toEqual([]);
  });

  it('keeps the pods that are bound to it when it appears during the release', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(500);
    reregister(story);
    await story.pass(900_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.cluster.nodes.get('node-1')?.metadata.uid).toBe('n1-anew');
    expect(story.record.result).toBe('incomplete');
  });

  it('is not deleted for the old one', async () => {
    await using story = new TakeoverStory();
    story.cluster.fateOf = ({ method }) =>
      method === 'listAttachmentsOn' ? { after: () => reregister(story) } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
  });
});
