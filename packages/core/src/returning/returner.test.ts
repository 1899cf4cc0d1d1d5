// Taking a node in again: what is written to it and to the record, and what a stale cache can't cause.
import { describe, expect, it } from 'vitest';
import type { Node } from '../kubernetes/objects.ts';
import { epochAnnotation, outOfServiceTaint, quarantineTaint, takeoverTaint } from '../marks/taints.ts';
import type { NodeEvent, StoredRecord } from '../takeover/cluster.ts';
import { type NodePast, pastOf } from '../takeover/node-past.ts';
import type { ReturnRecord, TakeoverRecord } from '../takeover/record.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { defaultReturnRules } from './moves.ts';
import { Returner, type ReturnProgress } from './returner.ts';

const quarantined: ReturnRecord = {
  uid: '',
  bootId: 'boot-1',
  seenAt: '2030-01-01T00:00:00.000Z',
  restored: false,
  quarantined: true,
  welcomed: false,
  detail: '',
};

class Story {
  readonly clock = new ManualClock({ now: 100_000 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly term = endlessTerm(this.clock, 3);
  readonly progress: ReturnProgress[] = [];
  readonly events: NodeEvent[] = [];
  readonly returner = new Returner({
    cluster: this.cluster,
    clock: this.clock,
    rules: defaultReturnRules,
    onProgress: (progress) => this.progress.push(progress),
    publish: (event) => this.events.push(event),
  });

  /** The takeover of node-1 is over, and its Node is there as given. */
  static async after(
    node: { uid: string; bootId: string; marked: boolean },
    change: Partial<TakeoverRecord> = {},
  ): Promise<Story> {
    const story = new Story();
    const marks = [{ ...outOfServiceTaint, timeAdded: 'then' }, takeoverTaint('death')];
    story.cluster.putNode({
      metadata: {
        name: 'node-1',
        uid: node.uid,
        annotations: node.marked ? { [epochAnnotation]: '1', note: 'x' } : {},
      },
      spec: { taints: [{ key: 'team', effect: 'NoSchedule' }, ...(node.marked ? marks : [])] },
      status: { nodeInfo: { bootID: node.bootId } },
    });
    await story.cluster.createRecord(story.term, newRecord({ result: 'recovered', ...change }));
    return story;
  }

  get stored(): StoredRecord {
    const stored = this.cluster.records.get('death');
    if (stored === undefined) throw new Error('there is no record');
    return stored;
  }

  /** Attends to what the cache shows, which is the truth unless another node is given. */
  async attend(
    readySince: number | undefined,
    node = this.cluster.nodes.get('node-1'),
  ): Promise<StoredRecord | undefined> {
    if (node === undefined) throw new Error('there is no node');
    return (await this.returner.attend(this.term, this.past, { node, readySince })).at(-1);
  }

  get past(): NodePast {
    return pastOf([...this.cluster.records.values()]);
  }

  get taints(): readonly string[] {
    return this.cluster.taintsOf('node-1').map(({ key }) => key);
  }
}

describe('a node that has booted and has been Ready for long enough', () => {
  it('loses all our marks and keeps everybody else’s', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    await story.attend(0);
    expect(story.taints).toEqual(['team']);
    expect(story.cluster.nodes.get('node-1')?.metadata.annotations).toEqual({ note: 'x' });
    expect(story.stored.record.return).toMatchObject({ uid: 'n1', bootId: 'boot-2', welcomed: true });
    expect(story.stored.record.epoch).toBe(3);
    expect(story.events).toMatchObject([{ reason: 'NodeReturned', node: { name: 'node-1', uid: 'n1' } }]);
    expect(story.progress).toMatchObject([{ node: 'node-1', move: 'welcome' }]);
  });

  it('that bears no mark is not written to', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-2', marked: false });
    await story.attend(0);
    expect(
      story.cluster.calls
        .filter(({ write, method }) => write && method !== 'createRecord')
        .map(({ method }) => method),
    ).toEqual(['updateRecord']);
    expect(story.stored.record.return?.welcomed).toBe(true);
  });
});

