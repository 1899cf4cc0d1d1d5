// Brakes, an API server that fails, and a record that changes in other hands.
import { describe, expect, it } from 'vitest';
import { type LeaderTerm, TermEndedError } from '../term/leader-term.ts';
import { endlessTerm, newRecord } from '../testing/dead-node.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import type { StoredRecord } from './cluster.ts';
import type { TakeoverProgress } from './executor.ts';
import { TakeoverTakenError } from './records/record-writer.ts';

const waitingFor = (progress: readonly TakeoverProgress[]): readonly string[] =>
  progress.filter(({ phase }) => phase === 'waiting').map(({ detail }) => detail);

describe('a brake', () => {
  const hold = (story: TakeoverStory, reason: string) => (): void => {
    story.holds = [reason];
  };

  it.each([
    { step: 'cordon', method: 'setTaints' },
    { step: 'recheck', method: 'listPodsOn' },
    { step: 'release', method: 'deletePod' },
    { step: 'remove', method: 'deleteNode' },
  ] as const)('holds before the $step, says so once, and lets go on', async ({ step, method }) => {
    await using story = new TakeoverStory();
    story.whenStarted = { [step]: hold(story, 'paused: night') };
    await story.start().pass(30_000);
    expect(story.record.steps[step]).toMatchObject({ detail: 'held: paused: night' });
    expect(waitingFor(story.progress)).toEqual(expect.arrayContaining(['held: paused: night']));
    expect(waitingFor(story.progress).filter((detail) => detail.startsWith('held'))).toHaveLength(1);
    expect(story.cluster.calls.filter((call) => call.method === method)).toEqual([]);
    story.holds = [];
    await story.pass(60_000);
    expect(story.record.result).toBe('recovered');
  });

  it('that counts down is told and written down once, not every second', async () => {
    await using story = new TakeoverStory();
    const heldFor = (seconds: number): string =>
      `maintenance: alice drains it; held for at most ${seconds} s more`;
    story.whenStarted = { fence: hold(story, heldFor(3_600)) };
    await story.start().pass(1_000);
    const written = (): number =>
      story.cluster.calls.filter(({ method }) => method === 'updateRecord').length;
    const before = written();
    for (let left = 3_599; left > 3_000; left--) {
      story.holds = [heldFor(left)];
      await story.pass(1_000);
    }
    expect(waitingFor(story.progress)).toEqual([`held: ${heldFor(3_600)}`]);
    expect(written()).toBe(before);
    story.holds = ['maintenance: bob drains it; held for at most 3000 s more'];
    await story.pass(2_000);
    expect(waitingFor(story.progress)).toHaveLength(2);
    expect(story.record.steps.fence?.detail).toContain('bob');
  });

  it('keeps any fencer from being asked', async () => {
    await using story = new TakeoverStory();
    story.whenStarted = { fence: hold(story, 'paused: night') };
    await story.start().pass(30_000);
    expect(story.fenced).toEqual([]);
  });

  it('stops a release that has begun before its next pods, for as long as it holds', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(500);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toContain(
      'node.kubernetes.io/out-of-service',
    );
    story.holds = ['blind: the watch of Nodes is stale'];
    // Longer than the release has patience.
    await story.pass(120_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record.steps.release?.detail).toBe('held: blind: the watch of Nodes is stale');
    story.holds = [];
    await story.pass(1_500);
    expect(story.cluster.destroyed).toEqual(expect.arrayContaining(['db', 'web']));
    expect(story.record.steps.release?.left ?? []).toEqual([]);
  });

  it('does not stop a release that has nothing left to delete, but the deletion of the Node', async () => {
    await using story = new TakeoverStory();
    story.whenStarted = { remove: hold(story, 'paused: night') };
    await story.start().pass(60_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.steps.release?.outcome).toBe('done');
    expect(story.record.steps.remove?.detail).toBe('held: paused: night');
  });

  it('stops a release that has not begun, though somebody else has marked the Node as out of service', async () => {
    await using story = new TakeoverStory();
    const theirs = {
      key: 'node.kubernetes.io/out-of-service',
      value: 'by-hand',
      effect: 'NoExecute',
    } as const;
    story.cluster.changeNode('node-1', (node) => ({ ...node, spec: { ...node.spec, taints: [theirs] } }));
    story.whenStarted = { release: hold(story, 'paused: night') };
    await story.start({ outOfService: false }).pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record.steps.release?.detail).toBe('held: paused: night');
    story.holds = [];
    await story.pass(60_000);
    expect(story.record.result).toBe('recovered');
    expect(story.record.outOfService).toBe(false);
  });
});

