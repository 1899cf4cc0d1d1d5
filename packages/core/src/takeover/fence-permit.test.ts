// For how long a look holds on which harm is done, and when there is no permit at all.
import { describe, expect, it } from 'vitest';
import { DeviceQueue } from '../fencing/device-queue.ts';
import { RenewableTerm } from '../term/leader-term.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { MemoryCluster } from '../testing/memory-cluster.ts';
import { Attempts } from './attempts.ts';
import { askPermit } from './fence-permit.ts';
import { Looks } from './looks.ts';
import type { StepContext } from './step.ts';

type Scene = StepContext & { readonly clock: ManualClock; readonly cluster: MemoryCluster };

function scene(change: Partial<Scene> = {}): Scene {
  const clock = change.clock ?? new ManualClock({ turns: 1 });
  return {
    clock,
    cluster: clusterWithDeadNode(clock),
    term: endlessTerm(clock, 1),
    record: newRecord(),
    spentMs: () => 0,
    since: () => 0,
    attempts: new Attempts(),
    looks: new Looks(clock),
    settled: new Map(),
    putOnRecord: async () => true,
    noteSpent: async () => {},
    volumes: new Map(),
    fencers: new Map(),
    devices: new DeviceQueue(),
    neighbours: () => [],
    lifeSign: () => undefined,
    holds: () => [],
    addressIsReused: () => false,
    policyNow: () => undefined,
    nodeNow: () => undefined,
    laterTakeoverWith: () => undefined,
    ...change,
  };
}

/** A term with so much left. */
function termOf(clock: ManualClock, validityMs: number): RenewableTerm {
  return new RenewableTerm({
    epoch: 1,
    identity: 'a',
    clock,
    validityMs,
    first: { renewTime: '', sentAt: clock.now() },
    firstWallTime: clock.wallTime(),
  });
}

describe('a permit', () => {
  it('holds for five seconds, and never beyond the term', async () => {
    expect(await askPermit(scene())).toEqual({ outcome: 'granted', validForMs: 5_000 });
    const clock = new ManualClock({ turns: 1 });
    const short = { clock, cluster: clusterWithDeadNode(clock), term: termOf(clock, 3_000) };
    expect(await askPermit(scene(short))).toEqual({ outcome: 'granted', validForMs: 3_000 });
  });

  it('counts from when the look began, however long the API server took', async () => {
    for (const [tookMs, permit] of [
      [4_000, { outcome: 'granted', validForMs: 1_000 }],
      [5_000, { outcome: 'refused', code: 'unknown' }],
    ] as const) {
      const context = scene();
      const { cluster, clock } = context;
      const slow = Object.assign(Object.create(cluster), {
        readNodeLease: async (...args: Parameters<typeof cluster.readNodeLease>) => {
          await clock.advance(tookMs);
          return cluster.readNodeLease(...args);
        },
        readNode: (...args: Parameters<typeof cluster.readNode>) => cluster.readNode(...args),
      });
      expect(await askPermit({ ...context, cluster: slow })).toMatchObject(permit);
    }
  });

  it('is refused without a term, before anything is read', async () => {
    const clock = new ManualClock({ turns: 1 });
    const cluster = clusterWithDeadNode(clock);
    const term = termOf(clock, 3_000);
    await clock.advance(3_000);
    expect(await askPermit(scene({ clock, cluster, term }))).toMatchObject({
      outcome: 'refused',
      code: 'term',
    });
    expect(cluster.calls).toEqual([]);
  });

  it('reads the Lease and the Node anew each time', async () => {
    const context = scene();
    const { cluster } = context;
    await askPermit(context);
    cluster.renew('node-1', 'r2');
    expect(await askPermit(context)).toMatchObject({ outcome: 'refused', code: 'alive' });
    cluster.renew('node-1', 'r1');
    cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
    expect(await askPermit(context)).toMatchObject({ outcome: 'refused', code: 'overtaken' });
    cluster.nodes.delete('node-1');
    expect(await askPermit(context)).toMatchObject({ outcome: 'granted' });
  });

  it('is refused once another policy counts for the node, or the same one as it has become', async () => {
    const { policy } = newRecord();
    expect(await askPermit(scene({ policyNow: () => ({ ...policy }) }))).toMatchObject({
      outcome: 'granted',
    });
    for (const change of [{ name: 'by-hand' }, { proof: 'optional' }, { drivers: ['manual'] }] as const) {
      expect(await askPermit(scene({ policyNow: () => ({ ...policy, ...change }) }))).toMatchObject({
        outcome: 'refused',
        code: 'policy',
      });
    }
  });

  it('is refused under a brake, with all its reasons, and on the word of the caches', async () => {
    expect(await askPermit(scene({ holds: () => ['paused: night', 'blind: stale'] }))).toEqual({
      outcome: 'refused',
      code: 'held',
      detail: 'paused: night; blind: stale',
    });
    expect(await askPermit(scene({ lifeSign: () => 'the host is up' }))).toMatchObject({ code: 'alive' });
  });
});
