// What a new leader does with what the last one left behind, and how a term ends.
import { describe, expect, it } from 'vitest';
import { endlessTerm, newRecord } from './testing/dead-node.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';

describe('a new leader', () => {
  it('goes on with what the last one began, in its own epoch, without beginning anew', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    await story.crash();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.records[0]).toMatchObject({
      epoch: 2,
      steps: { cordon: { epoch: 1 }, fence: { epoch: 2 } },
    });
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });

  it('leaves alone what the last one finished, while the node is as dead as before', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(300);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
    expect(story.records[0]?.epoch).toBe(1);
  });

  it('undoes nothing because its own caches are still empty', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    await story.crash();
    // A fresh process: Nodes are listed, their Leases aren't yet.
    for (const name of [...story.nodes.keys()]) {
      story.loop.tell({ kind: 'node-gone', name });
      story.loop.tell({ kind: 'lease-gone', name });
    }
    for (const node of story.cluster.nodes.values()) story.loop.tell({ kind: 'node', node });
    story.watching = false;
    story.blind = ['not all caches are synced'];
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(10);
    expect(story.results).toEqual(['death: undefined']);
    expect(story.records[0]?.steps.fence?.detail).toContain('held: ');
    story.watching = true;
    story.blind = [];
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    // The other hosts answered the new process too.
    story.hearAll();
    await story.pass(90);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('keeps asking for the records until it gets them', async () => {
    const story = new LeadershipStory();
    await story.cluster.createRecord(endlessTerm(story.clock, 1), newRecord());
    story.lead(2);
    story.cluster.fateOf = ({ method }) => (method === 'listRecords' ? { outcome: 'failed' } : undefined);
    const takenUp = story.leading?.takeUp();
    await story.clock.advance(5_000);
    expect(story.errors.length).toBeGreaterThanOrEqual(5);
    expect(story.errors[0]).toMatchObject({ where: 'takeover records' });
    story.cluster.fateOf = () => undefined;
    await story.clock.advance(2_000);
    await takenUp;
    expect(story.leading?.runningTakeovers).toEqual(['node-1']);
  });

  it('stops asking when its term ends', async () => {
    const story = new LeadershipStory().lead(2);
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    const takenUp = story.leading?.takeUp();
    await story.clock.advance(3_000);
    story.term?.end('b holds the Lease now');
    await story.clock.advance(0);
    await takenUp;
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('works on two unfinished records of one node one after the other', async () => {
    const story = new LeadershipStory();
    const term = endlessTerm(story.clock, 1);
    await story.cluster.createRecord(term, newRecord({ id: 'first', lastHeartbeat: 'long ago' }));
    const deathId = story.nodes.get('node-1')?.deathId ?? '';
    await story.cluster.createRecord(
      term,
      newRecord({ id: deathId, deathId, order: { epoch: 1, number: 0 } }),
    );
    story.lead(2);
    await story.leading?.takeUp();
    const begun: string[] = [];
    await story.pass(60);
    for (const { record, phase } of story.progress)
      if (phase === 'started' && begun.at(-1) !== record.id) begun.push(record.id);
    expect(begun).toEqual(['first', deathId]);
    expect(story.results).toEqual(['first: undone', 'death: recovered']);
    expect(story.leading?.runningTakeovers).toEqual([]);
  });
});

describe('the end of a term', () => {
  it('ends all that was under way, without a word of error', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    const { leading } = story;
    let settled = false;
    leading?.settled().then(() => {
      settled = true;
    });
    await story.pass(10);
    expect(settled).toBe(false);
    await story.crash();
    expect(settled).toBe(true);
    expect(leading?.runningTakeovers).toEqual([]);
    expect(story.errors).toEqual([]);
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('lets nothing be decided any more', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(24.5);
    story.term?.end('asked to stop');
    await story.pass(10);
    expect([story.decisions, story.records, story.cluster.events]).toEqual([[], [], []]);
  });
});
