// A takeover from claim to close, and everything that may get in its way but for crashes.
import { describe, expect, it } from 'vitest';
import { type LeaderTerm, type RenewableTerm, TermEndedError } from '../election/leader-term.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import { manualFencer } from '../fencing/manual.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { CallFate, MemoryCluster } from '../testing/memory-cluster.ts';
import type { StoredRecord } from './cluster.ts';
import { TakeoverExecutor, type TakeoverProgress, TakeoverTakenError } from './executor.ts';
import type { TakeoverRecord } from './record.ts';

/** One takeover of node-1 by one leader. */
class Story {
  readonly clock = new ManualClock({ turns: 1 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly progress: TakeoverProgress[] = [];
  readonly fenced: string[] = [];
  term: RenewableTerm = endlessTerm(this.clock, 1);
  holds: readonly string[] = [];
  /** What the caches show; by default just what is so. */
  lifeSign: (record: TakeoverRecord) => string | undefined = ({ lastHeartbeat }) =>
    this.cluster.leases.get('node-1')?.spec?.renewTime === lastHeartbeat
      ? undefined
      : 'its Lease is renewed again';
  /** Done as a step is taken up, before it acts. */
  whenStarted: { readonly [step: string]: () => void } = {};
  fence: () => FenceResult = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'the BMC says off' });
  /** What the takeover came to, once it did. */
  outcome: { record: TakeoverRecord } | { threw: unknown } | undefined;

  get executor(): TakeoverExecutor {
    const ipmi: Fencer = {
      name: 'ipmi',
      fence: async ({ deathId }) => {
        this.fenced.push(deathId);
        return this.fence();
      },
    };
    return new TakeoverExecutor({
      cluster: this.cluster,
      clock: this.clock,
      fencers: [ipmi, manualFencer],
      onProgress: (progress) => {
        this.progress.push(progress);
        if (progress.phase === 'started') this.whenStarted[progress.step]?.();
      },
    });
  }

  get record(): TakeoverRecord {
    const stored = this.cluster.records.get('death');
    if (stored === undefined) throw new Error('there is no record');
    return stored.record;
  }

  /** Every step that ended, and how. */
  get ended(): readonly string[] {
    return this.progress
      .filter(({ phase }) => phase === 'done' || phase === 'skipped')
      .map(({ step, phase }) => `${step} ${phase}`);
  }

  start(change: Partial<TakeoverRecord> = {}): this {
    const { executor, term } = this;
    executor
      .open(term, newRecord(change))
      .then((stored) =>
        executor.run(term, stored, { lifeSign: (r) => this.lifeSign(r), holds: () => this.holds }),
      )
      .then(
        ({ record }) => {
          this.outcome = { record };
        },
        (threw: unknown) => {
          this.outcome = { threw };
        },
      );
    return this;
  }

  async pass(ms: number): Promise<this> {
    await this.clock.advance(ms);
    return this;
  }

  /** Ends the takeover's life as the test ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.term.end('the test is over');
    await this.clock.advance(0);
  }

  /** Gives a fate to the calls of one method, once each. */
  trouble(method: string, ...fates: readonly CallFate[]): void {
    const left = [...fates];
    this.cluster.fateOf = (call) => (call.method === method ? left.shift() : undefined);
  }
}

const waitingFor = (progress: readonly TakeoverProgress[]): readonly string[] =>
  progress.filter(({ phase }) => phase === 'waiting').map(({ detail }) => detail);

