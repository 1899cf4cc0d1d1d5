// When a node that was taken over is trusted again, and what is done about one that is not.
import { describe, expect, it } from 'vitest';
import type { MachineIdentity } from '../evidence/machine.ts';
import type { Node } from '../kubernetes/objects.ts';
import { outOfServiceTaint, quarantineTaint, takeoverTaint } from '../marks/taints.ts';
import { marksOf } from '../takeover/node-past.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import { newRecord } from '../testing/dead-node.ts';
import { defaultReturnRules, nextReturnMove, type ReturningNode, type ReturnMove } from './moves.ts';

const closed = newRecord({ result: 'recovered' });
const keepsake = { labels: { rack: '7' }, annotations: {}, taints: [], unschedulable: false };

function nodeWith(given: {
  uid?: string;
  bootId?: string;
  taints?: NonNullable<Node['spec']>['taints'];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}): Node {
  const { uid = 'n1', bootId = 'boot-2', taints = [], labels = {}, annotations = {} } = given;
  return {
    metadata: { name: 'node-1', uid, resourceVersion: '1', labels, annotations },
    spec: { taints },
    status: { nodeInfo: { bootID: bootId } },
  };
}

const anew = (given: Parameters<typeof nodeWith>[0] = {}): Node => nodeWith({ uid: 'n1-anew', ...given });

/** The move for a node that has been Ready since 0, looked at after `now`. */
function move(
  node: Node,
  now = 60_000,
  record: TakeoverRecord = closed,
  readySince: number | undefined = 0,
): ReturnMove {
  const returning: ReturningNode = { node, readySince };
  return nextReturnMove(record, returning, defaultReturnRules, now);
}

describe('a node that booted again', () => {
  it.each([
    { what: 'kept', node: nodeWith({}) },
    { what: 'registered anew', node: anew() },
  ])('and was $what is trusted once it has been Ready for a minute', ({ node }) => {
    expect(move(node, 59_999)).toMatchObject({ move: 'wait', until: 60_000 });
    expect(move(node, 60_000)).toEqual({ move: 'welcome', detail: 'it has booted again (boot boot-2)' });
  });

  it('is not trusted while it isn’t Ready', () => {
    expect(
      nextReturnMove(closed, { node: nodeWith({}), readySince: undefined }, defaultReturnRules, 1e9),
    ).toEqual({
      move: 'wait',
      detail: 'it is not Ready',
    });
  });

  it('has its dwell time from the rules', () => {
    const rules = { ...defaultReturnRules, dwellMs: 5_000 };
    expect(nextReturnMove(closed, { node: nodeWith({}), readySince: 100 }, rules, 5_099).move).toBe('wait');
    expect(nextReturnMove(closed, { node: nodeWith({}), readySince: 100 }, rules, 5_100).move).toBe(
      'welcome',
    );
  });
});

describe('a node that never went down', () => {
  const cases = [
    { what: 'kept', node: nodeWith({ bootId: 'boot-1' }) },
    { what: 'registered anew', node: anew({ bootId: 'boot-1' }) },
  ];

  it.each(cases)('and was $what is put into quarantine, however long it has been Ready', ({ node }) => {
    expect(move(node, 60_000)).toMatchObject({ move: 'quarantine' });
    expect(move(node, 86_400_000)).toMatchObject({ move: 'quarantine' });
  });

  it('and registered anew is put there at once, since nothing else keeps pods away', () => {
    expect(move(anew({ bootId: 'boot-1' }), 0).move).toBe('quarantine');
  });

  it('and was kept has as long as any other to report a boot, since its Lease comes back first', () => {
    const stale = nodeWith({ bootId: 'boot-1' });
    expect(move(stale, 59_999)).toMatchObject({ move: 'wait', until: 60_000 });
  });

  it('is let out by a human who names this takeover, and by no other word', () => {
    const vouchedFor = (value: string): Node =>
      nodeWith({ bootId: 'boot-1', annotations: { 'liberator.dev/confirmed-returned': value } });
    expect(move(vouchedFor('death'))).toMatchObject({
      move: 'welcome',
      detail: expect.stringContaining('vouched for'),
    });
    expect(move(vouchedFor('another')).move).toBe('quarantine');
    expect(move(vouchedFor('true')).move).toBe('quarantine');
  });

  it('is let out by a boot', () => {
    expect(move(nodeWith({ bootId: 'boot-2', taints: [quarantineTaint('death')] })).move).toBe('welcome');
  });
});

