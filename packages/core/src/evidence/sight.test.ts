// When an agent must call itself blind, above all: before it can call one node of an outage dead.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UnheardNode } from './hearing.ts';
import { assess, newNodeState, observe } from './judgement.ts';
import { defaultHeartbeatDetection } from './rules.ts';
import {
  defaultSightRules,
  largestCluster,
  lookAround,
  type SightInput,
  type SightRules,
  shortestSafeDeathMs,
  silentAfterMs,
} from './sight.ts';

const rules = defaultSightRules;

/** With when each node was last heard. */
interface Hearing extends Omit<SightInput, 'heard' | 'silences'> {
  readonly heartbeats: readonly number[];
}

function see({ heartbeats, ...rest }: Hearing, now: number, by: SightRules): ReturnType<typeof lookAround> {
  const silences = heartbeats.filter((at) => now - at >= silentAfterMs(by)).toSorted((a, b) => a - b);
  return lookAround({ ...rest, heard: heartbeats.length, silences }, now, by);
}

const seeing: Hearing = {
  synced: true,
  stale: [],
  leading: undefined,
  heartbeats: [],
  unheard: [],
  heardMost: false,
};
const look = (input: Partial<Hearing>, now = 1_000_000): ReturnType<typeof lookAround> =>
  see({ ...seeing, ...input }, now, rules);

describe('an agent', () => {
  it('sees when its caches are fresh and nodes are heard', () => {
    expect(look({ heartbeats: [999_000, 995_000, 990_000] })).toEqual({
      blind: [],
      missedHeartbeats: false,
      heardMost: true,
    });
  });

  it('sees in an empty cluster', () => {
    expect(look({})).toEqual({ blind: [], missedHeartbeats: false, heardMost: false });
  });

  it.each([
    { why: 'before all caches are synced', input: { synced: false } },
    { why: 'while a cache is stale', input: { stale: ['the watch of Nodes is stale'] } },
    {
      why: 'when its own renewals stop coming back',
      input: { leading: { since: 0, renewalSeenAt: 1_000_000 - 10_001, unread: [] } },
    },
    {
      why: 'when its first renewal never comes back',
      input: { leading: { since: 1_000_000 - 10_001, renewalSeenAt: undefined, unread: [] } },
    },
  ])('is blind, and has missed heartbeats, $why', ({ input }) => {
    const sight = look(input);
    expect(sight.blind).toHaveLength(1);
    expect(sight.missedHeartbeats).toBe(true);
  });

  it('does not call a watch stale when no living node is left to be heard', () => {
    const lastAt = 1_000_000 - 60_000;
    expect(look({ heartbeats: [lastAt, lastAt - 1], leaseHeardAt: lastAt }).blind).toEqual([
      '2 of 2 node Leases fell silent together',
    ]);
    expect(look({ heartbeats: [], leaseHeardAt: lastAt }).blind).toEqual([
      'no living node is left to be heard',
    ]);
    expect(look({ heartbeats: [], leaseHeardAt: 1_000_000 - 29_000 }).blind).toEqual([]);
  });

  it('waits for its first renewal to come back without taking that for an outage', () => {
    const sight = look({ leading: { since: 1_000_000 - 10_000, renewalSeenAt: undefined, unread: [] } });
    expect(sight).toMatchObject({
      blind: ['our first Lease renewal has not come back through our own watch yet'],
      missedHeartbeats: false,
    });
  });

  it('waits for what it has to know of earlier leaders, without taking that for an outage', () => {
    const sight = look({ leading: { since: 0, renewalSeenAt: 999_999, unread: ['a is not known', 'b'] } });
    expect(sight).toMatchObject({ blind: ['a is not known', 'b'], missedHeartbeats: false });
  });

  it('tells every reason at once', () => {
    const sight = look({
      synced: false,
      stale: ['a', 'b'],
      heartbeats: [0],
      leading: { since: 0, renewalSeenAt: 0, unread: [] },
    });
    expect(sight.blind).toHaveLength(5);
  });
});

