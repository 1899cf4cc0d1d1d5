// When silence proves that a machine has been reset, and when it proves nothing.
import { describe, expect, it } from 'vitest';
import type { Lease } from '../../kubernetes/objects.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer } from '../fencer.ts';
import { clockRatio, leastMarginMs, resetWithinMs } from './bound.ts';
import { claimAnnotations, type GuardClaim } from './guard-claim.ts';
import { type WatchdogFencerOptions, watchdogFencer } from './watchdog-fencer.ts';

const claim: GuardClaim = {
  node: 'node-1',
  state: 'armed',
  bootId: 'boot-1',
  device: 'watchdog0 (iTCO_wdt)',
  grantMs: 20_000,
  timeoutMs: 10_000,
};
const waitMs = resetWithinMs(claim);

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid-1',
  deathId: 'death-1',
  bootId: 'boot-1',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

function leaseWith(change: Partial<GuardClaim> = {}, resourceVersion = '7', renewTime = minute(1)): Lease {
  const annotations = claimAnnotations({ ...claim, ...change });
  return {
    metadata: { name: 'liberator-guard-node-1', uid: 'u', resourceVersion, annotations },
    spec: { renewTime },
  };
}

function minute(count: number): string {
  return `2030-01-01T00:${String(count).padStart(2, '0')}:00.000000Z`;
}

interface Scene {
  readonly clock: ManualClock;
  readonly fencer: Fencer;
  guard: Lease | undefined;
  kubelet: Lease | undefined;
  readonly read: string[];
  ask(change?: Partial<FenceTarget>): Promise<FenceResult>;
}

function scene(options: Partial<WatchdogFencerOptions> = {}): Scene {
  const clock = new ManualClock({ now: 1_000_000 });
  const made: Scene = {
    clock,
    guard: leaseWith(),
    kubelet: undefined,
    read: [],
    fencer: watchdogFencer({
      name: 'watchdog',
      readLease: async ({ namespace, name }) => {
        made.read.push(`${namespace}/${name}`);
        return namespace === 'kube-node-lease' ? made.kubelet : made.guard;
      },
      ...options,
    }),
    ask: (change = {}) =>
      made.fencer.fence(
        { ...target, ...change },
        {
          clock,
          signal: new AbortController().signal,
          permit: () => Promise.reject(new Error('it harms nobody')),
        },
      ),
  };
  return made;
}

describe('the wait', () => {
  it('is T, twice W and the margin, by the slowest of clocks', () => {
    expect(resetWithinMs({ grantMs: 20_000, timeoutMs: 10_000 })).toBe(1.25 * 45_000);
    expect(clockRatio).toBe(1.25);
  });

  it('is never shorter, whatever margin somebody asks for', () => {
    for (const marginMs of [0, -60_000, Number.NaN, leastMarginMs])
      expect(resetWithinMs(claim, marginMs)).toBe(waitMs);
    expect(resetWithinMs(claim, 2 * leastMarginMs)).toBeGreaterThan(waitMs);
    for (const marginMs of [0, leastMarginMs - 1, Number.NaN])
      expect(() => scene({ marginMs })).toThrow(RangeError);
  });

  it('is counted from the end of the first look of this very leader', async () => {
    const now = scene();
    // Its guard was silent long before that, by anybody's clock.
    now.guard = leaseWith({}, '7', '2001-01-01T00:00:00.000000Z');
    expect(await now.ask()).toMatchObject({ outcome: 'waiting' });
    await now.clock.advance(waitMs - 1);
    expect(await now.ask()).toMatchObject({ outcome: 'waiting', retryAfterMs: 1 });
    await now.clock.advance(1);
    expect(await now.ask()).toMatchObject({ outcome: 'fenced', proof: 'self-fenced' });
    const next = scene();
    expect(await next.ask()).toMatchObject({ outcome: 'waiting' });
  });

  it('ends no earlier because an answer took its time', async () => {
    const { clock } = scene();
    let slowMs = 9_000;
    const fencer = watchdogFencer({
      name: 'watchdog',
      readLease: async () => {
        clock.skip(slowMs);
        return leaseWith();
      },
    });
    const ask = () =>
      fencer.fence(target, { clock, signal: new AbortController().signal, permit: () => Promise.reject() });
    await ask();
    clock.skip(waitMs - 1);
    // The question goes out too early, and its answer comes late enough.
    expect(await ask()).toMatchObject({ outcome: 'waiting' });
    slowMs = 0;
    expect(await ask()).toMatchObject({ outcome: 'fenced' });
  });

  it('begins anew with every change of the Lease', async () => {
    const now = scene();
    await now.ask();
    for (const lease of [leaseWith({}, '8'), leaseWith({}, '8', minute(2))]) {
      await now.clock.advance(waitMs - 1);
      now.guard = lease;
      expect(await now.ask()).toMatchObject({ outcome: 'waiting', retryAfterMs: 10_000 });
    }
  });

  it('says the same each time, so that it is told once', async () => {
    const now = scene();
    const first = await now.ask();
    await now.clock.advance(waitMs / 2);
    expect((await now.ask()).detail).toBe(first.detail);
    expect(first.detail).toBe('its guard has to be silent for 57 s, then its watchdog has reset node-1');
  });

  it('is over once and for all: asked again, the answer is the same', async () => {
    const now = scene();
    await now.ask();
    await now.clock.advance(waitMs);
    const answer = await now.ask();
    expect(answer).toMatchObject({
      outcome: 'fenced',
      evidence: [
        {
          witness: 'guard on watchdog0 (iTCO_wdt)',
          said: expect.stringContaining('boot boot-1, T 20000 ms, W 10000 ms'),
        },
        { witness: 'API server', said: 'Lease liberator-guard-node-1 is unchanged at resourceVersion 7' },
      ],
    });
    expect(await now.ask()).toEqual(answer);
    expect(new Set(now.read)).toEqual(
      new Set(['liberator-guards/liberator-guard-node-1', 'kube-node-lease/node-1']),
    );
  });
});

