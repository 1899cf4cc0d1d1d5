// A Node that somebody deletes takes neither the proof nor the brakes of its takeover with it, whoever leads.
import { describe, expect, it } from 'vitest';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';

const deleteNode = (story: LeadershipStory): void => {
  story.cluster.nodes.delete('node-1');
  story.cluster.leases.delete('node-1');
};

const annotate = (story: LeadershipStory, annotations: Readonly<Record<string, string>>): void =>
  story.cluster.changeNode('node-1', (node) => ({
    ...node,
    metadata: { ...node.metadata, annotations: { ...node.metadata.annotations, ...annotations } },
  }));

describe('a Node that is deleted while its takeover waits', () => {
  it('is waited about as before, until there is a proof', async () => {
    const story = new LeadershipStory();
    story.fence = waiting;
    story.lead(1);
    await story.pass(40);
    deleteNode(story);
    await story.pass(600);
    expect(story.cluster.destroyed).toEqual([]);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(90);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('leaves a pause of everything in force', async () => {
    const story = new LeadershipStory();
    story.fence = waiting;
    story.lead(1);
    await story.pass(40);
    story.paused = 'the storage is being migrated';
    await story.pass(10);
    deleteNode(story);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(600);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.records[0]).not.toHaveProperty('proof');
    story.paused = undefined;
    await story.pass(90);
    expect(story.results).toEqual(['death: recovered']);
  });

  it.each([
    ['a pause', { 'liberator.dev/paused': 'mine' }],
    ['an exclusion', { 'liberator.dev/exclude': 'true' }],
  ])('leaves %s of its own in force, under the next leader too', async (_, annotations) => {
    const story = new LeadershipStory();
    story.fence = waiting;
    story.lead(1);
    await story.pass(40);
    annotate(story, annotations);
    await story.pass(3);
    deleteNode(story);
    await story.pass(10);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    const asked = story.fenced.length;
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(600);
    expect(story.fenced).toHaveLength(asked);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.results).toEqual(['death: undefined']);
  });
});

describe('a host that is up', () => {
  it.each(['refused', 'mute', 'answered'] as const)(
    'is never to be confirmed dead first thing: it %s, so its kubelet is what needs help',
    async (answer) => {
      const story = new LeadershipStory().lead(1);
      story.hears = answer;
      story.silent.clear();
      await story.pass(120);
      const [told = ''] = story.events('TakeoverHeld');
      expect(told).toContain('the host is up');
      expect(told).toContain(
        'Its machine is up, so what ran on it may still write. Restart its kubelet; or power the machine off, and only then: liberator confirm node-1, or kubectl annotate --overwrite',
      );
      expect(told).not.toContain('Once you have made sure');
      expect(story.cluster.destroyed).toEqual([]);
    },
  );
});