describe('a node that has not booted', () => {
  it('is put into quarantine, and somebody is told what to do', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-1', marked: false });
    await story.attend(0);
    expect(story.cluster.taintsOf('node-1')).toContainEqual(quarantineTaint('death'));
    expect(story.stored.record.return).toMatchObject({ quarantined: true, welcomed: false });
    expect(story.events).toMatchObject([{ type: 'Warning', reason: 'NodeQuarantined' }]);
    expect(story.events[0]?.message).toContain(
      'kubectl annotate --overwrite node node-1 liberator.dev/confirmed-returned=death',
    );
  });

  it('is put there once', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-1', marked: false });
    await story.attend(0);
    await story.attend(0);
    expect(story.events).toHaveLength(1);
  });

  it('and bears that mark of a leader that died before it said so is recorded and told of, without another write', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-1', marked: false });
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      spec: { taints: [quarantineTaint('death')] },
    }));
    await story.attend(0);
    expect(story.stored.record.return).toMatchObject({ quarantined: true });
    expect(story.events).toMatchObject([{ reason: 'NodeQuarantined' }]);
    expect(story.cluster.calls.filter(({ method }) => method === 'setTaints')).toEqual([]);
  });

  it('is told of anew by every leader, since Events fade', async () => {
    const story = await Story.after(
      { uid: 'n1-anew', bootId: 'boot-1', marked: false },
      { return: { ...quarantined, uid: 'n1-anew' } },
    );
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      spec: { taints: [quarantineTaint('death')] },
    }));
    await story.attend(0);
    await story.attend(0);
    expect(story.events).toMatchObject([{ reason: 'NodeQuarantined' }]);
  });

  it('is put there again when somebody takes that mark off without a word', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-1', marked: false });
    await story.attend(0);
    story.cluster.changeNode('node-1', (node) => ({ ...node, spec: {} }));
    await story.attend(0);
    expect(story.cluster.taintsOf('node-1')).toEqual([quarantineTaint('death')]);
  });

  it('is let out again with what it went through on record', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-1', marked: false });
    await story.attend(0);
    story.cluster.changeNode('node-1', (node) => ({ ...node, status: { nodeInfo: { bootID: 'boot-2' } } }));
    await story.attend(0);
    expect(story.taints).toEqual(['team']);
    expect(story.stored.record.return).toMatchObject({ quarantined: true, welcomed: true });
  });
});

describe('a Node that lacks what people had put on it', () => {
  const keepsake = { labels: { rack: '7' }, annotations: { owner: 'ops' }, taints: [], unschedulable: true };

  it('gets it back first, and is welcomed next', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-2', marked: false }, { keepsake });
    await story.attend(undefined);
    expect(story.cluster.nodes.get('node-1')).toMatchObject({
      metadata: { labels: { rack: '7' }, annotations: { owner: 'ops' } },
      spec: { unschedulable: true, taints: [{ key: 'team' }] },
    });
    expect(story.stored.record.return).toMatchObject({ restored: true, welcomed: false });
    expect(story.events).toMatchObject([{ reason: 'NodeRestored' }]);
    expect(story.events[0]?.message).toMatch(
      /^put back 1 label.*1 annotation.* and the cordon \(takeover death\)$/,
    );
    await story.attend(0);
    expect(story.stored.record.return).toMatchObject({ restored: true, welcomed: true });
  });
});

