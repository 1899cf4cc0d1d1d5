// Leaders that die, answers that get lost and nodes that come back while a proof covers only some of what is on the node.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fencer } from '../fencing/fencer.ts';
import { outOfServiceTaint } from '../marks/taints.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { Call, CallFate, MemoryCluster } from '../testing/memory-cluster.ts';
import { TakeoverExecutor } from './executor.ts';
import type { TakeoverRecord } from './record.ts';

const ceph = 'rbd.csi.ceph.com';
type Event = 'crash-before' | 'crash-after' | 'failed' | 'answer-lost' | 'conflict' | 'return';

interface Outcome {
  readonly cluster: MemoryCluster;
  readonly record: TakeoverRecord;
  readonly leaders: number;
  /** What had been destroyed when the node came back, and during which call. */
  readonly returned: { readonly destroyed: number; readonly during: Call } | undefined;
  /** What was destroyed, or let go of by a mark on the Node, before anybody had switched off the power. */
  readonly early: ReadonlySet<string>;
}

/** db-0 writes to Ceph, kafka-0 to a disk of its host. Ceph is fenced at once, the power is off after a minute. */
function mixedCluster(clock: ManualClock): MemoryCluster {
  const cluster = clusterWithDeadNode(clock);
  const metadata = { name: 'pv-0', uid: 'pv', resourceVersion: '1' };
  cluster.volumes.set('pv-0', { metadata, spec: { csi: { driver: ceph } } });
  cluster.attachments.set('pv-0', {
    metadata: { name: 'attachment', uid: 'va', resourceVersion: '1' },
    spec: { attacher: ceph, nodeName: 'node-1', source: { persistentVolumeName: 'pv-0' } },
  });
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'kafka', uid: 'uid-kafka' };
  cluster.putPod({
    metadata: { name: 'kafka-0', uid: 'kafka', ownerReferences: [{ ...owner, controller: true }] },
    spec: { nodeName: 'node-1', volumes: [{ name: 'data', hostPath: { path: '/data' } }] },
  });
  return cluster;
}

async function live(events: ReadonlyMap<number, Event>): Promise<Outcome> {
  const clock = new ManualClock({ turns: 1 });
  const cluster = mixedCluster(clock);
  const early = new Set<string>();
  let isOff = false;
  let returned: Outcome['returned'];
  const fencers: readonly Fencer[] = [
    {
      name: 'ceph',
      fence: async () => ({ outcome: 'fenced', proof: 'isolated', detail: 'fenced', csiDrivers: [ceph] }),
    },
    {
      name: 'power',
      async fence() {
        if (clock.now() < 60_000) return { outcome: 'waiting', detail: 'soon', retryAfterMs: 10_000 };
        isOff = true;
        return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
      },
    },
  ];
  const isBack = (): string | undefined =>
    cluster.leases.get('node-1')?.spec?.renewTime === 'r1' ? undefined : 'its Lease is renewed again';
  const note = (): void => {
    if (isOff) return;
    for (const uid of cluster.destroyed) early.add(uid);
    if (cluster.taintsOf('node-1').some(({ key }) => key === outOfServiceTaint.key)) early.add('mark');
  };
  let leaders = 0;
  for (;;) {
    const term = endlessTerm(clock, ++leaders);
    const executor = new TakeoverExecutor({ cluster, clock, fencers, onProgress: note });
    cluster.fateOf = (call): CallFate | undefined => {
      note();
      const event = events.get(call.index);
      const die = (): void => term.end('it crashed');
      if (event === 'crash-before') return { before: die };
      if (event === 'crash-after') return { after: die, outcome: 'answer-lost' };
      if (event === 'failed' || event === 'answer-lost') return { outcome: event };
      if (event === 'conflict')
        return call.write && call.method !== 'createRecord' ? { outcome: 'conflict' } : undefined;
      if (event !== 'return') return undefined;
      return {
        before: () => {
          returned ??= { destroyed: cluster.destroyed.length, during: call };
          cluster.renew('node-1', 'r2');
        },
      };
    };
    const work = async (): Promise<boolean> => {
      const policy = { ...newRecord().policy, drivers: ['ceph', 'power'] };
      const stored =
        cluster.records.get('death') ?? (await executor.open(term, newRecord({ epoch: term.epoch, policy })));
      await executor.run(term, stored, {
        nodeNow: () => ({ gone: !cluster.nodes.has('node-1') }),
        lifeSign: isBack,
        holds: () => [],
      });
      return true;
    };
    let done: boolean | undefined;
    work().then(
      () => {
        done = true;
      },
      () => {
        done = false;
      },
    );
    for (let minutes = 0; done === undefined && minutes < 30; minutes++) await clock.advance(60_000);
    const record = cluster.records.get('death')?.record;
    if (done === true && record !== undefined) return { cluster, record, leaders, returned, early };
    if (done === undefined || leaders > 50) throw new Error('the takeover does not come to its end');
  }
}

const undisturbed = (await live(new Map())).cluster.calls;
const writes = undisturbed.filter(({ write }) => write);
const named = ({ index, method, target }: Call): { index: number; what: string } => ({
  index,
  what: `${method} ${target}`,
});

function expectRecovered({ cluster, record, early }: Outcome): void {
  expect(cluster.destroyed.toSorted()).toEqual(['db', 'kafka', 'n1', 'web']);
  expect(record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
  expect(record.pods.map(({ uid }) => uid).toSorted()).toEqual(['db', 'kafka', 'web']);
  expectOnlyCoveredEarly(early);
}

/** Before the power was off, nothing but what Ceph's fence covers. */
function expectOnlyCoveredEarly(early: ReadonlySet<string>): void {
  expect([...early].filter((what) => what !== 'db' && what !== 'web')).toEqual([]);
}

describe('a leader that dies while some of what is on the node is covered', () => {
  it.each(writes.map(named))(
    'before write $index, $what, is followed by one who finishes the work',
    async ({ index }) => {
      const outcome = await live(new Map([[index, 'crash-before']]));
      expect(outcome.leaders).toBe(2);
      expectRecovered(outcome);
    },
  );

  it.each(writes.map(named))(
    'after write $index, $what, is followed by one who does it no second time',
    async ({ index }) => {
      const outcome = await live(new Map([[index, 'crash-after']]));
      expect(outcome.leaders).toBe(2);
      expectRecovered(outcome);
    },
  );

  it('or loses answers, any number of times, frees what is covered early and nothing else', {
    timeout: 30_000,
  }, async () => {
    const moments = fc.integer({ min: 0, max: undisturbed.length + 20 });
    const trouble = fc.constantFrom<Event>(
      'crash-before',
      'crash-after',
      'failed',
      'answer-lost',
      'conflict',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(moments, trouble), { maxLength: 12 }), async (events) => {
        expectRecovered(await live(new Map(events)));
      }),
      { numRuns: 100 },
    );
  });
});

describe('a node that comes back at any moment', () => {
  it('is harmed no further, and what was freed of it is waited for', { timeout: 30_000 }, async () => {
    for (const { index } of undisturbed) {
      const { cluster, record, returned, early } = await live(new Map([[index, 'return']]));
      expectOnlyCoveredEarly(early);
      const onItsWay = returned?.during.method.startsWith('delete') ? 1 : 0;
      expect(cluster.destroyed.length).toBeLessThanOrEqual((returned?.destroyed ?? 0) + onItsWay);
      // What was let go of is no takeover that came to nothing.
      if (cluster.destroyed.length > 0) expect(record.result).not.toBe('undone');
      else if (record.isolation?.freed !== true) expect(record.result).toBe('undone');
    }
  });
});
