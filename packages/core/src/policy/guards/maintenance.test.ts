// The guard, and since when a mark counts.
import { describe, expect, it } from 'vitest';
import { seeMaintenance } from '../../evidence/maintenance-sight.ts';
import { defaultHeartbeatDetection } from '../../evidence/rules.ts';
import type { Node } from '../../kubernetes/objects.ts';
import type { MaintenanceHold } from '../../marks/maintenance.ts';
import { maintenanceAnnotation, readMark, writeMaintenance } from '../../marks/maintenance.ts';
import type { GuardInput } from '../guard.ts';
import { maintenance } from './maintenance.ts';

const mark = {
  by: 'alice@laptop',
  phase: 'draining',
  since: '2030-01-01T00:00:00.000Z',
  renewed: '2030-01-01T00:00:00.000Z',
  holdSeconds: 300,
} as const;

function nodeWith(text: string | undefined, unschedulable = true): Node {
  const annotations = text === undefined ? {} : { [maintenanceAnnotation]: text };
  return {
    metadata: { name: 'node-1', uid: 'uid-1', resourceVersion: '1', annotations },
    spec: { unschedulable },
  };
}

function verdictOf(hold: MaintenanceHold | undefined, now: number) {
  const input: GuardInput = {
    node: {
      name: 'node-1',
      uid: 'uid-1',
      labels: {},
      annotations: {},
      taints: [],
      ...(hold && { maintenance: hold }),
    },
    assessment: {
      health: 'dead',
      evidence: 'proven',
      reasons: [],
      hostUp: false,
      silentSince: 0,
      nextCheckAt: undefined,
    },
    policy: {
      name: 'p',
      nodes: { all: true },
      detection: defaultHeartbeatDetection,
      controlPlane: false,
      evidence: 'unreachable',
      budget: { maxDead: 1, maxDeadPercent: 100 },
      fencing: { drivers: [], proof: 'optional' },
      node: 'delete',
    },
    fleet: { nodes: 3, dead: ['node-1'], blind: [], paused: undefined },
    now,
  };
  return maintenance.evaluate(input);
}

describe('the guard "maintenance"', () => {
  it('holds from when the mark was first seen until its time is over, and says how long that is', () => {
    const hold = seeMaintenance(nodeWith(writeMaintenance(mark)), undefined, 10_000);
    expect(verdictOf(hold, 20_000)).toEqual({
      outcome: 'hold',
      reason:
        'alice@laptop is draining it (since 2030-01-01T00:00:00.000Z); held for at most 290 s more, ' +
        'or until somebody uncordons node-1',
      until: 310_000,
    });
    expect(verdictOf(hold, 309_999).outcome).toBe('hold');
    expect(verdictOf(hold, 310_000).outcome).toBe('pass');
    expect(verdictOf(undefined, 0).outcome).toBe('pass');
  });

  it('counts anew from every renewal, and from nothing else', () => {
    const first = seeMaintenance(nodeWith(writeMaintenance(mark)), undefined, 0);
    const same = seeMaintenance(nodeWith(writeMaintenance(mark)), first, 200_000);
    expect(same?.seenAt).toBe(0);
    const renewed = writeMaintenance({ ...mark, renewed: '2030-01-01T00:00:30.000Z' });
    expect(seeMaintenance(nodeWith(renewed), same, 200_000)?.seenAt).toBe(200_000);
  });

  it('counts for nothing once the node is uncordoned, by whatever means', () => {
    const text = writeMaintenance(mark);
    expect(seeMaintenance(nodeWith(text, false), undefined, 0)).toBeUndefined();
    expect(seeMaintenance(nodeWith(undefined), undefined, 0)).toBeUndefined();
    expect(seeMaintenance(nodeWith('false'), undefined, 0)).toBeUndefined();
  });

  it('takes what somebody wrote by hand for an hour', () => {
    const hold = seeMaintenance(nodeWith('disk swap'), undefined, 0);
    expect(verdictOf(hold, 3_599_999)).toMatchObject({
      outcome: 'hold',
      reason: expect.stringMatching(/^under maintenance: disk swap; /),
    });
    expect(verdictOf(hold, 3_600_000).outcome).toBe('pass');
  });

  it('never holds for more than a day, whatever the mark says', () => {
    const hold = seeMaintenance(nodeWith(writeMaintenance({ ...mark, holdSeconds: 1e9 })), undefined, 0);
    expect(verdictOf(hold, 24 * 3_600_000).outcome).toBe('pass');
  });

  it.each(['', '{', '[]', 'null', '{"by":"x"}', JSON.stringify({ ...mark, holdSeconds: -1 })])(
    'takes %j for no mark of a drain',
    (text) => {
      expect(readMark(text)).toBeUndefined();
    },
  );

  it('reads back what it writes', () => {
    expect(readMark(writeMaintenance(mark))).toEqual(mark);
    const moving = { namespace: 'a', name: 'b-0', uid: 'c', statefulSet: 'b', volumes: [{ claim: 'd' }] };
    expect(readMark(writeMaintenance({ ...mark, moving }))).toEqual({ ...mark, moving });
    expect(readMark(JSON.stringify({ ...mark, moving: { ...moving, volumes: [null] } }))).toEqual(mark);
  });

  it('keeps its reason short enough for an Event, whatever somebody wrote', () => {
    const hold = seeMaintenance(nodeWith('x'.repeat(100_000)), undefined, 0);
    const verdict = verdictOf(hold, 0);
    expect(verdict.outcome === 'hold' && verdict.reason.length).toBeLessThan(400);
  });
});
