// What a leader does in its term: it decides, acts, holds, and tells.
import { describe, expect, it } from 'vitest';
import type { FenceResult } from './fencing/fencer.ts';
import { builtInGuards } from './policy/decision.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

describe('a leader', () => {
  it('takes over a node that died, and tells so', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(24.5);
    expect(story.records).toEqual([]);
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect(story.decisions).toMatchObject([{ node: 'node-1', decision: { action: 'act' } }]);
    expect(story.events('TakeoverStarted')).toHaveLength(1);
    expect(story.leading?.runningTakeovers).toEqual([]);
    expect(story.errors).toEqual([]);
  });

  it('records on what evidence, by whose policy and past which guards it acted', async () => {
    const story = new LeadershipStory().lead(7);
    await story.pass(60);
    expect(story.records[0]).toMatchObject({
      epoch: 7,
      node: { name: 'node-1', uid: 'n1', bootId: 'boot-1' },
      lastHeartbeat: 'r1',
      evidence: 'unreachable',
      policy: { name: 'any', node: 'delete', proof: 'required', drivers: ['ipmi'] },
    });
    expect(story.records[0]?.verdicts.map(({ guard }) => guard)).toEqual(
      builtInGuards.map(({ name }) => name),
    );
  });

  it('does not act a second time on a death that it is done with, however long the node stays dead', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(3_600);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
    expect(story.taints()).toContain('node.kubernetes.io/out-of-service');
  });

  it('does nothing about a node without a policy, or one that is merely not Ready', async () => {
    const story = new LeadershipStory({ nodes: { matchLabels: { rack: 'elsewhere' } } }).lead(1);
    await story.pass(120);
    expect([story.records, story.decisions]).toEqual([[], []]);
    const renewing = new LeadershipStory().lead(1);
    renewing.asleep.clear();
    renewing.ready('node-1', 'Unknown');
    await renewing.pass(120);
    expect(renewing.records).toEqual([]);
  });

  it('counts those under way against the budget', async () => {
    const story = new LeadershipStory({ budget: { maxDead: 1, maxDeadPercent: 100 } }).lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.die('node-3');
    await story.pass(60);
    expect(story.records.map(({ node }) => node.name)).toEqual(['node-1']);
    expect(story.decisions.at(-1)?.decision.verdicts.find(({ guard }) => guard === 'budget')).toMatchObject({
      verdict: { outcome: 'hold', reason: expect.stringContaining('dead without proof (node-1, node-3)') },
    });
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.records.map(({ node, result }) => [node.name, result])).toEqual([
      ['node-1', 'recovered'],
      ['node-3', 'recovered'],
    ]);
  });
});

describe('a decision to hold', () => {
  it('is told once, with every reason and with what a human can do, and again when it changes', async () => {
    const story = new LeadershipStory({ evidence: 'proven' }).lead(1);
    await story.pass(120);
    expect(story.decisions).toHaveLength(1);
    expect(story.events('TakeoverHeld')).toHaveLength(1);
    const { deathId } = story.decisions[0] ?? {};
    expect(story.events('TakeoverHeld')[0]).toContain('the policy asks for "proven"');
    expect(story.events('TakeoverHeld')[0]).toContain(
      `kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=${deathId}`,
    );
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { 'liberator.dev/exclude': 'true' } },
    }));
    await story.pass(10);
    expect(story.decisions).toHaveLength(2);
    expect(story.events('TakeoverHeld')[1]).toContain('excluded: it is marked liberator.dev/exclude');
  });

  it('of the budget alone offers a confirmation too: a death that is proven counts for nothing', async () => {
    const story = new LeadershipStory({ budget: { maxDead: 1, maxDeadPercent: 100 } }).lead(1);
    story.fence = waiting;
    await story.pass(60);
    story.die('node-3');
    await story.pass(60);
    const [told] = story.events('TakeoverHeld').filter((message) => message.includes('budget'));
    expect(told).toMatch(/^not taken over: budget: /);
    expect(told).toContain(story.decisions.at(-1)?.deathId);
    story.cluster.changeNode('node-3', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { 'liberator.dev/confirmed-dead': String(story.decisions.at(-1)?.deathId) },
      },
    }));
    await story.pass(5);
    expect(story.records.map(({ node }) => node.name)).toEqual(['node-1', 'node-3']);
  });

  it('offers no confirmation where none would help', async () => {
    const story = new LeadershipStory();
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { 'liberator.dev/exclude': 'true' } },
    }));
    story.lead(1);
    await story.pass(60);
    const [told] = story.events('TakeoverHeld').filter((message) => message.includes('excluded'));
    expect(told).not.toContain('kubectl');
  });

  it('ends when the human confirms this very death', async () => {
    const story = new LeadershipStory({ evidence: 'proven' }).lead(1);
    await story.pass(60);
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { 'liberator.dev/confirmed-dead': String(story.decisions[0]?.deathId) },
      },
    }));
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.records[0]?.evidence).toBe('proven');
  });

  it('is told about a node that hangs: its host is up, and it is not dead', async () => {
    const story = new LeadershipStory().lead(1);
    story.silent.clear();
    await story.pass(120);
    expect(story.records).toEqual([]);
    expect(story.decisions).toHaveLength(1);
    expect(story.events('TakeoverHeld')[0]).toContain('a dead kubelet is not a dead node');
  });

  it('is forgotten when the node lives, and told anew at its next death', async () => {
    const story = new LeadershipStory({ evidence: 'proven' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(60);
    story.die('node-1');
    await story.pass(60);
    expect(story.decisions).toHaveLength(2);
    expect(story.decisions[0]?.deathId).not.toBe(story.decisions[1]?.deathId);
  });
});