describe('a takeover', () => {
  it('goes through all steps in their order and ends recovered', async () => {
    await using story = new Story();
    await story.start().pass(30_000);
    expect(story.ended).toEqual([
      'claim done',
      'cordon done',
      'fence done',
      'recheck done',
      'release done',
      'remove done',
      'verify done',
      'close done',
    ]);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', epoch: 1 });
    expect(story.outcome).toEqual({ record: story.record });
  });

  it('frees the StatefulSet pod and others, but not those that belong to the node itself', async () => {
    await using story = new Story();
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect([...story.cluster.pods.values()].map(({ metadata }) => metadata.uid).toSorted()).toEqual([
      'agent',
      "db'",
      'static',
    ]);
    expect(story.cluster.attachments.size).toBe(0);
    expect(story.cluster.nodes.has('node-1')).toBe(false);
  });

  it('records which pods were there, what they use, and what took their place', async () => {
    await using story = new Story();
    await story.start().pass(30_000);
    expect(story.record.pods).toMatchObject([
      {
        namespace: 'default',
        name: 'db-0',
        uid: 'db',
        statefulSet: 'db',
        volumes: [{ claim: 'data-db-0', volume: 'pv-0' }],
        replacement: { uid: "db'", node: 'node-2' },
      },
      { name: 'web-1', uid: 'web', volumes: [] },
    ]);
    expect(story.record.keepsake).toMatchObject({ labels: { rack: '7' }, taints: [{ key: 'team' }] });
  });

  it('writes each step down, with its epoch, before it acts', async () => {
    await using story = new Story();
    const acts: string[] = [];
    story.cluster.fateOf = ({ method }) => {
      const running = Object.entries(story.cluster.records.get('death')?.record.steps ?? {}).filter(
        ([, step]) => step.outcome === undefined,
      );
      const harms = method === 'setTaints' || method === 'deletePod' || method === 'deleteNode';
      if (harms) acts.push(`${method} in ${running.map(([name, { epoch }]) => `${name} of ${epoch}`)}`);
      return undefined;
    };
    await story.start().pass(30_000);
    expect(acts).toEqual([
      'setTaints in cordon of 1',
      'setTaints in release of 1',
      'deletePod in release of 1',
      'deletePod in release of 1',
      'deleteNode in remove of 1',
    ]);
  });

  it('leaves the taints of others on the node', async () => {
    await using story = new Story();
    await story.start({ policy: { ...newRecord().policy, node: 'keep' } }).pass(30_000);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual([
      'team',
      'liberator.dev/takeover',
      'node.kubernetes.io/out-of-service',
    ]);
  });

  it('keeps the Node where the policy says so', async () => {
    await using story = new Story();
    await story.start({ policy: { ...newRecord().policy, node: 'keep' } }).pass(30_000);
    expect(story.ended).toContain('remove skipped');
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
  });

  it('forces nothing before Kubernetes has had a second for its own eviction, and then does not wait for more', async () => {
    await using story = new Story();
    await story.start().pass(950);
    expect(story.cluster.pods.get('default/db-0')?.metadata.deletionTimestamp).toBeDefined();
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(150);
    expect(story.cluster.destroyed).toContain('db');
  });

  it('counts that second from when the node was marked, however long a brake had held that up', async () => {
    await using story = new Story();
    story.whenStarted = {
      release: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start().pass(60_000);
    expect(story.record.steps.release?.detail).toBe('held: paused: night');
    story.holds = [];
    let markedAt: number | undefined;
    story.cluster.fateOf = ({ method }) => {
      if (method === 'setTaints') markedAt = story.clock.now();
      return undefined;
    };
    await story.pass(1_000);
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(1_000 - (story.clock.now() - (markedAt ?? 0)) - 1);
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(300);
    expect(story.cluster.destroyed).toContain('db');
  });

  it('deletes the pods itself when nobody evicts them', async () => {
    await using story = new Story();
    story.cluster.evicts = false;
    await story.start().pass(4_900);
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(1_000);
    expect(story.cluster.destroyed).toContain('db');
  });
});

describe('fencing', () => {
  it('releases nothing before there is a proof, however long that takes', async () => {
    await using story = new Story();
    story.fence = () => ({ outcome: 'waiting', detail: 'the BMC is rebooting', retryAfterMs: 2_000 });
    await story.start().pass(3_600_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).not.toContain(
      'node.kubernetes.io/out-of-service',
    );
    expect(story.record.steps.fence).toMatchObject({ detail: 'ipmi: the BMC is rebooting' });
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(30_000);
    expect(story.record.result).toBe('recovered');
  });

  it('is waited for by a human’s confirmation too, of this very death', async () => {
    await using story = new Story();
    await story.start({ policy: { ...newRecord().policy, drivers: ['manual'] } }).pass(60_000);
    const annotate = (value: string): void =>
      story.cluster.changeNode('node-1', (node) => ({
        ...node,
        metadata: {
          ...node.metadata,
          annotations: { ...node.metadata.annotations, 'liberator.dev/confirmed-dead': value },
        },
      }));
    annotate('another-death');
    await story.pass(60_000);
    expect(story.record.steps.recheck).toBeUndefined();
    annotate('death');
    await story.pass(30_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'confirmed-by-human' });
  });

  it('goes on without any driver only where no proof is required', async () => {
    await using required = new Story();
    await required
      .start({ policy: { ...newRecord().policy, drivers: ['gone-from-the-config'] } })
      .pass(600_000);
    expect(required.cluster.destroyed).toEqual([]);
    await using optional = new Story();
    await optional.start({ policy: { ...newRecord().policy, drivers: [], proof: 'optional' } }).pass(30_000);
    expect(optional.record).toMatchObject({ result: 'recovered', proof: 'none' });
  });
});

