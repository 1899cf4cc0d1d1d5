// What a guard does to its device and what it says of itself, in which order, whatever is answered.
import { describe, expect, it, onTestFinished } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import { SkewedClock } from '../../testing/skewed-clock.ts';
import { type GuardChange, type GuardEnd, WatchdogGuard, type WatchdogGuardOptions } from './guard.ts';
import type { GuardClaim } from './guard-claim.ts';
import type { GuardLeaseSnapshot, GuardLeaseStore } from './guard-lease.ts';
import type { WatchdogDevice } from './watchdog-device.ts';

type Written = Awaited<ReturnType<GuardLeaseStore['write']>>;

/** A guard with T = 20 s and W = 10 s on a machine where everything can be made to fail. */
function scene(options: Partial<WatchdogGuardOptions> = {}) {
  const clock = new ManualClock();
  const own = new SkewedClock(clock);
  const stop = new AbortController();
  const now = {
    clock,
    own,
    stop,
    /** What was done to device and Lease, in order. */
    log: [] as string[],
    claims: [] as GuardClaim[],
    changes: [] as GuardChange['change'][],
    errors: [] as unknown[],
    canDisarm: true,
    timeoutMs: 10_000,
    off: undefined as string | undefined,
    /** Boot time beside the monotonic clock. */
    extraMs: 0,
    version: 1,
    answer: undefined as (() => Promise<Written>) | undefined,
    onDevice: (_: string): void => undefined,
    end: undefined as GuardEnd | 'failed' | undefined,
  };
  const act = (what: string) => (): void => {
    now.onDevice(what);
    now.log.push(what);
  };
  const device: WatchdogDevice = {
    settings: () => ({ timeoutMs: now.timeoutMs, identity: 'fake', canDisarm: now.canDisarm }),
    open: act('open'),
    feed: act('feed'),
    close: act('close'),
    disarm: act('disarm'),
  };
  const snapshot = (): GuardLeaseSnapshot => ({
    uid: 'u',
    resourceVersion: String(now.version),
    ...(now.off !== undefined && { off: now.off }),
  });
  const store: GuardLeaseStore = {
    read: async () => snapshot(),
    write: async (_, claim) => {
      if (now.answer !== undefined) return now.answer();
      now.version += 1;
      now.claims.push(claim);
      now.log.push(`says ${claim.state}`);
      return { outcome: 'written', snapshot: snapshot() };
    },
  };
  const guard = new WatchdogGuard({
    store,
    device,
    grantMs: 20_000,
    node: 'node-1',
    bootId: 'boot-1',
    deviceName: 'watchdog0',
    clock: own,
    clocks: [() => clock.now() + now.extraMs],
    random: { next: () => 1 },
    onChange: ({ change }) => now.changes.push(change),
    onError: (error) => now.errors.push(error),
    ...options,
  });
  const run = guard.run(stop.signal).then(
    (end) => (now.end = end),
    () => (now.end = 'failed'),
  );
  onTestFinished(async () => {
    stop.abort();
    await clock.advance(60_000);
    await run;
  });
  return Object.assign(now, { guard });
}

const noAnswer = (): Promise<Written> => Promise.reject(new Error('no answer'));
const feedsIn = ({ log }: { readonly log: readonly string[] }): number =>
  log.filter((one) => one === 'feed').length;