describe('a node that reports no boot id', () => {
  it.each([
    { before: '', now: 'boot-2' },
    { before: 'boot-1', now: '' },
    { before: '', now: '' },
  ])('("$before" before, "$now" now) is trusted only when it registered anew', ({ before, now }) => {
    const record = { ...closed, node: { ...closed.node, bootId: before } };
    expect(move(nodeWith({ bootId: now }), 86_400_000, record)).toMatchObject({ move: 'wait' });
    expect(move(anew({ bootId: now }), 86_400_000, record)).toMatchObject({ move: 'welcome' });
  });
});

describe('what people had put on the deleted Node', () => {
  const record = { ...closed, keepsake };

  it('is put back first of all, before the new Node is even Ready', () => {
    const returning = { node: anew(), readySince: undefined };
    expect(nextReturnMove(record, returning, defaultReturnRules, 0)).toEqual({
      move: 'restore',
      missing: keepsake,
    });
  });

  it('is put back once: who takes it off afterwards means it', () => {
    const restored = {
      uid: 'n1-anew',
      bootId: '',
      seenAt: '',
      restored: true,
      quarantined: false,
      welcomed: false,
      detail: '',
    };
    expect(move(anew(), 60_000, { ...record, return: restored }).move).toBe('welcome');
  });

  it('is put back on the next new Node again', () => {
    const restored = {
      uid: 'n1-second',
      bootId: '',
      seenAt: '',
      restored: true,
      quarantined: false,
      welcomed: false,
      detail: '',
    };
    expect(move(anew(), 60_000, { ...record, return: restored }).move).toBe('restore');
  });

  it('is not put back on a Node that was kept, nor on one that lacks nothing, nor against the rules', () => {
    expect(move(nodeWith({}), 60_000, record).move).toBe('welcome');
    expect(move(anew({ labels: { rack: '8' } }), 60_000, record).move).toBe('welcome');
    const rules = { ...defaultReturnRules, restore: false };
    expect(nextReturnMove(record, { node: anew(), readySince: 0 }, rules, 60_000).move).toBe('welcome');
  });
});

describe('another machine under an old name', () => {
  const noted = (machine: Partial<MachineIdentity>): TakeoverRecord => ({
    ...closed,
    keepsake,
    noted: {
      machine: { systemUuid: '', machineId: '', providerId: '', ...machine },
      addresses: [],
      labels: {},
      annotations: {},
    },
  });
  const withMachine = (node: Node, machineID: string): Node => ({
    ...node,
    status: { nodeInfo: { ...node.status?.nodeInfo, machineID } },
  });

  it('that registered anew ends the takeover, Ready or not, and gets nothing of the dead one', () => {
    const node = withMachine(anew(), 'm2');
    expect(move(node, 0, noted({ machineId: 'm1' }))).toMatchObject({ move: 'replace' });
    expect(
      nextReturnMove(noted({ machineId: 'm1' }), { node, readySince: undefined }, defaultReturnRules, 0).move,
    ).toBe('replace');
  });

  it('gets nothing of the dead one by a human’s word either: that was about what runs', () => {
    const annotations = { 'liberator.dev/confirmed-returned': 'death' };
    expect(move(withMachine(anew({ annotations }), 'm2'), 60_000, noted({ machineId: 'm1' })).move).toBe(
      'welcome',
    );
  });

  it('that took over the very Node is let in as after a boot, though no boot id proves it', () => {
    const record = { ...noted({ machineId: 'm1' }), outOfService: true };
    const node = withMachine(nodeWith({ bootId: '', taints: [outOfServiceTaint] }), 'm2');
    expect(nextReturnMove(record, { node, readySince: undefined }, defaultReturnRules, 0).move).toBe('admit');
    const admitted = withMachine(nodeWith({ bootId: '' }), 'm2');
    expect(move(admitted, 59_999, record).move).toBe('wait');
    expect(move(admitted, 60_000, record).move).toBe('welcome');
  });

  it('is not one that has the boot of before: no two boots share an id', () => {
    expect(move(withMachine(anew({ bootId: 'boot-1' }), 'm2'), 60_000, noted({ machineId: 'm1' })).move).toBe(
      'quarantine',
    );
  });

  it('may still be one that has not said who it is: nothing is put back on it before it is Ready', () => {
    const silent = { node: anew(), readySince: undefined };
    expect(nextReturnMove(noted({ machineId: 'm1' }), silent, defaultReturnRules, 0).move).toBe('wait');
    expect(move(anew(), 0, noted({ machineId: 'm1' })).move).toBe('restore');
    expect(nextReturnMove(noted({}), silent, defaultReturnRules, 0).move).toBe('restore');
  });

  it('is not the same one, which gets everything back', () => {
    expect(move(withMachine(anew(), 'm1'), 0, noted({ machineId: 'm1' })).move).toBe('restore');
  });
});

