// A takeover that only watches needs no node: the node comes back, dies again and is taken over again meanwhile.
import { describe, expect, it } from 'vitest';
import { newRecord } from './testing/dead-node.ts';
import { LeadershipStory } from './testing/leadership-story.ts';

const startedAt = '2030-01-01T00:00:00.000Z';
const step = (outcome?: 'done' | 'skipped') => ({ startedAt, epoch: 1, ...(outcome && { outcome }) });
const removed = { claim: step('done'), cordon: step('done'), fence: step('done'), recheck: step('done') };

describe('while a takeover verifies, its node', () => {
  it('that was kept is trusted again within its usual time', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    expect(story.results).toEqual(['death: undefined']);
    story.boot('node-1', 'boot-2');
    await story.pass(75);
    expect(story.returns).toMatchObject([{ move: 'admit' }, { move: 'welcome' }]);
    expect(story.taints()).toEqual(['team']);
    expect(story.results).toEqual(['death: undefined']);
    expect(story.records[0]?.return).toMatchObject({ welcomed: true });
    await story.pass(540);
    expect(story.records[0]).toMatchObject({ result: 'incomplete', return: { welcomed: true } });
    expect(story.events('NodeReturned')).toHaveLength(1);
  });

  it('that registered anew gets back what people had put on it', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(90);
    expect(story.returns.map(({ move }) => move)).toEqual(['restore', 'welcome']);
    expect(story.results).toEqual(['death: undefined']);
  });

  it('is not said to be under takeover, yet its pods are said to be waited for', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    expect(story.leading?.runningTakeovers).toEqual([]);
    expect(story.leading?.verifyingTakeovers).toEqual(['node-1']);
    await story.pass(600);
    expect(story.leading?.verifyingTakeovers).toEqual([]);
  });

  it('is not taken over for the same death once more, however long it stays dead', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(1_200);
    expect(story.results).toEqual(['death: incomplete']);
    expect(story.fenced).toHaveLength(1);
  });

  it('is taken over at once when it dies a second time, while the first takeover goes on', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    expect(story.cluster.nodes.has('node-1')).toBe(false);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(20);
    story.die('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: undefined', 'death: recovered']);
    await story.pass(600);
    expect(story.records.map(({ node, result }) => [node.uid, result])).toEqual([
      ['n1', 'incomplete'],
      ['n1-anew', 'recovered'],
    ]);
  });

  it('takes a pod that is waited for along when it dies again: the later takeover goes on with that', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.withoutKubelet.add('node-1');
    story.cluster.replacementNode = 'node-1';
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(20);
    story.die('node-1');
    story.cluster.replacementNode = 'node-2';
    await story.pass(60);
    const [first, second] = story.records;
    expect(first).toMatchObject({
      result: 'overtaken',
      pods: [{ name: 'db-0', handedTo: second?.id }, { name: 'web-1' }],
    });
    expect(second).toMatchObject({
      result: 'recovered',
      node: { uid: 'n1-anew' },
      pods: [{ name: 'db-0', uid: "db'", replacement: { node: 'node-2' } }],
    });
  });

  it('counts against no budget of those that are taken over at once', async () => {
    const story = new LeadershipStory({ budget: { maxDead: 1, maxDeadPercent: 100 } }).lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    story.die('node-3');
    await story.pass(60);
    expect(story.records.map(({ node, result }) => [node.name, result])).toEqual([
      ['node-1', undefined],
      ['node-3', 'recovered'],
    ]);
  });
});

describe('a new leader', () => {
  it('goes on verifying beside a takeover of a later death of the same node', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.replacementNode = undefined;
    await story.cluster.createRecord(
      story.term ?? expect.unreachable(),
      newRecord({
        id: 'first',
        deathId: 'first',
        node: { name: 'node-1', uid: 'n0', bootId: 'boot-0' },
        steps: { ...removed, release: step('done'), remove: step('done'), verify: step() },
        pods: [{ namespace: 'default', name: 'mq-0', uid: 'mq', statefulSet: 'mq', volumes: [] }],
      }),
    );
    story.cluster.scale('mq', 1);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    expect(story.leading?.runningTakeovers).toEqual([]);
    expect(story.leading?.verifyingTakeovers).toEqual(['node-1']);
    await story.pass(60);
    expect(story.cluster.nodes.has('node-1')).toBe(false);
    expect(story.records.map(({ node, steps }) => [node.uid, steps.release?.outcome])).toEqual([
      ['n0', 'done'],
      ['n1', 'done'],
    ]);
    expect(story.records[0]?.result).toBeUndefined();
  });
});