describe('nothing is done', () => {
  it('while there is nothing due', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    story.cluster.changeNode('node-1', (node) => ({ ...node, spec: { taints: [takeoverTaint('death')] } }));
    const node = story.cluster.nodes.get('node-1');
    if (node === undefined) throw new Error('there is no node');
    expect(story.returner.isDue(story.past, { node, readySince: 99_000 })).toBe(false);
    expect(story.returner.isDue(story.past, { node, readySince: 0 })).toBe(true);
    expect(await story.attend(99_000)).toBeUndefined();
    expect(story.progress).toEqual([]);
  });

  it('for a Node that is gone or another one by now', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    const cached = story.cluster.nodes.get('node-1');
    story.cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
    await story.attend(0, cached);
    story.cluster.nodes.delete('node-1');
    await story.attend(0, cached);
    expect(story.progress).toEqual([]);
    expect(story.stored.record.return).toBeUndefined();
  });

  it('when the live Node tells otherwise than the cache', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-1', marked: true });
    const cached = story.cluster.nodes.get('node-1');
    if (cached === undefined) throw new Error('there is no node');
    await story.attend(0, { ...cached, status: { nodeInfo: { bootID: 'boot-2' } } });
    expect(story.stored.record.return).toMatchObject({ quarantined: true, welcomed: false });
  });

  it('when somebody else writes to the Node at the same time, until the next look', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    story.cluster.fateOf = ({ method }) => (method === 'clearTaints' ? { outcome: 'conflict' } : undefined);
    await story.attend(0);
    expect(story.stored.record.return).toBeUndefined();
    story.cluster.fateOf = () => undefined;
    await story.attend(0);
    expect(story.stored.record.return?.welcomed).toBe(true);
  });
});

describe('a node whose taints somebody took off before it was trusted', () => {
  it('loses the stamp all the same', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    story.cluster.changeNode('node-1', (node) => ({ ...node, spec: { ...node.spec, taints: [] } }));
    await story.attend(0);
    expect(story.stored.record.return?.welcomed).toBe(true);
    expect(story.cluster.nodes.get('node-1')?.metadata.annotations).toEqual({ note: 'x' });
  });
});

describe('a node that has booted and is not Ready yet', () => {
  it('loses the out-of-service taint alone, and keeps the stamp until it has lost the others', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true }, { outOfService: true });
    await story.attend(undefined);
    expect(story.taints).toEqual(['team', 'liberator.dev/takeover']);
    expect(story.cluster.nodes.get('node-1')?.metadata.annotations).toMatchObject({ [epochAnnotation]: '3' });
    expect(story.stored.record).toMatchObject({ outOfService: false, return: { welcomed: false } });
    expect(story.events).toMatchObject([{ type: 'Normal', reason: 'NodeAdmitted' }]);
    await story.attend(0);
    expect(story.taints).toEqual(['team']);
    expect(story.cluster.nodes.get('node-1')?.metadata.annotations).toEqual({ note: 'x' });
  });
});

describe('a node that died twice before it was trusted', () => {
  const second: Partial<TakeoverRecord> = {
    id: 'second',
    deathId: 'second',
    order: { epoch: 2, number: 0 },
    outOfService: false,
  };

  async function diedTwice(bootId: string): Promise<Story> {
    const story = await Story.after(
      { uid: 'n1', bootId, marked: true },
      { outOfService: true, order: { epoch: 1, number: 0 } },
    );
    const boot = { ...newRecord().node, bootId: 'boot-2' };
    await story.cluster.createRecord(story.term, newRecord({ result: 'recovered', ...second, node: boot }));
    return story;
  }

  it('keeps every mark while it has not booted since the second death, whatever the first would say', async () => {
    const story = await diedTwice('boot-2');
    await story.attend(undefined);
    expect(story.taints).toContain(outOfServiceTaint.key);
    await story.attend(0);
    expect(story.events).toMatchObject([{ reason: 'NodeQuarantined' }]);
    expect(story.cluster.taintsOf('node-1')).toContainEqual(quarantineTaint('second'));
  });

  it('loses the marks of both once it has, and both records say so', async () => {
    const story = await diedTwice('boot-3');
    await story.attend(0);
    expect(story.taints).toEqual(['team']);
    const records = [...story.cluster.records.values()].map(({ record }) => record);
    expect(records.map(({ outOfService }) => outOfService)).toEqual([false, false]);
    expect(records.map((record) => record.return?.welcomed)).toEqual([undefined, true]);
    expect(
      story.returner.isDue(story.past, { node: story.cluster.nodes.get('node-1') as Node, readySince: 0 }),
    ).toBe(false);
  });
});