describe('a node that comes back', () => {
  it.each(['claim', 'cordon', 'fence', 'recheck'])(
    'while the %s is recorded is given back, and nothing is destroyed',
    async (step) => {
      await using story = new Story();
      story.cluster.fateOf = ({ method, target }) => ({
        before: () => {
          const steps = story.cluster.records.get(target)?.record.steps ?? {};
          const begun = Object.keys(steps).at(-1) ?? 'nothing';
          if (method === 'updateRecord' && begun === step) story.cluster.renew('node-1', 'r2');
        },
      });
      await story.start().pass(30_000);
      expect(story.record).toMatchObject({ result: 'undone', undoing: expect.stringContaining('Lease') });
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
      expect(story.ended.slice(-2)).toEqual(['undo done', 'close done']);
    },
  );

  it('while a human is waited for is given back within seconds', async () => {
    await using story = new Story();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(60_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_100);
    expect(story.record.result).toBe('undone');
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual(['team']);
  });

  it('while a brake holds is given back all the same: no brake blocks recovery', async () => {
    await using story = new Story();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    story.holds = ['paused: everything is paused: night', 'waiting for evidence that the node is still dead'];
    await story.pass(10_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_000);
    expect(story.record.result).toBe('undone');
  });

  it('by a boot that nobody asked for is given back', async () => {
    await using story = new Story();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    await story.start().pass(10_000);
    story.cluster.changeNode('node-1', (node) => ({ ...node, status: { nodeInfo: { bootID: 'boot-2' } } }));
    await story.pass(3_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'it has booted again' });
  });

  it('after the release has begun is neither harmed further nor deleted', async () => {
    await using story = new Story();
    await story.start().pass(500);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toContain(
      'node.kubernetes.io/out-of-service',
    );
    story.cluster.renew('node-1', 'r2');
    await story.pass(900_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.ended).toEqual(expect.arrayContaining(['release skipped', 'remove skipped']));
    expect(story.record.result).toBe('incomplete');
  });

  it('between two pods that are released loses no further pod', async () => {
    await using story = new Story();
    story.cluster.fateOf = ({ method }) =>
      method === 'deletePod' ? { after: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db']);
  });

  it('after its pods are gone keeps its Node', async () => {
    await using story = new Story();
    story.cluster.fateOf = ({ method }) =>
      method === 'listAttachmentsOn' ? { before: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
  });

  it('is not taken for alive because its Lease is gone', async () => {
    await using story = new Story();
    story.cluster.leases.delete('node-1');
    story.lifeSign = () => undefined;
    await story.start().pass(30_000);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a Node that is gone', () => {
  it('is nothing to fence or remove, yet its pods are freed', async () => {
    await using story = new Story();
    story.cluster.nodes.delete('node-1');
    await story.start().pass(30_000);
    expect(story.ended).toEqual(
      expect.arrayContaining(['cordon skipped', 'fence skipped', 'recheck done', 'release done']),
    );
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a new Node under the old name', () => {
  const reregister = (story: Story): void => {
    story.cluster.leases.delete('node-1');
    story.lifeSign = () => undefined;
    story.cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
  };

  it.each([0, 100])('is left alone with all its pods when it appears %i ms into a takeover', async (ms) => {
    await using story = new Story();
    story.fence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });
    if (ms === 0) reregister(story);
    await story.start().pass(ms);
    reregister(story);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'a new Node has taken its name' });
    expect(story.cluster.taintsOf('node-1')).toEqual([]);
  });

  it('keeps the pods that are bound to it when it appears during the release', async () => {
    await using story = new Story();
    await story.start().pass(500);
    reregister(story);
    await story.pass(900_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.cluster.nodes.get('node-1')?.metadata.uid).toBe('n1-anew');
    expect(story.record.result).toBe('incomplete');
  });

  it('is not deleted for the old one', async () => {
    await using story = new Story();
    story.cluster.fateOf = ({ method }) =>
      method === 'listAttachmentsOn' ? { after: () => reregister(story) } : undefined;
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
  });
});

describe('a brake', () => {
  const hold = (story: Story, reason: string) => (): void => {
    story.holds = [reason];
  };

  it.each([
    { step: 'cordon', method: 'setTaints' },
    { step: 'recheck', method: 'listPodsOn' },
    { step: 'release', method: 'deletePod' },
    { step: 'remove', method: 'deleteNode' },
  ] as const)('holds before the $step, says so once, and lets go on', async ({ step, method }) => {
    await using story = new Story();
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

  it('keeps any fencer from being asked', async () => {
    await using story = new Story();
    story.whenStarted = { fence: hold(story, 'paused: night') };
    await story.start().pass(30_000);
    expect(story.fenced).toEqual([]);
  });

  it('does not stop a release that has begun, but the deletion of the Node', async () => {
    await using story = new Story();
    await story.start().pass(500);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toContain(
      'node.kubernetes.io/out-of-service',
    );
    story.holds = ['blind: the watch of Nodes is stale'];
    await story.pass(10_000);
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
    expect(story.record.steps.remove?.detail).toBe('held: blind: the watch of Nodes is stale');
  });
});

describe('trouble with the API server', () => {
  const methods = [
    'readNodeLease',
    'readNode',
    'listPodsOn',
    'readClaim',
    'readVolume',
    'setTaints',
    'deletePod',
    'deleteNode',
    'listAttachmentsOn',
    'readPod',
    'updateRecord',
  ];

  it.each(methods)('with %s is waited out', async (method) => {
    await using story = new Story();
    story.trouble(
      method,
      { outcome: 'failed' },
      { outcome: 'answer-lost' },
      { outcome: 'conflict' },
      { outcome: 'failed' },
    );
    await story.start().pass(120_000);
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect(story.progress.some(({ phase }) => phase === 'retrying')).toBe(true);
  });

  it('that lasts loses nothing', async () => {
    await using story = new Story();
    await story.start().pass(200);
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    await story.pass(3_600_000);
    story.cluster.fateOf = () => undefined;
    await story.pass(60_000);
    expect(story.record.result).toBe('recovered');
  });

  it('ends with the term', async () => {
    await using story = new Story();
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    const { executor, term } = story;
    const ran = executor.run(
      term,
      { record: newRecord(), resourceVersion: '1' },
      { lifeSign: () => undefined, holds: () => [] },
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
    await using story = new Story();
    const done = { startedAt: '', epoch: 1, endedAt: '', outcome: 'done' as const };
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
    await using story = new Story();
    await story.cluster.createRecord(story.term, newRecord({ result: 'recovered', closedAt: 'then' }));
    const before = story.cluster.calls.length;
    await story.start().pass(10_000);
    expect(story.outcome).toMatchObject({ record: { result: 'recovered' } });
    expect(story.cluster.calls.slice(before).map(({ method }) => method)).toEqual([
      'createRecord',
      'readRecord',
    ]);
  });

  it('that a newer leader has taken is let go of', async () => {
    await using story = new Story();
    story.fence = () => ({
      outcome: 'waiting',
      detail: `asked ${story.fenced.length} times`,
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
    await using story = new Story();
    story.fence = () => ({
      outcome: 'waiting',
      detail: `asked ${story.fenced.length} times`,
      retryAfterMs: 2_000,
    });
    await story.start().pass(1_000);
    story.cluster.records.clear();
    await story.pass(5_000);
    expect(story.outcome).toMatchObject({ threw: { code: 'LIBERATOR_TAKEOVER_TAKEN' } });
    expect(story.cluster.records.size).toBe(0);
  });

  it('that a human edits meanwhile loses no step', async () => {
    await using story = new Story();
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

describe('verification', () => {
  it('waits for every StatefulSet pod to be Ready elsewhere', async () => {
    await using story = new Story();
    await story.start().pass(2_000);
    expect(story.record.steps.verify?.detail).toBe('default/db-0: starting on node-2');
    expect(story.record.result).toBeUndefined();
    await story.pass(4_000);
    expect(story.record.result).toBe('recovered');
  });

  it('says that a volume is pinned to the dead node, and gives up after ten minutes', async () => {
    await using story = new Story();
    story.cluster.replacementNode = undefined;
    const metadata = { name: 'pv-0', uid: 'pv', resourceVersion: '1' };
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }];
    story.cluster.volumes.set('pv-0', {
      metadata,
      spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
    });
    await story.start().pass(60_000);
    expect(story.record.steps.verify?.detail).toBe('default/db-0: volume pv-0 can only be used on node-1');
    await story.pass(600_000);
    expect(story.record).toMatchObject({ result: 'incomplete' });
    expect(story.record.steps.verify?.detail).toContain('not recovered: ');
  });

  it('says what the scheduler says', async () => {
    await using story = new Story();
    story.cluster.replacementNode = undefined;
    await story.start().pass(10_000);
    expect(story.record.steps.verify?.detail).toBe('default/db-0: not scheduled yet');
    const pod = story.cluster.pods.get('default/db-0');
    if (pod === undefined) throw new Error('the StatefulSet made no pod');
    story.cluster.putPod({
      ...pod,
      status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available' }] },
    });
    await story.pass(1_000);
    expect(story.record.steps.verify?.detail).toContain('0/2 nodes are available');
  });
});

describe('a release that does not come to its end', () => {
  it('is given up after a minute, saying what is left, and the takeover goes on', async () => {
    await using story = new Story();
    story.cluster.attachments.set('other', {
      metadata: { name: 'other', uid: 'x', resourceVersion: '1' },
      spec: { nodeName: 'node-1', source: { persistentVolumeName: 'pv-9' } },
    });
    await story.start().pass(59_000);
    expect(story.record.steps.release?.outcome).toBeUndefined();
    await story.pass(10_000);
    expect(story.record.steps.release).toMatchObject({
      outcome: 'done',
      detail: 'gave up waiting for volume pv-9',
    });
    expect(story.record.result).toBe('recovered');
  });
});