describe('a takeover that is undone', () => {
  it('lets the same death be taken over anew, under an id of its own', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    // Its host is heard again, though its kubelet isn't.
    story.silent.clear();
    await story.pass(10);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    story.silent.add('node-1');
    await story.pass(30);
    expect(story.results).toEqual(['death: undone', 'death-2: recovered']);
    expect(new Set(story.records.map(({ deathId }) => deathId)).size).toBe(1);
  });

  it('is not opened anew while the node lives', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.boot('node-1', 'boot-1');
    await story.pass(300);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);
  });
});

describe('trouble', () => {
  it('with opening a record is told and tried again', async () => {
    const story = new LeadershipStory().lead(1);
    let failures = 3;
    story.cluster.fateOf = ({ method }) =>
      method === 'createRecord' && failures-- > 0
        ? { outcome: failures % 2 === 0 ? 'failed' : 'answer-lost' }
        : undefined;
    await story.pass(60);
    expect(story.errors.map(({ where }) => where)).toContain('takeover of node-1');
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
  });

  it('with Events delays nothing', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.fateOf = ({ method }) => (method === 'publishEvent' ? { outcome: 'failed' } : undefined);
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(new Set(story.errors.map(({ where }) => where))).toEqual(new Set(['events']));
  });

  it('with sight holds what can still be held, until evidence has been gathered anew', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.blind = ['the watch of Nodes is stale'];
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.records[0]?.steps.fence?.outcome).toBeUndefined();
    story.blind = [];
    story.regainSight();
    await story.pass(20);
    expect(story.records[0]?.steps.fence?.detail).toBe(
      'held: waiting for evidence that the node is still dead',
    );
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('with a record that somebody deleted begins the takeover anew', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = () => ({ ...waiting(), detail: `asked ${story.fenced.length} times` }) as FenceResult;
    await story.pass(30);
    story.cluster.records.clear();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });
});

describe('a release with more pods than are asked to go at once', () => {
  it('asks every brake again before each batch, and goes on when none holds any more', async () => {
    const story = new LeadershipStory();
    for (let i = 0; i < 35; i++) {
      story.cluster.putPod({ metadata: { name: `job-${i}`, uid: `job-${i}` }, spec: { nodeName: 'node-1' } });
    }
    // An admission webhook that hangs takes ten seconds for each.
    const sent: number[] = [];
    const deletePod = story.cluster.deletePod.bind(story.cluster);
    story.cluster.deletePod = async (term, pod) => {
      sent.push(story.clock.now());
      await sleep(story.clock, 10_000);
      return deletePod(term, pod);
    };
    story.lead(1);
    await story.pass(35);
    const before = sent.length;
    expect(before).toBeGreaterThan(0);
    story.paused = 'stop';
    await story.pass(120);
    expect(sent).toHaveLength(before);
    story.paused = undefined;
    await story.pass(120);
    expect(story.cluster.destroyed.filter((name) => name.startsWith('job-'))).toHaveLength(35);
  });
});
