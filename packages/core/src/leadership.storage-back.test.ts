// Storage that a fencer cut off is given back once the node's return is proven, and before it is trusted; never to one in quarantine.
import { describe, expect, it } from 'vitest';
import type { UnfenceResult } from './fencing/fencer.ts';
import { LeadershipStory } from './testing/leadership-story.ts';

/** node-1 was cut off from its storage by "csi", and taken over. */
async function cutOff(): Promise<LeadershipStory & { back: string[]; unfence: () => UnfenceResult }> {
  const back: string[] = [];
  const answer = { unfence: (): UnfenceResult => ({ outcome: 'unfenced', detail: 'open again' }) };
  const story = Object.assign(
    new LeadershipStory({ node: 'keep', fencing: { drivers: ['csi'], proof: 'required' } }),
    { back },
    answer,
  );
  story.more = [
    {
      name: 'csi',
      acts: 'storage',
      fence: (target, context) => Promise.resolve(story.fence(target, context)),
      unfence: async ({ name }, { permit }) => {
        const { outcome } = await permit();
        back.push(`${name} ${outcome}`);
        return outcome === 'granted' ? story.unfence() : { outcome: 'failed', detail: 'not permitted' };
      },
    },
  ];
  story.fence = () => ({ outcome: 'fenced', proof: 'isolated', detail: 'cut off' });
  story.lead(1);
  await story.pass(60);
  expect(story.records).toMatchObject([{ proof: 'isolated', fencer: 'csi', result: 'recovered' }]);
  return story;
}

describe('storage that a fencer cut off', () => {
  it('is given back once the node has booted and been well for a minute, before it is trusted', async () => {
    const story = await cutOff();
    story.boot('node-1', 'boot-2');
    await story.pass(50);
    expect(story.back).toEqual([]);
    await story.pass(20);
    expect(story.back).toEqual(['node-1 granted']);
    expect(story.returns.map(({ move }) => move)).toEqual(['admit', 'give-storage-back', 'welcome']);
    expect(story.records[0]).toMatchObject({ storageBack: { state: 'done', detail: 'csi: open again' } });
    expect(story.events('StorageGivenBack')).toHaveLength(1);
    await story.pass(300);
    expect(story.back).toHaveLength(1);
  });

  it('is never given back to a node in quarantine', async () => {
    const story = await cutOff();
    story.boot('node-1', 'boot-1');
    await story.pass(600);
    expect(story.returns).toMatchObject([{ move: 'quarantine' }]);
    expect(story.back).toEqual([]);
  });

  it('is given back to one in quarantine for which a human vouches', async () => {
    const story = await cutOff();
    story.boot('node-1', 'boot-1');
    await story.pass(120);
    const [record] = story.records;
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { ...node.metadata.annotations, 'liberator.dev/confirmed-returned': record?.id ?? '' },
      },
    }));
    await story.pass(20);
    expect(story.back).toEqual(['node-1 granted']);
    expect(story.records[0]?.return?.welcomed).toBe(true);
  });

  it('is given back to no other machine that has the name by now, and keeps that from nothing', async () => {
    const story = await cutOff();
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      status: { ...node.status, nodeInfo: { bootID: 'boot-1', systemUUID: 'old' } },
    }));
    story.cluster.nodes.delete('node-1');
    story.boot('node-1', 'boot-9', 'another');
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      status: { ...node.status, nodeInfo: { bootID: '' } },
    }));
    await story.pass(120);
    // It registered anew and says nothing of its boot, so nothing proves what it is.
    expect(story.back).toEqual([]);
    expect(story.records[0]?.return?.welcomed).not.toBe(true);
    expect(story.errors.map(({ error }) => String(error)).join()).toContain(
      'nothing proves that it has booted since',
    );
  });

  it('is asked for again, less and less often, while nobody gives it, and the node is not trusted meanwhile', async () => {
    const story = await cutOff();
    story.unfence = () => ({ outcome: 'failed', detail: 'no answer' });
    story.boot('node-1', 'boot-2');
    await story.pass(240);
    expect(story.back.length).toBeGreaterThan(5);
    expect(story.back.length).toBeLessThan(25);
    expect(story.taints()).toContain('liberator.dev/takeover');
    expect(story.events('ActionFailing')[0]).toContain('storage is not given back to it yet: csi: no answer');
    story.unfence = () => ({ outcome: 'unfenced', detail: 'open again' });
    await story.pass(30);
    expect(story.taints()).toEqual(['team']);
  });

  it('is given back by the next leader when the first one died on the way', async () => {
    const story = await cutOff();
    story.boot('node-1', 'boot-2');
    story.unfence = () => ({ outcome: 'failed', detail: 'no answer' });
    await story.pass(70);
    await story.crash();
    story.unfence = () => ({ outcome: 'unfenced', detail: 'open again' });
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(90);
    expect(story.records[0]).toMatchObject({
      storageBack: { state: 'done', epoch: 2 },
      return: { welcomed: true },
    });
  });

  it('is given back when the takeover is undone, by whichever rung it may have been taken', async () => {
    const story = new LeadershipStory({
      fencing: { ladder: [{ fencer: 'csi', forMs: 20_000 }, { fencer: 'ipmi' }], proof: 'required' },
    });
    const back: string[] = [];
    story.more = [
      {
        name: 'csi',
        acts: 'storage',
        fence: async () => ({ outcome: 'failed', detail: 'no answer to what was sent' }),
        unfence: async (_, { permit }) => {
          back.push((await permit()).outcome);
          return { outcome: 'unfenced', detail: 'open again' };
        },
      },
    ];
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    story.lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-1');
    await story.pass(30);
    expect(story.results).toEqual(['death: undone']);
    expect(back).toEqual(['granted']);
    expect(story.records[0]).toMatchObject({ storageBack: { state: 'done' } });
  });
});
