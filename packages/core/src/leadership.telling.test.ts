// What a leader tells people when things go wrong: once, and never as a flood.
import { describe, expect, it } from 'vitest';
import { LeadershipStory } from './testing/leadership-story.ts';

describe('a finished record that somebody deletes', () => {
  it.each([
    ['boot-2', 'NodeReturned', 'welcome'],
    ['boot-1', 'NodeQuarantined', 'quarantine'],
  ])(
    'before the node is back (%s) has its return told once, not at every look',
    async (bootId, reason, move) => {
      const story = new LeadershipStory({ node: 'keep' }).lead(1);
      await story.pass(60);
      story.cluster.records.clear();
      story.boot('node-1', bootId);
      await story.pass(240);
      expect(story.returns).toMatchObject([{ move }]);
      expect(story.events(reason)).toHaveLength(1);
      expect(story.cluster.calls.filter(({ method }) => method === 'updateRecord').length).toBeLessThan(30);
    },
  );

  it('after it was welcomed has nothing told at all', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    const told = story.cluster.events.length;
    story.cluster.records.clear();
    await story.pass(240);
    expect(story.cluster.events).toHaveLength(told);
  });

  it('while its node is dead and kept does not open another takeover', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    const told = story.cluster.events.length;
    story.cluster.records.clear();
    await story.pass(240);
    expect(story.records).toEqual([]);
    expect(story.cluster.events).toHaveLength(told);
  });
});