describe('a guard', () => {
  it('opens the device only once the API server let it, and is relied on only once it has opened it', async () => {
    const now = scene();
    await now.clock.advance(0);
    expect(now.log).toEqual(['says arming', 'open', 'says armed', 'feed']);
    expect(now.claims.at(-1)).toEqual({
      node: 'node-1',
      state: 'armed',
      bootId: 'boot-1',
      device: 'watchdog0 (fake)',
      grantMs: 20_000,
      timeoutMs: 10_000,
    });
  });

  it('leaves the device alone as long as nobody answers', async () => {
    const now = scene();
    now.answer = noAnswer;
    await now.clock.advance(120_000);
    expect(now.log).toEqual([]);
    expect(now.errors.length).toBeGreaterThan(10);
  });

  it('feeds five times as often as it has to, and renews four times', async () => {
    const now = scene();
    await now.clock.advance(60_000);
    expect(feedsIn(now)).toBeGreaterThanOrEqual(30);
    expect(now.claims.length).toBeGreaterThanOrEqual(12);
    expect(now.claims.length).toBeLessThan(18);
  });

  it('feeds no more once its last good renewal was sent T ago, and again once there is another', async () => {
    const now = scene();
    await now.clock.advance(9_999);
    now.answer = noAnswer;
    // The last one was sent at 5 s.
    await now.clock.advance(15_000);
    const fed = feedsIn(now);
    expect(now.guard.remainingMs).toBeLessThanOrEqual(1);
    await now.clock.advance(30_000);
    expect(feedsIn(now)).toBe(fed);
    expect(now.changes.at(-1)).toBe('starving');
    now.answer = undefined;
    await now.clock.advance(2_000);
    expect(feedsIn(now)).toBeGreaterThan(fed);
    expect(now.changes.slice(-2)).toEqual(['starving', 'fed-again']);
  });

  it('counts a grant from when it was asked for', async () => {
    const now = scene();
    await now.clock.advance(4_999);
    // The answer takes six seconds, which is more than this guard waits for anything.
    const { promise, resolve } = Promise.withResolvers<Written>();
    now.answer = () => promise;
    await now.clock.advance(1);
    now.clock.skip(6_000);
    resolve({ outcome: 'written', snapshot: { uid: 'u', resourceVersion: 'new' } });
    await now.clock.settle();
    expect(now.guard.remainingMs).toBe(14_000);
  });

  it.each(['wall', 'boot'] as const)(
    'takes the %s clock for right when it says that more time has passed',
    async (which) => {
      const now = scene();
      await now.clock.advance(6_000);
      expect(now.guard.remainingMs).toBe(19_000);
      if (which === 'wall') now.own.jumpWallTime(20_000);
      else now.extraMs = 20_000;
      expect(now.guard.remainingMs).toBe(0);
      now.log.length = 0;
      now.answer = noAnswer;
      await now.clock.advance(5_000);
      expect(now.log).toEqual([]);
    },
  );

  it('does not believe a clock that goes back', async () => {
    const now = scene();
    await now.clock.advance(6_000);
    now.own.jumpWallTime(-3_600_000);
    expect(now.guard.remainingMs).toBe(19_000);
  });

  it('takes an answer for none that says that nothing has changed', async () => {
    const now = scene();
    now.answer = async () => ({ outcome: 'written', snapshot: { uid: 'u', resourceVersion: '1' } });
    await now.clock.advance(60_000);
    expect(now.log).toEqual([]);
  });

  it('goes on when somebody else has written to its Lease', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.answer = async () => {
      now.answer = undefined;
      return { outcome: 'conflict' };
    };
    await now.clock.advance(30_000);
    expect(now.changes).toEqual(['arming', 'armed']);
    expect(now.guard.remainingMs).toBeGreaterThan(10_000);
  });

  it('lets go of the device at once when it was stopped right before a feed', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.answer = noAnswer;
    now.onDevice = (what) => {
      if (what === 'feed') now.clock.skip(25_000);
    };
    await now.clock.advance(2_000);
    expect(now.log.slice(-2)).toEqual(['feed', 'close']);
    expect(now.changes.at(-1)).toBe('fed-late');
    // It needs a new grant for everything.
    now.onDevice = () => undefined;
    now.answer = undefined;
    now.log.length = 0;
    await now.clock.advance(2_000);
    expect(now.log.slice(0, 4)).toEqual(['says arming', 'open', 'says armed', 'feed']);
  });

  it('says what the device says, each time', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.timeoutMs = 30_000;
    await now.clock.advance(6_000);
    expect(now.claims.at(-1)).toMatchObject({ state: 'armed', timeoutMs: 30_000 });
  });

  it.each([0, 500, 3_600_001, Number.NaN])('refuses a grant of %s ms', (grantMs) => {
    expect(() => scene({ grantMs })).toThrow(RangeError);
  });

  it('ends when its device fails, and says that nobody may rely on it', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.onDevice = () => {
      throw new Error('ENODEV');
    };
    await now.clock.advance(20_000);
    expect(now.end).toBe('failed');
    expect(now.claims.at(-1)?.state).toBe('released');
    expect(now.log).not.toContain('disarm');
  });
});

describe('a guard that is to end', () => {
  it('disarms only once the API server has it that nobody may rely on it', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.log.length = 0;
    now.stop.abort();
    await now.clock.advance(1_000);
    expect(now.log).toEqual(['says released', 'feed', 'disarm']);
    expect(now.end).toBe('released');
  });

  it('leaves it armed when the API server does not answer', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.answer = noAnswer;
    now.stop.abort();
    await now.clock.advance(10_000);
    expect(now.end).toBe('armed');
    expect(now.log).not.toContain('disarm');
  });

  it('leaves one armed that can not be disarmed, and does not say otherwise', async () => {
    const now = scene();
    now.canDisarm = false;
    await now.clock.advance(6_000);
    now.stop.abort();
    await now.clock.advance(1_000);
    expect(now.end).toBe('armed');
    expect(now.claims.map(({ state }) => state)).not.toContain('released');
  });
});

describe('a guard that people switch off', () => {
  it('disarms in good order, stays, and arms again when they want it', async () => {
    const now = scene();
    await now.clock.advance(1_000);
    now.off = 'an upgrade of the control plane';
    await now.clock.advance(15_000);
    expect(now.changes).toEqual(['arming', 'armed', 'released']);
    expect(now.log.at(-1)).toBe('says released');
    expect(now.log.filter((one) => one === 'disarm')).toEqual(['disarm']);
    now.off = undefined;
    await now.clock.advance(15_000);
    expect(now.changes.slice(-2)).toEqual(['arming', 'armed']);
  });

  it('feeds on, and says so, when its watchdog can not be disarmed', async () => {
    const now = scene();
    now.canDisarm = false;
    now.off = 'an upgrade of the control plane';
    await now.clock.advance(0);
    // It is not armed in the first place.
    expect(now.log).not.toContain('open');
    now.off = undefined;
    await now.clock.advance(15_000);
    expect(now.changes).toContain('armed');
    now.off = 'another one';
    await now.clock.advance(15_000);
    expect(now.changes.filter((one) => one === 'cannot-disarm')).toEqual(['cannot-disarm']);
    const fed = feedsIn(now);
    await now.clock.advance(10_000);
    expect(feedsIn(now)).toBeGreaterThan(fed);
  });
});
