// Which pods a takeover takes from a node, which it leaves, and which it waits for.
import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../kubernetes/objects.ts';
import { newRecord } from '../testing/dead-node.ts';
import { refusalError } from '../testing/memory-refusal.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

const toleratesAll = { tolerations: [{ operator: 'Exists' }] };

/** A pod on node-1 that nobody makes anew. */
function putBare(
  story: TakeoverStory,
  metadata: Partial<Pod['metadata']> = {},
  spec: Pod['spec'] = {},
): void {
  story.cluster.putPod({
    metadata: { name: 'bare', uid: 'bare', ...metadata },
    spec: { nodeName: 'node-1', ...spec },
  });
}

const keep = (value = 'true'): Partial<Pod['metadata']> => ({ annotations: { 'liberator.dev/keep': value } });

const keptNode = { policy: { ...newRecord().policy, node: 'keep' as const } };

const inRecord = (story: TakeoverStory, name: string): unknown =>
  story.record.pods.find((pod) => pod.name === name);

describe('a pod that nobody makes anew', () => {
  it('keeps its Node by an annotation that it gets after the last look of the release', async () => {
    await using story = new TakeoverStory();
    story.whenStarted = {
      // It came later than the recheck, so it isn't waited for.
      release: () => putBare(story, { name: 'late', uid: 'late' }, toleratesAll),
    };
    story.cluster.fateOf = ({ method }) => ({
      after: () => {
        const late = story.cluster.pods.get('default/late');
        if (method !== 'listAttachmentsOn' || late === undefined) return;
        story.cluster.pods.set('default/late', { ...late, metadata: { ...late.metadata, ...keep() } });
      },
    });
    await story.start().pass(30_000);
    expect(story.record.steps.remove).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringContaining('kept for pod default/late'),
    });
    expect(story.cluster.destroyed).not.toContain('n1');
  });

  it('is deleted, and named beforehand and afterwards as lost for good', async () => {
    await using story = new TakeoverStory();
    putBare(story);
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toContain('bare');
    expect(inRecord(story, 'bare')).toMatchObject({ bare: true });
    expect(inRecord(story, 'web-1')).not.toHaveProperty('bare');
    expect(story.record.steps.recheck?.detail).toContain('nobody makes them anew: default/bare');
    expect(story.record.steps.release?.detail).toContain('lost for good: default/bare');
  });

  it('is left where it is, with its Node, when people want it kept', async () => {
    await using story = new TakeoverStory();
    putBare(story, keep());
    await story.start().pass(30_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(story.cluster.pods.get('default/bare')?.metadata.deletionTimestamp).toBeUndefined();
    expect(story.record.unmarked).toContain('default/bare');
    expect(story.cluster.taintsOf('node-1').map(({ key }) => key)).not.toContain(
      'node.kubernetes.io/out-of-service',
    );
    await story.pass(60_000);
    expect(story.record.steps.remove).toMatchObject({
      outcome: 'skipped',
      detail: expect.stringContaining('default/bare'),
    });
    expect(inRecord(story, 'bare')).toMatchObject({ bare: true, kept: true });
    expect(story.record.steps.verify?.detail).toContain('kept: default/bare');
    expect(story.record.result).toBe('recovered');
  });

  it('costs its neighbours nothing when it tolerates the mark as out of service', async () => {
    await using story = new TakeoverStory();
    putBare(story, keep(), toleratesAll);
    await story.start().pass(30_000);
    expect(story.record.unmarked).toBeUndefined();
    expect(story.cluster.attachments.size).toBe(0);
    expect(story.cluster.pods.get('default/bare')?.metadata.deletionTimestamp).toBeUndefined();
    expect(story.cluster.nodes.has('node-1')).toBe(true);
    expect(story.record.result).toBe('recovered');
  });

  it('is kept from the moment on at which it is marked, while a human is waited for', async () => {
    await using story = new TakeoverStory();
    putBare(story, {}, toleratesAll);
    story.whenStarted = {
      release: () =>
        story.cluster.changePod('default/bare', (pod) => ({
          ...pod,
          metadata: { ...pod.metadata, ...keep() },
        })),
    };
    await story.start().pass(60_000);
    expect(story.cluster.destroyed).not.toContain('bare');
    expect(inRecord(story, 'bare')).toMatchObject({ kept: true });
    expect(story.record.result).toBe('recovered');
  });

  it('is not kept by a mark that says false', async () => {
    await using story = new TakeoverStory();
    putBare(story, keep('false'));
    await story.start().pass(30_000);
    expect(story.cluster.destroyed).toContain('bare');
  });

  it('that has finished is nothing that could be lost', async () => {
    await using story = new TakeoverStory();
    story.cluster.putPod({
      metadata: { name: 'done', uid: 'done' },
      spec: { nodeName: 'node-1' },
      status: { phase: 'Succeeded' },
    });
    await story.start().pass(30_000);
    expect(inRecord(story, 'done')).not.toHaveProperty('bare');
  });

  it('is released without the mark by a later leader too, who can tell that the release had begun', async () => {
    await using story = new TakeoverStory();
    putBare(story, keep());
    story.cluster.fateOf = ({ method }) =>
      method === 'deletePod' ? { after: () => story.cluster.renew('node-1', 'r2') } : undefined;
    await story.start().pass(60_000);
    // It is back after its first pod was released: too late to call that undone.
    expect(story.cluster.destroyed).toHaveLength(1);
    expect(story.record.steps.release?.outcome).toBe('skipped');
    expect(story.record.undoing).toBeUndefined();
  });
});

