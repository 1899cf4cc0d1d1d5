// What is refused or hangs has an end that says what is left, holds up nothing beside it, and is not asked for twice.
import { describe, expect, it } from 'vitest';
import { endlessTerm, newRecord } from '../testing/dead-node.ts';
import type { Call, MemoryCluster } from '../testing/memory-cluster.ts';
import { refusalError } from '../testing/memory-refusal.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

/** An admission policy says no to the writes that match. */
function refuse(cluster: MemoryCluster, method: Call['method'], target?: string): void {
  cluster.refuses = (call) =>
    call.method === method && (target === undefined || call.target === target)
      ? { message: 'denied by policy "protected"' }
      : undefined;
}

/** A role that was taken away says no to the reads that match. */
function forbid(
  cluster: MemoryCluster,
  method: Call['method'] | readonly Call['method'][],
  isMeant: (call: Call) => boolean = () => true,
): void {
  cluster.fateOf = (call) => ({
    before: () => {
      if ([method].flat().includes(call.method) && isMeant(call))
        throw refusalError(call, { message: 'no such right' });
    },
  });
}

const callsOf = ({ cluster }: TakeoverStory, method: Call['method'], target?: string): readonly Call[] =>
  cluster.calls.filter((call) => call.method === method && (target === undefined || call.target === target));

describe('a pod whose deletion is refused', () => {
  it('holds up neither the other pods nor the Node, and is named when the patience is over', async () => {
    await using story = new TakeoverStory();
    refuse(story.cluster, 'deletePod', 'default/db-0');
    await story.start().pass(5_000);
    expect(story.cluster.destroyed).toEqual(['web']);
    await story.pass(60_000);
    expect(story.cluster.destroyed).toEqual(['web', 'n1']);
    expect(story.record.steps.release).toMatchObject({
      outcome: 'done',
      left: [
        expect.stringMatching(/^pod default\/db-0: .*denied by policy/),
        expect.stringContaining('volume pv-0'),
      ],
    });
    expect(story.record.steps.remove).toMatchObject({ outcome: 'done', detail: 'Node deleted' });
  });

  it('is asked for ever more seldom', async () => {
    await using story = new TakeoverStory();
    refuse(story.cluster, 'deletePod', 'default/db-0');
    await story.start().pass(70_000);
    expect(callsOf(story, 'deletePod', 'default/db-0').length).toBeLessThanOrEqual(9);
    expect(callsOf(story, 'deletePod', 'default/db-0').length).toBeGreaterThan(4);
  });

  it('is released after all once nobody refuses it any more', async () => {
    await using story = new TakeoverStory();
    refuse(story.cluster, 'deletePod', 'default/db-0');
    await story.start().pass(20_000);
    story.cluster.refuses = () => undefined;
    await story.pass(30_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'n1', 'web']);
    expect(story.record).toMatchObject({ result: 'recovered' });
    expect(story.record.steps.release).not.toHaveProperty('left');
  });
});

describe('a finalizer', () => {
  const holdPod = (story: TakeoverStory): void =>
    story.cluster.changePod('default/web-1', (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, finalizers: ['example.com/keep'] },
    }));
  const holdNode = (story: TakeoverStory, finalizers: readonly string[]): void =>
    story.cluster.changeNode('node-1', (node) => ({ ...node, metadata: { ...node.metadata, finalizers } }));

  it('on a pod is named, and its pod is asked to go just once', async () => {
    await using story = new TakeoverStory();
    holdPod(story);
    await story.start().pass(70_000);
    expect(callsOf(story, 'deletePod', 'default/web-1')).toHaveLength(1);
    expect(story.record.steps.release?.left).toEqual([
      'pod default/web-1: held by finalizer example.com/keep',
    ]);
    expect(story.record.result).toBe('recovered');
  });

  it('on a pod that is taken off within the patience leaves nothing', async () => {
    await using story = new TakeoverStory();
    holdPod(story);
    await story.start().pass(20_000);
    story.cluster.changePod('default/web-1', (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, finalizers: [] },
    }));
    await story.pass(20_000);
    expect(story.record.steps.release).not.toHaveProperty('left');
    expect(story.record.result).toBe('recovered');
  });

  it('on the Node keeps anybody from saying that it is deleted, and from asking twice', async () => {
    await using story = new TakeoverStory();
    holdNode(story, ['example.com/cloud']);
    await story.start().pass(30_000);
    expect(story.record.steps.remove).toMatchObject({
      detail: 'being deleted; held by finalizer example.com/cloud',
    });
    expect(story.record.steps.remove?.outcome).toBeUndefined();
    holdNode(story, []);
    await story.pass(5_000);
    expect(story.record.steps.remove).toMatchObject({ outcome: 'done', detail: 'Node deleted' });
    expect(callsOf(story, 'deleteNode')).toHaveLength(1);
    expect(story.record.result).toBe('recovered');
  });

  it('on the Node that stays holds the takeover for a minute and no longer', async () => {
    await using story = new TakeoverStory();
    holdNode(story, ['example.com/cloud']);
    await story.start().pass(75_000);
    expect(story.record.steps.remove).toMatchObject({
      outcome: 'skipped',
      left: ['the Node: being deleted; held by finalizer example.com/cloud'],
    });
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
  });
});