describe('nodes that fall silent', () => {
  const silent = (secondsAgo: number): number => 1_000_000 - secondsAgo * 1000;

  it.each([
    { nodes: [13, 13, 1], blind: true, what: 'two of three together' },
    { nodes: [13, 1, 1], blind: false, what: 'one of three' },
    { nodes: [13, 1], blind: false, what: 'one of two, which is not more than half' },
    { nodes: [13, 13, 1, 1], blind: false, what: 'two of four, which is not more than half' },
    { nodes: [13, 13, 13, 1, 1], blind: true, what: 'three of five together' },
    { nodes: [13], blind: true, what: 'the only one' },
    { nodes: [12.4, 12.4, 12.4], blind: false, what: 'all, but not longer than a heartbeat may take' },
    { nodes: [12.5, 12.5, 12.5], blind: true, what: 'all, a quarter over the interval ago' },
    { nodes: [500, 300, 1], blind: false, what: 'two of three, far from one another' },
    { nodes: [133, 13, 1], blind: true, what: 'two of three, within two minutes of one another' },
    { nodes: [5_000, 13, 1, 1], blind: false, what: 'one of the three that were left' },
    { nodes: [5_000, 13, 13, 1], blind: true, what: 'two of the three that were left' },
    { nodes: [9_000, 5_000, 13, 13], blind: true, what: 'all that were left, after two that died long ago' },
    { nodes: [9_000, 5_000, 13, 1, 1], blind: false, what: 'one of three, after two that died long ago' },
  ])('$what: blind is $blind', ({ nodes, blind }) => {
    expect(look({ heartbeats: nodes.map(silent) }).missedHeartbeats).toBe(blind);
  });

  it('stay a reason until they are heard again, however long', () => {
    expect(look({ heartbeats: [0, 100, 200] }, 86_400_000).missedHeartbeats).toBe(true);
  });
});

/** When a node's last heartbeat before the cut reached us, in milliseconds before it; kubelets add up to 4 % jitter. */
const phases = fc.double({ min: 0, max: 10_400, noNaN: true });
const cutAt = 1_000_000;

/** A node whose last heartbeat was `phase` before the cut, and whose host has been silent to probes ever since. */
function cutNode(phase: number): ReturnType<typeof newNodeState> {
  let state = newNodeState(0);
  state = observe(state, { kind: 'lease', at: cutAt - phase, renewTime: 'last' });
  state = observe(state, { kind: 'ready', at: cutAt, status: 'Unknown' });
  for (let i = 0; i < 3; i++) state = observe(state, { kind: 'probe', at: cutAt, result: 'silent' });
  return state;
}

describe('nodes that were never heard', () => {
  const since = (secondsAgo: number, calledSilent: boolean): UnheardNode => ({
    since: 1_000_000 - secondsAgo * 1000,
    calledSilent,
  });
  const heard = (count: number): readonly number[] => Array.from({ length: count }, () => 999_000);
  const gone = (count: number, secondsAgo: number) =>
    Array.from({ length: count }, () => since(secondsAgo, true));
  const lost = (count: number, secondsAgo: number) =>
    Array.from({ length: count }, () => since(secondsAgo, false));

  it.each([
    {
      what: 'two of five were given up long before we came',
      heartbeats: heard(3),
      unheard: gone(2, 60),
      blind: [],
    },
    {
      what: 'so many were that we may have come in the middle of an outage',
      heartbeats: heard(2),
      unheard: gone(3, 13),
      blind: ['3 of 5 node Leases have not been renewed since we began to look'],
    },
    {
      what: 'the same, a moment before that can be told',
      heartbeats: heard(2),
      unheard: gone(3, 12),
      blind: [],
    },
    {
      what: 'the same, and we have listened for long enough',
      heartbeats: heard(2),
      unheard: gone(3, 120),
      blind: [],
    },
    {
      what: 'the same, and then one of the two falls silent',
      heartbeats: [987_000, 999_000],
      unheard: gone(3, 500),
      blind: [],
    },
    {
      what: 'most fell silent as we came',
      heartbeats: heard(2),
      unheard: lost(3, 13),
      blind: ['3 of 5 node Leases fell silent together'],
    },
    {
      what: 'most fell silent as we came, however long ago',
      heartbeats: heard(2),
      unheard: lost(3, 86_400),
      blind: ['3 of 5 node Leases fell silent together'],
    },
    {
      what: 'one fell silent as we came, one was given up before, and one more falls silent now',
      heartbeats: [987_000, ...heard(2)],
      unheard: [...lost(1, 500), ...gone(1, 500)],
      blind: [],
    },
    {
      what: 'nobody else is there, and nobody ever was',
      heartbeats: [],
      unheard: gone(3, 86_400),
      blind: ['no node Lease has been renewed since we began to look'],
    },
  ])('when $what', ({ heartbeats, unheard, blind }) => {
    expect(look({ heartbeats, unheard })).toMatchObject({ blind, missedHeartbeats: blind.length > 0 });
  });

  it('are waited for without taking that for an outage', () => {
    expect(look({ heartbeats: [], unheard: [...lost(2, 12), ...gone(1, 12)] })).toMatchObject({
      blind: ['no node Lease has been renewed since we began to look'],
      missedHeartbeats: false,
    });
  });

  it('are no longer waited for once half of all were heard, whatever becomes of those', () => {
    const early = look({ heartbeats: heard(2), unheard: gone(2, 5) });
    expect(early.heardMost).toBe(true);
    // One of them died, was taken over, and takes no part any more.
    const late = look({ heartbeats: heard(1), unheard: gone(2, 60), heardMost: early.heardMost });
    expect(late).toEqual({ blind: [], missedHeartbeats: false, heardMost: true });
    expect(look({ heartbeats: heard(1), unheard: gone(2, 60) }).blind).toHaveLength(1);
  });

  it.each([
    { what: 'before the caches are filled', input: { synced: false, heartbeats: heard(3) } },
    { what: 'without any node', input: {} },
    { what: 'while most are still waited for', input: { heartbeats: heard(2), unheard: gone(3, 5) } },
  ])('are not yet known to be few $what', ({ input }) => {
    expect(look(input).heardMost).toBe(false);
  });

  it('and were given up before we came blind nobody for good, as long as one is heard', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: rules.togetherMs, max: 100 * rules.togetherMs }),
        (count, living, agoMs) => {
          expect(look({ heartbeats: heard(living), unheard: gone(count, agoMs / 1000) }).blind).toEqual([]);
        },
      ),
    );
  });

  it('since an outage in which we came are never called dead before it is seen as one', () => {
    const detection = defaultHeartbeatDetection;
    fc.assert(
      fc.property(
        // Of each node, whether Kubernetes had given it up by then.
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 0, max: rules.togetherMs - detection.deadAfterMs - 1 }),
        (cut, share, laterBy) => {
          // What each one's Lease says is as old as our first look, whatever it says.
          const now = 1_000_000 + detection.deadAfterMs + laterBy;
          const living = Array.from({ length: Math.floor(cut.length * share) }, () => now - 1_000);
          const unheard = cut.map((calledSilent) => ({ since: 1_000_000, calledSilent }));
          expect(look({ heartbeats: living, unheard }, now).missedHeartbeats).toBe(true);
        },
      ),
    );
  });
});