describe('a StatefulSet pod', () => {
  it.each([
    { what: 'scaled down', change: (s: TakeoverStory) => s.cluster.scale('db', 0), why: 'scaled-down' },
    { what: 'deleted', change: (s: TakeoverStory) => s.cluster.removeSet('db'), why: 'set-deleted' },
    {
      what: 'in a namespace that is terminating',
      change: (s: TakeoverStory) => s.cluster.terminateNamespace('default'),
      why: 'namespace-deleted',
    },
    {
      what: 'being deleted',
      change: ({ cluster }: TakeoverStory) => {
        const set = cluster.statefulSets.get('default/db');
        if (set === undefined) throw new Error('there is no set');
        cluster.scale('db', 0);
        cluster.statefulSets.set('default/db', {
          ...set,
          metadata: { ...set.metadata, deletionTimestamp: 'now' },
        });
        cluster.replacementNode = undefined;
      },
      why: 'set-deleted',
    },
    {
      what: 'counted from another number',
      change: ({ cluster }: TakeoverStory) => {
        const set = cluster.statefulSets.get('default/db');
        if (set === undefined) throw new Error('there is no set');
        cluster.statefulSets.set('default/db', { ...set, spec: { replicas: 3, ordinals: { start: 1 } } });
      },
      why: 'scaled-down',
    },
  ])('whose set is $what is not waited for', async ({ change, why }) => {
    await using story = new TakeoverStory();
    story.whenStarted = { release: () => change(story) };
    await story.start().pass(20_000);
    expect(story.record.result).toBe('recovered');
    expect(inRecord(story, 'db-0')).toMatchObject({ unwanted: why });
    expect(story.record.steps.verify?.detail).toContain('wanted no more: default/db-0');
  });

  it('is waited for again when its set, made anew within moments, wants it', async () => {
    await using story = new TakeoverStory();
    const set = story.cluster.statefulSets.get('default/db');
    if (set === undefined) throw new Error('there is no set');
    story.whenStarted = { release: () => story.cluster.removeSet('db') };
    await story.start().pass(4_000);
    expect(story.record.result).toBeUndefined();
    story.cluster.statefulSets.set('default/db', set);
    await story.pass(60_000);
    expect(story.record.result).toBeUndefined();
    expect(story.record.steps.verify?.detail).toContain('default/db-0: not recreated yet');
    expect(inRecord(story, 'db-0')).not.toHaveProperty('unwanted');
  });

  it('is waited for where nobody may ask whether it is wanted, and what is in its way is told all the same', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    story.cluster.noNodeBecause = '0/2 nodes are available: 2 Insufficient memory.';
    story.cluster.fateOf = (call) => ({
      before: () => {
        if (call.method === 'readStatefulSet') throw refusalError(call, { message: 'no such right' });
      },
    });
    await story.start().pass(30_000);
    expect(story.record.steps.verify?.detail).toMatch(
      /Insufficient memory.*nobody knows whether it is still wanted/,
    );
    const pod = story.cluster.pods.get('default/db-0') ?? expect.unreachable();
    const status = { conditions: [{ type: 'Ready', status: 'True' as const }] };
    story.cluster.putPod({ ...pod, spec: { ...pod.spec, nodeName: 'node-2' }, status });
    await story.pass(5_000);
    expect(story.record.result).toBe('recovered');
  });

  it('that pends beside a set that was scaled down is not waited for', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = undefined;
    await story.start().pass(30_000);
    expect(story.record.result).toBeUndefined();
    story.cluster.scale('db', 0);
    await story.pass(3_000);
    expect(inRecord(story, 'db-0')).toMatchObject({ unwanted: 'scaled-down' });
    expect(story.record.result).toBe('recovered');
  });

  it('is described by what the scheduler says, and by its volume only where that is the cause', async () => {
    await using story = new TakeoverStory();
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }];
    story.cluster.volumes.set('pv-0', {
      metadata: { name: 'pv-0', uid: 'pv', resourceVersion: '1' },
      spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
    });
    story.cluster.replacementNode = undefined;
    story.cluster.noNodeBecause = '0/2 nodes are available: 2 Insufficient memory.';
    await story.start().pass(10_000);
    expect(story.record.steps.verify?.detail).toBe(
      'default/db-0: not scheduled yet: 0/2 nodes are available: 2 Insufficient memory.',
    );
    await using other = new TakeoverStory();
    other.cluster.volumes.set('pv-0', story.cluster.volumes.get('pv-0') ?? expect.unreachable());
    other.cluster.replacementNode = undefined;
    other.cluster.noNodeBecause = '0/2 nodes are available: 2 node(s) had volume node affinity conflict.';
    await other.start().pass(10_000);
    expect(other.record.steps.verify?.detail).toBe(
      'default/db-0: not scheduled yet: 0/2 nodes are available: 2 node(s) had volume node affinity conflict. ' +
        '(volume pv-0 can only be used on node-1)',
    );
  });
});

