// What a leader does about nodes that come back after their takeover.
import { describe, expect, it } from 'vitest';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';

describe('a node that comes back after its takeover', () => {
  it('is trusted again once it has booted and has been well for a minute from then on', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    // Its Ready condition never changed: the takeover was quicker than Kubernetes.
    story.boot('node-1', 'boot-2');
    await story.pass(50);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('returning');
    expect(story.taints()).toContain('node.kubernetes.io/out-of-service');
    await story.pass(20);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
    expect(story.taints()).toEqual(['team']);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('alive');
    expect(story.events('NodeReturned')).toHaveLength(1);
  });

  it('is not put into quarantine before it is back', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(600);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.returns).toEqual([]);
    expect(story.events('NodeQuarantined')).toEqual([]);
  });

  it('without having booted is put into quarantine', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-1');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'quarantine' }]);
    expect(story.taints()).toContain('liberator.dev/quarantine');
  });

  it('under a new uid gets back what people had put on it', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(90);
    expect(story.returns.map(({ move }) => move)).toEqual(['restore', 'welcome']);
    expect(story.cluster.nodes.get('node-1')?.metadata.labels).toEqual({ rack: '7' });
    expect(story.taints()).toEqual(['team']);
  });

  it('is attended to by the next leader as well, and under any brake', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.blind = ['everything'];
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
  });

  it('and dies again is taken over again', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(120);
    story.die('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered', 'death: recovered']);
    expect(story.cluster.destroyed).toContain('n1-anew');
  });
});

describe('a takeover that was undone', () => {
  it('leaves nothing of ours on the node, even when the cordon reaches the server only afterwards', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(40);
    const [mark] = story.cluster.taintsOf('node-1').filter(({ key }) => key === 'liberator.dev/takeover');
    story.boot('node-1', 'boot-1');
    await story.pass(10);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);

    const others = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const };
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      spec: { ...node.spec, taints: [...(node.spec?.taints ?? []), ...(mark ? [mark] : []), others] },
    }));
    expect(story.taints()).toContain('liberator.dev/takeover');
    await story.pass(5);
    expect(story.taints()).toEqual(['team', 'node.kubernetes.io/out-of-service']);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
  });
});
