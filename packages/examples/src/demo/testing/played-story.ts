// A recovery as it was once played, for tests of everything that tells or reports one.
import { type TakeoverRecord, type TakeoverStep, takeoverSteps } from '@liberator/core';
import type { DatabaseSight } from '../database/database.ts';
import type { Entry, Observation } from '../observing/observation.ts';
import type { Recovery } from '../telling/report.ts';
import { report } from '../telling/report.ts';

export const crashedAtWall: number = Date.parse('2026-01-01T00:00:00.000Z');
/** When the crash was, in the time of the entries. */
export const crashedAt = 10_000;

export const before: DatabaseSight = {
  uid: '11111111-aaaa',
  node: 'node-2',
  volume: 'pvc-5f3a9c2e-0000-4000-8000-000000000000',
  claimUid: 'claim',
};
export const after: DatabaseSight = { ...before, uid: '22222222-bbbb', node: 'node-3' };

/** An entry, so many milliseconds after the crash. */
export function entry(sinceCrashMs: number, observation: Observation): Entry {
  return { ...observation, at: crashedAt + sinceCrashMs };
}

/** The record after its first `done` steps, each of which took 100 ms, one a second from 26 s on. */
export function recordAfter(done: number, more: Partial<TakeoverRecord> = {}): TakeoverRecord {
  const steps = takeoverSteps.slice(0, done).map((step, index) => {
    const startedAt = timestamp(26_000 + index * 1_000);
    const endedAt = timestamp(26_100 + index * 1_000);
    return [step, { startedAt, endedAt, epoch: 1, outcome: 'done', detail: `did ${step}` }] as const;
  });
  return {
    version: 1,
    id: 'abc',
    deathId: 'abc',
    node: { name: 'node-2', uid: 'uid-of-node-2', bootId: 'boot' },
    lastHeartbeat: '',
    epoch: 1,
    openedAt: timestamp(26_000),
    evidence: 'unreachable',
    reasons: ['Lease not renewed for 25s'],
    verdicts: [
      { guard: 'blind', verdict: { outcome: 'pass' } },
      { guard: 'budget', verdict: { outcome: 'pass' } },
    ],
    policy: {
      name: 'demo',
      node: 'delete',
      proof: 'required',
      ladder: [{ fencer: 'bmc' }],
      drivers: ['bmc'],
    },
    ...(done > takeoverSteps.indexOf('fence') && { proof: 'powered-off', fencer: 'bmc' }),
    pods: [],
    steps: Object.fromEntries(steps),
    ...more,
  };
}

/** A record whose last step has begun and waits for something. */
export function recordWaitingAt(step: TakeoverStep, detail: string): TakeoverRecord {
  const record = recordAfter(takeoverSteps.indexOf(step));
  const waiting = { startedAt: timestamp(26_500), epoch: 1, detail };
  return { ...record, steps: { ...record.steps, [step]: waiting } };
}

function timestamp(sinceCrashMs: number): string {
  return new Date(crashedAtWall + sinceCrashMs).toISOString();
}

const oldPod = { uid: before.uid, node: before.node, ready: true, terminating: false };
const newPod = { uid: after.uid, ready: false, terminating: false };

/** A whole recovery: crash, suspicion, death, takeover, replacement. */
export const playedEntries: readonly Entry[] = [
  entry(-9_000, { kind: 'node-ready', node: 'node-2', status: 'True' }),
  entry(-8_000, { kind: 'attached', volume: before.volume, node: 'node-2' }),
  entry(-6_000, { kind: 'pod', pod: oldPod }),
  entry(-5_000, { kind: 'leads', agent: 'agent-2', epoch: 1 }),
  entry(-4_000, { kind: 'heartbeat', node: 'node-2' }),
  entry(0, { kind: 'crashed', node: 'node-2' }),
  entry(11_000, health('agent-1', 'suspect', ['Lease not renewed for 15s'])),
  entry(11_300, health('agent-2', 'suspect', ['Lease not renewed for 15s'])),
  entry(25_000, health('agent-1', 'dead', ['host silent to 3 probes'])),
  entry(25_500, health('agent-2', 'dead', ['host silent to 3 probes'])),
  entry(26_000, { kind: 'record', record: recordAfter(1) }),
  entry(29_000, { kind: 'record', record: recordAfter(4) }),
  entry(29_500, { kind: 'pod', pod: { ...oldPod, terminating: true } }),
  entry(30_000, { kind: 'pod-gone', uid: before.uid }),
  entry(30_100, { kind: 'pod', pod: newPod }),
  entry(30_200, { kind: 'pod', pod: { ...newPod, node: 'node-3' } }),
  entry(30_300, { kind: 'detached', volume: before.volume, node: 'node-2' }),
  entry(30_800, { kind: 'attached', volume: before.volume, node: 'node-3' }),
  entry(31_100, { kind: 'node-deleted', node: 'node-2' }),
  entry(32_000, { kind: 'pod', pod: { ...newPod, node: 'node-3', ready: true } }),
  entry(32_100, { kind: 'record', record: recordAfter(7, { result: 'recovered' }) }),
];

function health(agent: string, to: 'suspect' | 'dead', reasons: readonly string[]): Observation {
  return { kind: 'health', agent, node: 'node-2', to, reasons };
}

export const playedRecovery: Recovery = report({
  entries: playedEntries,
  pod: 'liberator-demo/mysql-0',
  cluster: 'real',
  kubernetes: 'v1.36.3',
  changedTimers: [],
  before,
  after,
  deletes: 1,
  crashedAtWall,
});