describe('another machine under an old name', () => {
  const noted = {
    machine: { systemUuid: '', machineId: 'm1', providerId: 'cloud:///zone-a/1' },
    addresses: [],
    labels: {},
    annotations: {},
  };
  const keepsake = { labels: { rack: '7' }, annotations: {}, taints: [], unschedulable: true };

  it('gets nothing of the dead one, and ends its takeover', async () => {
    const story = await Story.after({ uid: 'n1-anew', bootId: 'boot-x', marked: false }, { noted, keepsake });
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      spec: { ...node.spec, providerID: 'cloud:///zone-b/2' },
      status: { nodeInfo: { bootID: 'boot-x', machineID: 'm2' } },
    }));
    const before = story.cluster.nodes.get('node-1');
    await story.attend(undefined);
    expect(story.cluster.nodes.get('node-1')).toEqual(before);
    expect(story.stored.record.return).toMatchObject({ restored: false, welcomed: true });
    expect(story.events).toMatchObject([{ type: 'Normal', reason: 'NodeReplaced' }]);
    await story.attend(0);
    expect(story.events).toHaveLength(1);
  });
});

describe('a record that changed at the same time', () => {
  it('keeps what somebody else wrote to it, and gets what was done to the node', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    const seen = story.past;
    const verified = { startedAt: '2030-01-01T00:00:00.000Z', epoch: 3, detail: 'not Ready' };
    await story.cluster.updateRecord(story.term, story.stored, {
      ...story.stored.record,
      steps: { verify: verified },
    });
    const node = story.cluster.nodes.get('node-1') as Node;
    const saved = await story.returner.attend(story.term, seen, { node, readySince: 0 });
    expect(story.stored.record).toMatchObject({ steps: { verify: verified }, return: { welcomed: true } });
    expect(saved.at(-1)?.resourceVersion).toBe(story.stored.resourceVersion);
    expect(story.events).toHaveLength(1);
  });

  it('for as long as it is tried is told of and recorded once, at the look that comes through', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    story.cluster.fateOf = ({ method }) => (method === 'updateRecord' ? { outcome: 'conflict' } : undefined);
    expect((await story.attend(0))?.record.return).toBeUndefined();
    expect(story.taints).toEqual(['team']);
    expect(story.events).toEqual([]);
    story.cluster.fateOf = () => undefined;
    await story.attend(0);
    expect(story.stored.record.return?.welcomed).toBe(true);
    expect(story.events).toMatchObject([{ reason: 'NodeReturned' }]);
  });

  it('and was deleted is done with, in the eyes of the leader who did it', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    const seen = story.past;
    story.cluster.records.clear();
    const node = story.cluster.nodes.get('node-1') as Node;
    const saved = await story.returner.attend(story.term, seen, { node, readySince: 0 });
    expect(saved.at(-1)?.record.return?.welcomed).toBe(true);
    expect(story.returner.isDue(pastOf(saved), { node, readySince: 0 })).toBe(false);
    expect(story.cluster.records.size).toBe(0);
  });

  it('by a newer leader is left to that one', async () => {
    const story = await Story.after({ uid: 'n1', bootId: 'boot-2', marked: true });
    const seen = story.past;
    await story.cluster.updateRecord(story.term, story.stored, { ...story.stored.record, epoch: 4 });
    const node = story.cluster.nodes.get('node-1') as Node;
    await story.returner.attend(story.term, seen, { node, readySince: 0 });
    expect(story.stored.record).toMatchObject({ epoch: 4 });
    expect(story.stored.record.return).toBeUndefined();
    expect(story.events).toEqual([]);
  });
});