describe('trouble with the API server', () => {
  const methods = [
    'readNodeLease',
    'readNode',
    'listPodsOn',
    'readClaim',
    'setTaints',
    'deletePod',
    'deleteNode',
    'listAttachmentsOn',
    'readPods',
    'readStatefulSet',
    'readNamespace',
    'updateRecord',
  ];

  it.each(methods)('with %s is waited out', async (method) => {
    await using story = new TakeoverStory();
    story.trouble(
      method,
      { outcome: 'failed' },
      { outcome: 'answer-lost' },
      { outcome: 'conflict' },
      { outcome: 'failed' },
    );
    await story.start().pass(120_000);
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'n1', 'web']);
    expect(story.progress.some(({ phase }) => phase === 'retrying')).toBe(true);
  });

  it('that looks like a race for the record, but is none, is told and not asked about without a break', async () => {
    await using story = new TakeoverStory();
    story.cluster.fateOf = ({ method }) => (method === 'updateRecord' ? { outcome: 'conflict' } : undefined);
    await story.start().pass(10_000);
    const writes = story.cluster.calls.filter(({ method }) => method === 'updateRecord');
    expect(writes.length).toBeLessThan(8);
    expect(story.progress.filter(({ phase }) => phase === 'retrying').length).toBeGreaterThan(2);
    story.cluster.fateOf = () => undefined;
    await story.pass(30_000);
    expect(story.record.result).toBe('recovered');
  });

  it('that takes our stamp off the Node again and again is not raced', async () => {
    await using story = new TakeoverStory();
    const strip = (): void =>
      story.cluster.changeNode('node-1', ({ metadata: { annotations: _, ...metadata }, ...node }) => ({
        ...node,
        metadata,
      }));
    story.cluster.fateOf = ({ method }) => (method === 'setTaints' ? { after: strip } : undefined);
    await story.start().pass(30_000);
    const stamps = story.cluster.calls.filter(({ method }) => method === 'setTaints');
    expect(stamps.length).toBeLessThan(70);
    expect(story.record.steps.remove?.detail).toBe('stamping the Node with our epoch');
  });

  it('that lasts loses nothing', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(200);
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    await story.pass(3_600_000);
    story.cluster.fateOf = () => undefined;
    await story.pass(60_000);
    expect(story.record.result).toBe('recovered');
  });

  it('ends with the term', async () => {
    await using story = new TakeoverStory();
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    const { executor, term } = story;
    const ran = executor.run(
      term,
      { record: newRecord(), resourceVersion: '1', annotations: {} },
      { nodeNow: () => ({ gone: false }), lifeSign: () => undefined, holds: () => [] },
    );
    const failed = expect(ran).rejects.toBeInstanceOf(TermEndedError);
    await story.pass(10_000);
    term.end('b holds the Lease now');
    await story.pass(0);
    await failed;
    expect(story.clock.pendingTimers).toBe(0);
  });
});

describe('a record', () => {
  it('that somebody opened before is taken up where it stands', async () => {
    await using story = new TakeoverStory();
    const then = '2030-01-01T00:00:00.000Z';
    const done = { startedAt: then, epoch: 1, endedAt: then, outcome: 'done' as const };
    await story.cluster.createRecord(
      story.term,
      newRecord({ steps: { claim: done, cordon: done, fence: done }, proof: 'powered-off' }),
    );
    story.term = endlessTerm(story.clock, 2);
    await story.start({ epoch: 2 }).pass(30_000);
    expect(story.fenced).toEqual([]);
    expect(story.record).toMatchObject({ result: 'recovered', epoch: 2 });
    expect(story.record.steps.cordon?.epoch).toBe(1);
  });

  it('that is closed is left alone', async () => {
    await using story = new TakeoverStory();
    await story.cluster.createRecord(
      story.term,
      newRecord({ result: 'recovered', closedAt: '2030-01-01T00:01:00.000Z' }),
    );
    const before = story.cluster.calls.length;
    await story.start().pass(10_000);
    expect(story.outcome).toMatchObject({ record: { result: 'recovered' } });
    expect(story.cluster.calls.slice(before).map(({ method }) => method)).toEqual([
      'createRecord',
      'readRecord',
    ]);
  });

  it('that a newer leader has taken is let go of', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({
      outcome: 'waiting',
      detail: `asked ${'again '.repeat(story.fenced.length)}`,
      retryAfterMs: 2_000,
    });
    await story.start().pass(1_000);
    const newer: LeaderTerm = endlessTerm(story.clock, 2);
    const seen = story.cluster.records.get('death') as StoredRecord;
    await story.cluster.updateRecord(newer, seen, { ...seen.record, epoch: 2 });
    await story.pass(5_000);
    expect(story.outcome).toMatchObject({ threw: { code: 'LIBERATOR_TAKEOVER_TAKEN' } });
    expect((story.outcome as { threw: unknown }).threw).toBeInstanceOf(TakeoverTakenError);
  });

  it('that somebody deleted is not made up again by the one who worked on it', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({
      outcome: 'waiting',
      detail: `asked ${'again '.repeat(story.fenced.length)}`,
      retryAfterMs: 2_000,
    });
    await story.start().pass(1_000);
    story.cluster.records.clear();
    await story.pass(5_000);
    expect(story.outcome).toMatchObject({ threw: { code: 'LIBERATOR_TAKEOVER_TAKEN' } });
    expect(story.cluster.records.size).toBe(0);
  });

  it('that a human edits meanwhile loses no step', async () => {
    await using story = new TakeoverStory();
    let edits = 0;
    story.cluster.fateOf = ({ method, target }) => {
      const seen = story.cluster.records.get(target);
      if (method === 'updateRecord' && seen !== undefined && edits++ % 2 === 0) {
        story.cluster.records.set(target, { ...seen, resourceVersion: `edited ${edits}` });
      }
      return undefined;
    };
    await story.start().pass(60_000);
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });
});