describe('a step that is refused again and again', () => {
  it('is given up where it is the cordon: pods that are stuck matter more', async () => {
    await using story = new TakeoverStory();
    story.cluster.refuses = ({ method }) =>
      method === 'setTaints' && story.record.steps.fence === undefined ? { message: 'denied' } : undefined;
    await story.start().pass(60_000);
    expect(story.record.steps.cordon).toMatchObject({
      outcome: 'skipped',
      left: [expect.stringContaining('denied')],
    });
    expect(story.record.result).toBe('recovered');
  });

  it('is given up where it is the mark as out of service, and the pods are released without it', async () => {
    await using story = new TakeoverStory();
    refuse(story.cluster, 'setTaints');
    await story.start().pass(62_000);
    expect(story.record.unmarked).toContain('denied by policy');
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    await story.pass(180_000);
    expect(story.record.steps.release?.left).toEqual(['volume pv-0']);
    expect(story.record.steps.remove).toMatchObject({
      outcome: 'skipped',
      left: [expect.stringContaining('denied')],
    });
    expect(story.record.result).toBe('recovered');
  });

  it('is given up where it is the last look, and then nothing is harmed and what was done is taken back', async () => {
    await using story = new TakeoverStory();
    forbid(story.cluster, 'listPodsOn');
    await story.start().pass(310_000);
    expect(story.record).toMatchObject({
      result: 'undone',
      undoing: expect.stringContaining('no such right'),
    });
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
  });

  it('is given up where it is the deletion of the Node', async () => {
    await using story = new TakeoverStory();
    refuse(story.cluster, 'deleteNode');
    await story.start().pass(75_000);
    expect(story.record.steps.remove).toMatchObject({
      outcome: 'skipped',
      left: [expect.stringContaining('denied by policy')],
    });
    expect(callsOf(story, 'deleteNode').length).toBeLessThanOrEqual(9);
    expect(story.record.result).toBe('recovered');
  });

  it('is given up where it is the undoing, which names the mark that it leaves', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    refuse(story.cluster, 'clearTaints');
    story.cluster.renew('node-1', 'r2');
    await story.pass(70_000);
    expect(story.record).toMatchObject({
      result: 'undone',
      left: [expect.stringMatching(/^taint liberator.dev\/takeover: .*denied/)],
    });
    expect(
      story.progress.findLast(({ step, phase }) => step === 'undo' && phase === 'done')?.detail,
    ).toContain('left on the Node');
  });

  it('is given up where one pod can not be read, while the others are looked at', async () => {
    await using story = new TakeoverStory();
    const ownerReferences = [
      { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'mq', uid: 'uid-mq', controller: true },
    ];
    story.cluster.putPod({
      metadata: { name: 'mq-0', uid: 'mq', ownerReferences },
      spec: { nodeName: 'node-1' },
    });
    forbid(
      story.cluster,
      ['readPods', 'readPod'],
      ({ method, target }) => method === 'readPods' || target === 'default/db-0',
    );
    await story.start().pass(30_000);
    expect(story.record.pods.find(({ name }) => name === 'mq-0')?.replacement).toMatchObject({
      node: 'node-2',
    });
    await story.pass(600_000);
    expect(story.record.steps.verify?.left).toEqual([
      expect.stringMatching(/^default\/db-0: .*no such right/),
    ]);
    expect(story.record.result).toBe('incomplete');
  });
});