describe('a machine about which nothing follows from silence', () => {
  it.each<[string, Lease | undefined, Partial<FenceTarget>]>([
    ['has no guard', undefined, {}],
    ['has a guard that lets go', leaseWith({ state: 'released' }), {}],
    ['has a guard that never armed anything', leaseWith({ state: 'arming' }), {}],
    ['was guarded in another boot', leaseWith({ bootId: 'boot-0' }), {}],
    ['names no boot', leaseWith(), { bootId: '' }],
    ['is another one', leaseWith({ node: 'node-2' }), {}],
    ['takes too long', leaseWith({ timeoutMs: 120_000 }), {}],
    ['has a watchdog without a timeout', leaseWith({ timeoutMs: 0 }), {}],
    ['has a watchdog that bites before it is fed', leaseWith({ timeoutMs: -5 }), {}],
    ['has a guard without a grant', leaseWith({ grantMs: Number.NaN }), {}],
    ['has a Lease that somebody else wrote', { metadata: { name: 'x', uid: 'u', resourceVersion: '1' } }, {}],
  ])('%s: it is left to the next rung', async (_, lease, change) => {
    const now = scene();
    now.guard = lease;
    await now.ask(change);
    await now.clock.advance(10 * waitMs);
    expect(await now.ask(change)).toMatchObject({ outcome: 'failed', permanent: true });
  });

  it('has a watchdog that does not bite: its kubelet was heard long after its guard', async () => {
    const now = scene();
    now.guard = leaseWith({}, '7', minute(1));
    now.kubelet = leaseWith({}, '9', minute(1));
    await now.ask();
    await now.clock.advance(waitMs);
    expect(await now.ask()).toMatchObject({ outcome: 'fenced' });
    now.kubelet = leaseWith({}, '9', minute(3));
    expect(await now.ask()).toMatchObject({
      outcome: 'failed',
      permanent: true,
      detail: 'its kubelet was heard long after its guard, so its watchdog does not bite',
    });
  });

  it('is told of by the live Node where the record has no boot', async () => {
    const now = scene();
    const node = {
      metadata: { name: 'node-1', uid: 'uid-1', resourceVersion: '1' },
      status: { nodeInfo: { bootID: 'boot-1' } },
    };
    expect(await now.ask({ bootId: '', node })).toMatchObject({ outcome: 'waiting' });
  });
});

describe('a guard without an answer of the API server', () => {
  it('fails, and is asked about again', async () => {
    const now = scene({ readLease: () => Promise.reject(new Error('no answer')) });
    // The one who asks makes a failure of it that is not for good.
    await expect(now.ask()).rejects.toThrow('no answer');
  });
});

describe('a check', () => {
  const check = async (now: Scene, change: Partial<FenceTarget> = {}) => {
    const looking = now.fencer.check?.(
      { ...target, ...change },
      { clock: now.clock, signal: new AbortController().signal },
    );
    await now.clock.advance(40_000);
    return looking;
  };

  it('finds a guard that renews', async () => {
    const now = scene();
    now.clock.setTimeout(() => {
      now.guard = leaseWith({}, '8');
    }, 3_500);
    expect(await check(now)).toMatchObject({
      outcome: 'ready',
      machine: 'matched',
      power: 'on',
      mayAct: 'yes',
    });
  });

  it('finds one that does not', async () => {
    expect(await check(scene())).toMatchObject({ outcome: 'not-ready', detail: 'its guard does not renew' });
  });

  it('says what a fence would stumble over', async () => {
    const now = scene();
    expect(await check(now, { bootId: 'boot-2' })).toMatchObject({ outcome: 'not-ready' });
    now.guard = undefined;
    expect(await check(now)).toMatchObject({ outcome: 'no-device' });
  });
});