describe('a replacement that is put onto the very node that is dead', () => {
  it('is released again, ever more seldom, until it is put elsewhere', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = 'node-1';
    story.cluster.withoutKubelet.add('node-1');
    story.cluster.changePod('default/db-0', (pod) => ({ ...pod, spec: { ...pod.spec, ...toleratesAll } }));
    await story.start(keptNode).pass(20_000);
    const released = (): number => story.cluster.destroyed.filter((uid) => uid.startsWith('db')).length;
    expect(released()).toBeGreaterThan(2);
    expect(released()).toBeLessThan(6);
    expect(story.record.steps.verify?.detail).toContain('was put onto node-1, which is dead; released again');
    story.cluster.replacementNode = 'node-2';
    await story.pass(30_000);
    expect(story.record.result).toBe('recovered');
    expect(inRecord(story, 'db-0')).toMatchObject({ replacement: { node: 'node-2' } });
  });

  it('is left alone under a brake', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = 'node-1';
    story.cluster.withoutKubelet.add('node-1');
    story.whenStarted = {
      verify: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start(keptNode).pass(60_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(story.record.steps.verify?.detail).toContain('not released again: paused: night');
  });

  it('is left alone once the node is back, though it was still dead as this look began', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = 'node-1';
    story.cluster.withoutKubelet.add('node-1');
    story.cluster.changePod('default/db-0', (pod) => ({ ...pod, spec: { ...pod.spec, ...toleratesAll } }));
    story.lifeSign = () => undefined;
    await story.start(keptNode).pass(0);
    // By the one look that is about to release it, after it has looked at the node.
    story.cluster.fateOf = ({ method }) =>
      method === 'listPodsOn' && story.record.steps.verify !== undefined
        ? { before: () => story.cluster.renew('node-1', 'r2') }
        : undefined;
    await story.pass(60_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
  });

  it('is left alone once the node is back, and is what is waited for', async () => {
    await using story = new TakeoverStory();
    story.cluster.replacementNode = 'node-1';
    story.cluster.withoutKubelet.add('node-1');
    story.whenStarted = {
      verify: () => {
        story.cluster.renew('node-1', 'r2');
        story.cluster.withoutKubelet.delete('node-1');
      },
    };
    await story.start(keptNode).pass(60_000);
    expect(story.cluster.destroyed.toSorted()).toEqual(['db', 'web']);
    expect(story.record.result).toBe('recovered');
    expect(inRecord(story, 'db-0')).toMatchObject({ replacement: { node: 'node-1' } });
  });
});

describe('a takeover whose Node is registered anew under it', () => {
  const reregister = ({ cluster }: TakeoverStory): void => {
    cluster.leases.delete('node-1');
    cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } } as Node & { metadata: { uid: string } });
  };

  it('before anything was released ends as overtaken at once, and claims nothing', async () => {
    await using story = new TakeoverStory();
    story.lifeSign = () => undefined;
    story.cluster.nodes.delete('node-1');
    story.whenStarted = { release: () => reregister(story) };
    await story.start({ policy: { ...newRecord().policy, proof: 'optional' } }).pass(5_000);
    expect(story.record).toMatchObject({ result: 'overtaken', overtaken: 'a new Node has taken its name' });
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.ended).not.toContain('release done');
    expect(story.ended.slice(-2)).toEqual(['undo done', 'close done']);
  });

  it('while its release is under way waits for what is left, and takes an old pod that runs there for what it is', async () => {
    await using story = new TakeoverStory();
    story.lifeSign = () => undefined;
    story.cluster.evicts = false;
    await story.start().pass(2_000);
    story.cluster.changePod('default/web-1', (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: 'now' },
    }));
    reregister(story);
    await story.pass(2_000);
    expect(story.record.steps.release?.outcome).toBe('skipped');
    story.cluster.changePod('default/db-0', (pod) => ({
      ...pod,
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    }));
    await story.pass(5_000);
    expect(story.record.result).toBe('recovered');
    expect(inRecord(story, 'db-0')).toMatchObject({ replacement: { uid: 'db', node: 'node-1' } });
    expect(story.cluster.nodes.get('node-1')?.metadata.uid).toBe('n1-anew');
  });
});
