// Leaders that die at any moment of a takeover, nodes that come back at any moment, and both with trouble in between.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochAnnotation, outOfServiceTaint } from '../marks/taints.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import type { Call, CallFate, MemoryCluster } from '../testing/memory-cluster.ts';
import { TakeoverExecutor } from './executor.ts';
import { type TakeoverRecord, takeoverSteps } from './record.ts';

/** What happens at one call of the port. */
type Event =
  /** The leader dies before the call leaves, or after it was served and before its answer came. */
  | 'crash-before'
  | 'crash-after'
  | 'failed'
  | 'answer-lost'
  | 'conflict'
  /** The node's kubelet renews its Lease. */
  | 'return'
  /** Somebody deletes the Node and the machine registers anew. */
  | 'register-anew';

interface Outcome {
  readonly cluster: MemoryCluster;
  readonly record: TakeoverRecord;
  readonly leaders: number;
  /** What had been destroyed by the time at which the node came back, and which call came right then. */
  readonly returned:
    | { readonly destroyed: number; readonly during: Call; readonly released: boolean }
    | undefined;
}

const isBack = (cluster: MemoryCluster): string | undefined => {
  if ((cluster.nodes.get('node-1')?.metadata.uid ?? 'n1') !== 'n1') return 'a new Node has taken its name';
  const renewed = cluster.leases.get('node-1')?.spec?.renewTime ?? 'r1';
  return renewed === 'r1' ? undefined : 'its Lease is renewed again';
};

const isOutOfService = (cluster: MemoryCluster): boolean =>
  cluster.taintsOf('node-1').some(({ key }) => key === outOfServiceTaint.key);

