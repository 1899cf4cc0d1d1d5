// A takeover that has not released anything follows the policy of now: whoever changes it to get one going sees an effect.
import { describe, expect, it } from 'vitest';
import { eventFor } from '../telling/takeover-events.ts';
import { endlessTerm, newRecord } from '../testing/dead-node.ts';
import { waiting } from '../testing/leadership-story.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import type { RecordedPolicy } from './record.ts';

const { policy } = newRecord();
const optional: RecordedPolicy = { ...policy, proof: 'optional', drivers: [] };

const changesTold = ({ progress }: TakeoverStory): readonly string[] =>
  progress.flatMap((one) => {
    const event = eventFor(one);
    return event?.reason === 'TakeoverPolicyChanged' ? [event.message] : [];
  });

describe('the policy of now', () => {
  it('is followed by a takeover that waits for a proof which is no longer asked for', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(60_000);
    expect(story.record).not.toHaveProperty('policyChanges');
    story.policy = optional;
    await story.pass(30_000);
    expect(story.record).toMatchObject({
      result: 'recovered',
      proof: 'none',
      policy: optional,
      policyChanges: [{ at: expect.any(String), epoch: 1, from: policy, to: optional }],
    });
    expect(changesTold(story)).toEqual([
      'it follows the policy of now: proof: optional, not required; fencing by: nobody, not ipmi (takeover death)',
    ]);
  });

  it('brings another fencer to one that waits for the wrong one', async () => {
    await using story = new TakeoverStory();
    story.more = [
      { name: 'cloud', fence: async () => ({ outcome: 'fenced', proof: 'instance-gone', detail: 'gone' }) },
    ];
    story.fence = waiting;
    await story.start().pass(60_000);
    story.policy = { ...policy, drivers: ['cloud'] };
    await story.pass(30_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'instance-gone', fencer: 'cloud' });
  });

  it('is followed under a new leader, and told by the one that noticed', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start({ policy: { ...policy, drivers: ['renamed-since'] } }).pass(10_000);
    expect(story.record.steps.fence?.detail).toContain('held: policy "default" names "renamed-since"');
    story.term.end('it crashed');
    await story.pass(2_000);
    story.term = endlessTerm(story.clock, 2);
    story.policy = policy;
    await story.start().pass(10_000);
    story.term.end('it crashed');
    await story.pass(2_000);
    story.term = endlessTerm(story.clock, 3);
    await story.start().pass(10_000);
    expect(story.record.policyChanges).toMatchObject([{ epoch: 2 }]);
    expect(changesTold(story)).toHaveLength(1);
    expect(story.record.steps.fence?.detail).toBe('ipmi: not yet');
  });

  it('is told once, however often the write of it fails', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(10_000);
    story.trouble('updateRecord', { outcome: 'failed' }, { outcome: 'answer-lost' }, { outcome: 'conflict' });
    story.policy = { ...policy, node: 'keep' };
    await story.pass(30_000);
    expect(story.record.policyChanges).toHaveLength(1);
    expect(changesTold(story)).toHaveLength(1);
  });

  it.each(['recheck', 'release'] as const)(
    'asks for a proof again when one is required by now, of a takeover that is held before its %s',
    async (step) => {
      await using story = new TakeoverStory();
      story.fence = waiting;
      story.whenStarted = {
        [step]: () => {
          story.holds = ['paused: night'];
        },
      };
      await story.start({ policy: optional }).pass(30_000);
      expect(story.record.steps[step]?.detail).toBe('held: paused: night');
      expect(story.record.proof).toBe('none');
      story.policy = policy;
      await story.pass(10_000);
      story.whenStarted = {};
      story.holds = [];
      await story.pass(600_000);
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.record.steps.fence?.detail).toBe('ipmi: not yet');
      story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
      await story.pass(30_000);
      expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
    },
  );

  it('changes nothing any more once the release has begun', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(500);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toContain(
      'node.kubernetes.io/out-of-service',
    );
    story.policy = { ...policy, node: 'keep' };
    await story.pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', policy });
    expect(story.record).not.toHaveProperty('policyChanges');
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });

  it('changes nothing once pods are released from a Node that somebody else has marked as out of service', async () => {
    await using story = new TakeoverStory();
    const theirs = {
      key: 'node.kubernetes.io/out-of-service',
      value: 'by-hand',
      effect: 'NoExecute',
    } as const;
    story.cluster.changeNode('node-1', (node) => ({ ...node, spec: { ...node.spec, taints: [theirs] } }));
    story.cluster.fateOf = ({ method }) => {
      if (method === 'deletePod') story.policy = { ...policy, node: 'keep' };
      return undefined;
    };
    await story.start().pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', policy });
    expect(story.record).not.toHaveProperty('policyChanges');
  });

  it('leaves only its last changes on record when replicas disagree about it', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(10_000);
    for (let turn = 0; turn < 30; turn++) {
      story.policy = turn % 2 === 0 ? { ...policy, node: 'keep' } : policy;
      await story.pass(3_000);
    }
    expect(story.record.policyChanges).toHaveLength(10);
  });
});

describe('what people put on the Node while its takeover waits', () => {
  it('is noted, so that it outlives the Node, and our own stamp is not', async () => {
    await using story = new TakeoverStory();
    story.fence = waiting;
    await story.start().pass(21_000);
    const written = story.cluster.calls.filter(({ method }) => method === 'updateRecord').length;
    story.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: { ...metadata, annotations: { ...metadata.annotations, 'liberator.dev/paused': 'mine' } },
    }));
    await story.pass(10_000);
    expect(story.record.noted?.annotations).toEqual({ 'liberator.dev/paused': 'mine' });
    expect(story.cluster.calls.filter(({ method }) => method === 'updateRecord')).toHaveLength(written + 1);
  });
});
