// What passes for a record: one that is right in every field, and nothing else.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRecord } from '../../testing/dead-node.ts';
import type { TakeoverRecord } from '../record.ts';
import { highestEpochIn, readRecordText } from './record-format.ts';

const at = '2030-01-01T00:00:00.000Z';

/** With every field that a record can have. */
const full: Required<TakeoverRecord> = {
  ...newRecord(),
  noted: {
    machine: { systemUuid: 'u', machineId: 'm', providerId: 'p' },
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    labels: { rack: '7' },
    annotations: { owner: 'ops' },
  },
  order: { epoch: 1, number: 4 },
  leader: 'a',
  verdicts: [
    { guard: 'budget', verdict: { outcome: 'pass' } },
    { guard: 'evidence', verdict: { outcome: 'hold', reason: 'not yet', until: 5 } },
  ],
  policyChanges: [{ at, epoch: 1, from: newRecord().policy, to: newRecord().policy }],
  hung: true,
  powerOn: { state: 'begun', at, epoch: 1, spentMs: 3, detail: 'no answer' },
  storageBack: { state: 'done', at, epoch: 1 },
  proof: 'powered-off',
  fencer: 'ipmi',
  climb: {
    round: 1,
    rung: 0,
    rungs: [
      {
        fencer: 'ipmi',
        round: 1,
        startedAt: at,
        epoch: 1,
        beganMs: 0,
        overMs: 90_000,
        end: 'time-out',
        detail: 'no answer',
      },
    ],
  },
  proofEvidence: [{ witness: 'bmc-1', said: 'PowerState Off', at }],
  isolatedFrom: ['rbd.csi.ceph.com'],
  isolation: {
    proofs: [
      {
        fencer: 'ceph',
        csiDrivers: ['rbd.csi.ceph.com'],
        evidence: [{ witness: 'NetworkFence f', said: 'Succeeded', at: '2030-01-01T00:00:09.000Z' }],
      },
    ],
    beyond: ['pod default/web-0 (volume data: a path of the host)'],
    freed: true,
    over: 'its Lease was renewed at r2',
  },
  confirmedBy: 'ops',
  pods: [
    {
      namespace: 'default',
      name: 'db-0',
      uid: 'db',
      statefulSet: 'db',
      volumes: [{ claim: 'data', volume: 'pv-0', pinnedTo: ['node-1'] }],
      bare: true,
      kept: true,
      unwanted: 'scaled-down',
      handedTo: 'later',
      replacement: { uid: 'db2', node: 'node-2', readyAt: at },
    },
  ],
  steps: {
    claim: {
      startedAt: at,
      epoch: 1,
      endedAt: at,
      outcome: 'done',
      detail: 'ours',
      spentMs: 5,
      left: ['pod a'],
    },
  },
  undoing: 'it lives',
  overtaken: 'it is gone',
  left: ['taint'],
  unmarked: 'refused',
  outOfService: true,
  nodeGone: true,
  keepsake: {
    labels: { rack: '7' },
    annotations: {},
    taints: [{ key: 'team', value: 'db', effect: 'NoSchedule', timeAdded: at }],
    unschedulable: false,
  },
  keepsakeAgeMs: 3_600_000,
  return: {
    uid: 'n1',
    bootId: '',
    seenAt: at,
    restored: false,
    quarantined: true,
    welcomed: true,
    welcomedAt: at,
    detail: 'trusted',
  },
  windowPassed: true,
  result: 'recovered',
  closedAt: at,
};

const read = (value: unknown): ReturnType<typeof readRecordText> => readRecordText(JSON.stringify(value));

/** The value with what lies at a path in place of another; `undefined` takes it away. */
function withAt(value: unknown, [key, ...rest]: readonly (string | number)[], put: unknown): unknown {
  if (key === undefined) return put;
  const copy = Array.isArray(value) ? [...value] : { ...(value as Record<string, unknown>) };
  (copy as Record<string | number, unknown>)[key] = withAt((value as never)[key], rest, put);
  return copy;
}