describe('a kept node that is out of service', () => {
  const record = { ...closed, outOfService: true };
  const notReady = (node: Node, of = record, others: readonly TakeoverRecord[] = []): string =>
    nextReturnMove(of, { node, readySince: undefined }, defaultReturnRules, 1e9, others).move;

  it('is so no more once it has booted, or a human vouches for it, Ready or not', () => {
    expect(notReady(nodeWith({ taints: [outOfServiceTaint] }))).toBe('admit');
    const annotations = { 'liberator.dev/confirmed-returned': 'death' };
    expect(notReady(nodeWith({ bootId: 'boot-1', taints: [outOfServiceTaint], annotations }))).toBe('admit');
  });

  it('stays so without proof, and where the mark is not ours', () => {
    expect(notReady(nodeWith({ bootId: 'boot-1', taints: [outOfServiceTaint] }))).toBe('wait');
    expect(notReady(nodeWith({ bootId: '', taints: [outOfServiceTaint] }))).toBe('wait');
    const others = { ...closed, outOfService: false };
    expect(notReady(nodeWith({ taints: [outOfServiceTaint, takeoverTaint('death')] }), others)).toBe('wait');
  });

  it('is so no more by an earlier takeover’s mark either', () => {
    const later = { ...closed, id: 'later', outOfService: false };
    expect(notReady(nodeWith({ taints: [outOfServiceTaint] }), later, [record])).toBe('admit');
  });
});

describe('our marks', () => {
  it('include an out-of-service taint that is noted as ours, with or without the others', () => {
    const record = { ...closed, outOfService: true };
    expect(marksOf([record], nodeWith({ taints: [outOfServiceTaint] }))).toEqual([outOfServiceTaint]);
    expect(marksOf([record], anew({ taints: [outOfServiceTaint] }))).toEqual([]);
  });

  it('do not include one that is noted as not ours, though ours is beside it', () => {
    const record = { ...closed, outOfService: false };
    const taints = [takeoverTaint('death'), outOfServiceTaint];
    expect(marksOf([record], nodeWith({ taints }))).toEqual([takeoverTaint('death')]);
  });

  const all = [takeoverTaint('death'), quarantineTaint('death'), outOfServiceTaint];

  it('on the Node that was taken over are all three', () => {
    expect(marksOf([closed], nodeWith({ taints: [{ key: 'team', effect: 'NoSchedule' }, ...all] }))).toEqual(
      all,
    );
  });

  it('do not include an out-of-service taint that somebody else may have set', () => {
    expect(marksOf([closed], nodeWith({ taints: [outOfServiceTaint] }))).toEqual([]);
    expect(marksOf([closed], anew({ taints: all }))).toEqual([
      takeoverTaint('death'),
      quarantineTaint('death'),
    ]);
  });

  it('are not those of another takeover', () => {
    expect(
      marksOf(
        [closed],
        nodeWith({ taints: [takeoverTaint('later'), quarantineTaint('later'), outOfServiceTaint] }),
      ),
    ).toEqual([]);
  });
});
