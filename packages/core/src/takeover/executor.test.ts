// A takeover from claim to close.
import { describe, expect, it } from 'vitest';
import { newRecord } from '../testing/dead-node.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

describe('a takeover', () => {
  it('goes through all steps in their order and ends recovered', async () => {
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
    await story.start({ policy: { ...newRecord().policy, node: 'keep' } }).pass(30_000);
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).toEqual([
      'team',
      'liberator.dev/takeover',
      'node.kubernetes.io/out-of-service',
    ]);
  });

  it('keeps the Node where the policy says so', async () => {
    await using story = new TakeoverStory();
    await story.start({ policy: { ...newRecord().policy, node: 'keep' } }).pass(30_000);
    expect(story.ended).toContain('remove skipped');
    expect(story.record.result).toBe('recovered');
    expect(story.cluster.destroyed).toEqual(['db', 'web']);
  });

  it('forces nothing before Kubernetes has had a second for its own eviction, and then does not wait for more', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(950);
    expect(story.cluster.pods.get('default/db-0')?.metadata.deletionTimestamp).toBeDefined();
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(150);
    expect(story.cluster.destroyed).toContain('db');
  });

  it('counts that second from when the node was marked, however long a brake had held that up', async () => {
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
    story.cluster.evicts = false;
    await story.start().pass(4_900);
    expect(story.cluster.destroyed).toEqual([]);
    await story.pass(1_000);
    expect(story.cluster.destroyed).toContain('db');
  });
});

describe('fencing', () => {
  it('releases nothing before there is a proof, however long that takes', async () => {
    await using story = new TakeoverStory();
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
    await using story = new TakeoverStory();
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
    await using required = new TakeoverStory();
    await required
      .start({ policy: { ...newRecord().policy, drivers: ['gone-from-the-config'] } })
      .pass(600_000);
    expect(required.cluster.destroyed).toEqual([]);
    await using optional = new TakeoverStory();
    await optional.start({ policy: { ...newRecord().policy, drivers: [], proof: 'optional' } }).pass(30_000);
    expect(optional.record).toMatchObject({ result: 'recovered', proof: 'none' });
  });
});

describe('verification', () => {
  it('waits for every StatefulSet pod to be Ready elsewhere', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(2_000);
    expect(story.record.steps.verify?.detail).toBe('default/db-0: starting on node-2');
    expect(story.record.result).toBeUndefined();
    await story.pass(4_000);
    expect(story.record.result).toBe('recovered');
  });

  it('says that a volume is pinned to the dead node, and gives up after ten minutes', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    const metadata = { name: 'pv-0', uid: 'pv', resourceVersion: '1' };
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }];
    story.cluster.volumes.set('pv-0', {
      metadata,
      spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
    });
    await story.start().pass(60_000);
    expect(story.record.steps.verify?.detail).toBe(
      'default/db-0: not scheduled yet (volume pv-0 can only be used on node-1)',
    );
    await story.pass(600_000);
    expect(story.record).toMatchObject({ result: 'incomplete' });
    expect(story.record.steps.verify?.detail).toContain('not recovered: ');
  });

  it('says what the scheduler says', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    await story.start().pass(10_000);
    expect(story.record.steps.verify?.detail).toBe('default/db-0: not scheduled yet');
    const pod = story.cluster.pods.get('default/db-0');
    if (pod === undefined) throw new Error('the StatefulSet made no pod');
    story.cluster.putPod({
      ...pod,
      status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available' }] },
    });
    await story.pass(3_000);
    expect(story.record.steps.verify?.detail).toContain('0/2 nodes are available');
  });
});

describe('a release that does not come to its end', () => {
  it('is given up after a minute, saying what is left, and the takeover goes on', async () => {
    await using story = new TakeoverStory();
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