function pathsIn(value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  const below = [...keys].flatMap((key) => pathsIn((value as never)[key], [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

describe('a record', () => {
  it('is read as it was written, with all fields, and with none but those that it must have', () => {
    expect(read(full)).toEqual({ record: full });
    expect(read(newRecord())).toEqual({ record: newRecord() });
  });

  it('keeps what a later version of the same format added to it', () => {
    const later = { ...full, mood: 'good', node: { ...full.node, zone: 'a' } };
    expect(read(later)).toEqual({ record: later });
  });

  it.each(pathsIn(full).map((path) => ({ path, where: path.join('.') })))(
    'with nonsense as $where is damaged, and says where',
    ({ path }) => {
      const field = String(path.findLast((step) => typeof step === 'string'));
      for (const nonsense of [null, 17.5, { a: [] }, [[]]]) {
        const found = read(withAt(full, path, nonsense));
        // The one number that may be any.
        if (path.join('.') === 'verdicts.1.verdict.until' && nonsense === 17.5) continue;
        expect(found).toMatchObject({ kind: 'damaged' });
        expect('problem' in found && found.problem).toContain(field);
      }
    },
  );

  it.each([
    { what: 'no node', value: { ...full, node: undefined } },
    { what: 'a node without a name', value: { ...full, node: { ...full.node, name: '' } } },
    { what: 'no uid of its node', value: { ...full, node: { ...full.node, uid: '' } } },
    { what: 'no id', value: { ...full, id: '' } },
    {
      what: 'a step that nobody knows',
      value: { ...full, steps: { ...full.steps, explode: full.steps.claim } },
    },
    { what: 'a result that nobody knows', value: { ...full, result: 'fine' } },
    {
      what: 'a policy that neither deletes nor keeps',
      value: { ...full, policy: { ...full.policy, node: 'sell' } },
    },
    { what: 'a proof that nobody knows', value: { ...full, policy: { ...full.policy, proof: '' } } },
    { what: 'a time that is none', value: { ...full, openedAt: 'yesterday' } },
    { what: 'a negative epoch', value: { ...full, epoch: -1 } },
    { what: 'half an epoch', value: { ...full, epoch: 1.5 } },
    { what: 'an epoch that no Lease can hold', value: { ...full, epoch: 2 ** 31 - 1 } },
    { what: 'a place that only its prototype has', value: { ...full, evidence: 'constructor' } },
    { what: 'a version before the first', value: { ...full, version: 0 } },
    { what: 'a version that is text', value: { ...full, version: '2' } },
  ])('with $what is damaged', ({ value }) => {
    expect(read(value)).toMatchObject({ kind: 'damaged' });
  });

  it.each([undefined, '', '{', 'null', '[]', '7', '"record"'])('that is %j is damaged', (stored) => {
    expect(readRecordText(stored)).toMatchObject({ kind: 'damaged', node: undefined });
  });

  it('of a newer version is told apart, whatever else it holds, with its node if it names one', () => {
    expect(read({ ...full, version: 2 })).toMatchObject({ kind: 'newer', node: 'node-1' });
    expect(read({ version: 3, node: 'elsewhere' })).toMatchObject({ kind: 'newer', node: undefined });
  });

  it('never throws, and is never taken for one by chance', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) => {
        let stored: string | undefined;
        try {
          stored = JSON.stringify(value);
        } catch {
          return;
        }
        expect(readRecordText(stored)).not.toHaveProperty('record');
      }),
    );
  });

  it('says what it found at no more length than is of use', () => {
    const found = read({ ...full, openedAt: 'x'.repeat(10_000) });
    expect('problem' in found && found.problem.length).toBeLessThan(150);
  });
});

describe('the highest epoch in a stored record', () => {
  it('is that of any part of it, read or not', () => {
    const claimed = { ...full, steps: { claim: { startedAt: at, epoch: 7 } } };
    expect(highestEpochIn(JSON.stringify(claimed, undefined, 2))).toBe(7);
    expect(highestEpochIn('{"epoch": 3, "order": {"epoch":12')).toBe(12);
    expect(highestEpochIn(JSON.stringify({ version: 2, epoch: 9 }))).toBe(9);
  });

  it('is no number that some text happens to hold, nor one that no Lease can hold', () => {
    expect(highestEpochIn(JSON.stringify({ detail: '"epoch": 99', epoch: 4 }))).toBe(4);
    expect(highestEpochIn('{"epoch": 99999999999, "steps": {"claim": {"epoch": 5}}}')).toBe(5);
    expect(highestEpochIn('{"epoch": 2.5}')).toBeUndefined();
    expect(highestEpochIn('{"epoch": "8"}')).toBeUndefined();
    expect(highestEpochIn('')).toBeUndefined();
    expect(highestEpochIn(undefined)).toBeUndefined();
  });
});