/** A takeover of node-1 by as many leaders as it takes, with the given events at the calls of those numbers. */
async function live(
  events: ReadonlyMap<number, Event>,
  policy: 'delete' | 'keep' = 'delete',
  caches: 'fresh' | 'behind' = 'fresh',
): Promise<Outcome> {
  const clock = new ManualClock({ turns: 1 });
  const cluster = clusterWithDeadNode(clock);
  let returned: Outcome['returned'];
  let leaders = 0;
  for (;;) {
    const term = endlessTerm(clock, ++leaders);
    const executor = new TakeoverExecutor({
      cluster,
      clock,
      fencers: [
        { name: 'ipmi', fence: async () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' }) },
      ],
      onProgress: () => {},
    });
    cluster.fateOf = (call): CallFate | undefined => {
      const die = (): void => term.end('it crashed');
      const comeBack = (how: () => void) => (): void => {
        returned ??= { destroyed: cluster.destroyed.length, during: call, released: isOutOfService(cluster) };
        how();
      };
      switch (events.get(call.index)) {
        case 'crash-before':
          return { before: die };
        case 'crash-after':
          return { after: die, outcome: 'answer-lost' };
        case 'failed':
        case 'answer-lost':
          return { outcome: events.get(call.index) as 'failed' | 'answer-lost' };
        case 'conflict':
          return call.write && call.method !== 'createRecord' ? { outcome: 'conflict' } : undefined;
        case 'return':
          return { before: comeBack(() => cluster.renew('node-1', 'r2')) };
        case 'register-anew':
          return {
            before: comeBack(() => {
              cluster.leases.delete('node-1');
              cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
            }),
          };
        default:
          return undefined;
      }
    };
    const work = async (): Promise<boolean> => {
      const fresh = newRecord({ epoch: term.epoch, policy: { ...newRecord().policy, node: policy } });
      const stored = cluster.records.get('death') ?? (await executor.open(term, fresh));
      await executor.run(term, stored, {
        nodeNow: () => ({ gone: !cluster.nodes.has('node-1') }),
        lifeSign: () => (caches === 'fresh' ? isBack(cluster) : undefined),
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
    if (done === true && record !== undefined) return { cluster, record, leaders, returned };
    if (done === undefined || leaders > 50) throw new Error('the takeover does not come to its end');
  }
}

/** The calls of a takeover in which nothing goes wrong. */
const undisturbed = (await live(new Map())).cluster.calls;
const writes = undisturbed.filter(({ write }) => write);
const named = ({ index, method, target }: Call): { index: number; what: string } => ({
  index,
  what: `${method} ${target}`,
});

function expectRecovered({ cluster, record }: Outcome): void {
  expect(cluster.destroyed.toSorted()).toEqual(['db', 'n1', 'web']);
  expect(record.result).toBe('recovered');
  expect(record.proof).toBe('powered-off');
  for (const step of takeoverSteps) expect(record.steps[step]).toMatchObject({ outcome: 'done' });
}

/** Nothing may be destroyed once the node is back, but for what was on its way at that very moment. */
function expectHarmless({ cluster, record, returned }: Outcome): void {
  expect(new Set(cluster.destroyed).size).toBe(cluster.destroyed.length);
  if (returned === undefined) return;
  const onItsWay = returned.during.method === 'deletePod' || returned.during.method === 'deleteNode' ? 1 : 0;
  expect(cluster.destroyed.length).toBeLessThanOrEqual(returned.destroyed + onItsWay);
  expect(cluster.destroyed).not.toContain('n1-anew');
  expect(record.result).toBeDefined();
  if (record.result === 'undone') {
    const node = cluster.nodes.get('node-1');
    expect(cluster.destroyed).toEqual([]);
    expect((node?.spec?.taints ?? []).filter(({ key }) => key !== 'team')).toEqual([]);
    expect(node?.metadata.annotations ?? {}).not.toHaveProperty([epochAnnotation]);
  }
}

/** Without any help from the caches: nothing harmful is even tried once its Lease has been read again. */
function expectHarmlessFromTheNextLookOn({ cluster, record, returned }: Outcome): void {
  expect(record.result).toBeDefined();
  expect(cluster.destroyed).not.toContain('n1-anew');
  const from = returned?.during.index ?? 0;
  const looked = cluster.calls.find(({ index, method }) => index >= from && method === 'readNodeLease');
  if (returned === undefined || looked === undefined) return;
  const tried = cluster.calls.filter(
    ({ index, method }) => index > looked.index && method.startsWith('delete'),
  );
  expect(tried).toEqual([]);
}

describe('a leader that dies', () => {
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

  it('at any reading is followed by one who finishes the work', { timeout: 30_000 }, async () => {
    for (const { index } of undisturbed.filter(({ write }) => !write)) {
      expectRecovered(await live(new Map([[index, 'crash-before']])));
    }
  });
});

describe('a node that comes back', () => {
  const released = undisturbed.findIndex(
    ({ method }, i) =>
      method === 'setTaints' && undisturbed.slice(0, i).some((c) => c.method === 'setTaints'),
  );

  it('at any moment before the release is given back as it was', { timeout: 30_000 }, async () => {
    expect(released).toBeGreaterThan(10);
    for (const { index } of undisturbed.slice(0, released)) {
      const outcome = await live(new Map([[index, 'return']]));
      expect(outcome.record.result).toBe('undone');
      expectHarmless(outcome);
    }
  });

  it('at any moment from then on is harmed no further', { timeout: 30_000 }, async () => {
    for (const { index } of undisturbed.slice(released)) {
      expectHarmless(await live(new Map([[index, 'return']])));
    }
  });

  it('unnoticed by the caches, at any moment, is noticed at the next look', { timeout: 30_000 }, async () => {
    const lastLook = undisturbed.findLastIndex(({ method }, i) => method === 'readNodeLease' && i < released);
    for (const how of ['return', 'register-anew'] as const) {
      for (const { index } of undisturbed) {
        const outcome = await live(new Map([[index, how]]), 'delete', 'behind');
        expectHarmlessFromTheNextLookOn(outcome);
        if (how === 'return' && index <= lastLook) expect(outcome.record.result).toBe('undone');
      }
    }
  });

  it('under a new uid, at any moment, keeps its Node and its pods', { timeout: 30_000 }, async () => {
    for (const { index } of undisturbed) {
      const outcome = await live(new Map([[index, 'register-anew']]));
      expectHarmless(outcome);
      expect(outcome.cluster.nodes.get('node-1')?.metadata.uid).toBe('n1-anew');
    }
  });
});

describe('any number of deaths, errors, lost answers and conflicts', () => {
  const moments = fc.integer({ min: 0, max: undisturbed.length + 20 });
  const trouble = fc.constantFrom<Event>('crash-before', 'crash-after', 'failed', 'answer-lost', 'conflict');

  it('end in every step done and everything destroyed just once', { timeout: 30_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(moments, trouble), { maxLength: 12 }), async (events) => {
        expectRecovered(await live(new Map(events)));
      }),
      { numRuns: 150 },
    );
  });

  it('and a return at any moment end in nothing destroyed from then on', { timeout: 30_000 }, async () => {
    const comeBack = fc.constantFrom<Event>('return', 'register-anew');
    const events = fc.tuple(fc.array(fc.tuple(moments, trouble), { maxLength: 8 }), moments, comeBack);
    await fc.assert(
      fc.asyncProperty(
        events,
        fc.constantFrom('delete' as const, 'keep' as const),
        async ([troubles, moment, how], policy) => {
          expectHarmless(await live(new Map([...troubles, [moment, how]]), policy));
        },
      ),
      { numRuns: 250 },
    );
  });
});