describe('the patience of a step', () => {
  /** Nobody takes the replacement. */
  const hopeless = (): TakeoverStory => {
    const story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    return story;
  };

  it('is counted over all leaders together, however short their terms are', async () => {
    await using story = hopeless();
    await story.start().pass(10_000);
    const begunAt = story.clock.now();
    for (let epoch = 2; story.record.result === undefined && epoch < 60; epoch++) {
      story.term.end('another one holds the Lease');
      await story.pass(1_000);
      story.term = endlessTerm(story.clock, epoch);
      await story.start().pass(25_000);
    }
    expect(story.record.result).toBe('incomplete');
    const tookMs = story.clock.now() - begunAt;
    expect(tookMs).toBeGreaterThan(590_000);
    expect(tookMs).toBeLessThan(900_000);
  });

  it('is put on record a few times a minute and not at each look', async () => {
    await using story = hopeless();
    await story.start().pass(10_000);
    const before = callsOf(story, 'updateRecord').length;
    await story.pass(300_000);
    expect(callsOf(story, 'updateRecord').length - before).toBeLessThanOrEqual(31);
    expect(story.record.steps.verify?.spentMs).toBeGreaterThan(280_000);
  });

  it('is not spent by a brake', async () => {
    await using story = new TakeoverStory();
    story.whenStarted = {
      remove: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start().pass(3_600_000);
    expect(story.record.steps.remove?.outcome).toBeUndefined();
    refuse(story.cluster, 'deleteNode');
    story.holds = [];
    await story.pass(30_000);
    expect(story.record.steps.remove?.outcome).toBeUndefined();
    story.cluster.refuses = () => undefined;
    await story.pass(30_000);
    expect(story.record.steps.remove).toMatchObject({ outcome: 'done', detail: 'Node deleted' });
  });

  it('is not spent while no API server answers', async () => {
    await using story = new TakeoverStory();
    story.whenStarted = {
      remove: () => {
        story.cluster.fateOf = ({ method }) =>
          method.startsWith('read') ? { outcome: 'failed' } : undefined;
      },
    };
    await story.start().pass(3_600_000);
    story.cluster.fateOf = () => undefined;
    await story.pass(30_000);
    expect(story.record.steps.remove).toMatchObject({ outcome: 'done', detail: 'Node deleted' });
  });

  it('has no end where a proof is waited for', async () => {
    await using story = new TakeoverStory();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(86_400_000);
    expect(story.record.steps.fence).toMatchObject({ detail: 'ipmi: not yet' });
    expect(story.record.steps.fence?.outcome).toBeUndefined();
  });
});

describe('a record that somebody else writes to while its takeover verifies', () => {
  it('keeps what they wrote, and the takeover goes on', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    await story.start({ policy: { ...newRecord().policy, node: 'keep' } }).pass(10_000);
    for (let seconds = 0; seconds < 40; seconds++) {
      const seen = story.cluster.records.get('death');
      if (seen === undefined) throw new Error('there is no record');
      const detail = `seen ${seconds} times`;
      const returned = {
        uid: 'n1',
        bootId: 'boot-2',
        seenAt: '2030-01-01T00:00:00.000Z',
        restored: false,
        quarantined: false,
        welcomed: false,
      };
      await story.cluster.updateRecord(story.term, seen, { ...seen.record, return: { ...returned, detail } });
      await story.pass(1_000);
    }
    expect(story.record.return?.detail).toBe('seen 39 times');
    const pod = story.cluster.pods.get('default/db-0');
    if (pod === undefined) throw new Error('there is no pod');
    const status = { conditions: [{ type: 'Ready', status: 'True' as const }] };
    story.cluster.putPod({ ...pod, spec: { ...pod.spec, nodeName: 'node-2' }, status });
    await story.pass(5_000);
    expect(story.record).toMatchObject({ result: 'recovered', return: { detail: 'seen 39 times' } });
    expect(story.progress.filter(({ step, phase }) => step === 'verify' && phase === 'started')).toHaveLength(
      1,
    );
  });
});