describe('an outage that cuts off nodes at once', () => {
  const deadAfterEach = [defaultHeartbeatDetection.deadAfterMs, shortestSafeDeathMs(rules)];

  it.each(deadAfterEach)('is seen as blindness before any of them may be dead after %i ms', (deadAfterMs) => {
    const detection = { ...defaultHeartbeatDetection, deadAfterMs };
    fc.assert(
      fc.property(
        fc.array(phases, { minLength: 1, maxLength: 40 }),
        // How many nodes stay connected: fewer than are cut off.
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 0, max: 200_000 }),
        (cut, share, laterBy) => {
          const now = cutAt + laterBy;
          const living = Array.from({ length: Math.floor(cut.length * share) }, () => now - 1_000);
          const states = cut.map(cutNode);
          const dead = states.some((state) => assess(state, now, detection).assessment.health === 'dead');
          const heartbeats = [...living, ...states.map(({ heartbeatAt }) => heartbeatAt)];
          const blind = see({ ...seeing, heartbeats }, now, rules).missedHeartbeats;
          if (dead) expect(blind).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is seen as blindness at the very moment at which the first could be dead', () => {
    fc.assert(
      fc.property(fc.array(phases, { minLength: 1, maxLength: 40 }), (cut) => {
        const states = cut.map(cutNode);
        const heartbeats = states.map(({ heartbeatAt }) => heartbeatAt);
        const first = Math.min(...heartbeats) + defaultHeartbeatDetection.deadAfterMs;
        expect(
          states.some(
            (state) => assess(state, first, defaultHeartbeatDetection).assessment.health === 'dead',
          ),
        ).toBe(true);
        expect(see({ ...seeing, heartbeats }, first, rules).missedHeartbeats).toBe(true);
      }),
    );
  });

  it('is not what the death of a single node looks like, in any cluster of two or more', () => {
    fc.assert(
      fc.property(fc.array(phases, { minLength: 1, maxLength: 40 }), phases, (others, phase) => {
        const now = cutAt + 60_000;
        const heartbeats = [cutAt - phase, ...others.map((other) => now - other)];
        expect(see({ ...seeing, heartbeats }, now, rules).blind).toEqual([]);
      }),
    );
  });
});

const sorted = (times: readonly number[]): readonly number[] => times.toSorted((a, b) => a - b);

describe('the largest cluster of times', () => {
  it.each([
    { times: [], window: 10, largest: 0 },
    { times: [5], window: 0, largest: 1 },
    { times: [5, 5, 5], window: 0, largest: 3 },
    { times: [0, 10, 20, 30], window: 10, largest: 2 },
    { times: [30, 0, 20, 10, 21], window: 10, largest: 3 },
  ])('of $times within $window is $largest', ({ times, window, largest }) => {
    expect(largestCluster(sorted(times), window)).toBe(largest);
  });

  it('is what counting from each time on finds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100 })),
        fc.integer({ min: 0, max: 50 }),
        (times, window) => {
          const counts = times.map(
            (start) => times.filter((time) => time >= start && time - start <= window).length,
          );
          expect(largestCluster(sorted(times), window)).toBe(Math.max(0, ...counts));
        },
      ),
    );
  });
});

it('a window shorter than nothing holds one event at a time, and ends', () => {
  expect(largestCluster([1, 2, 3], -1)).toBe(1);
});
