// Timers that are never early, sleeps that leave nothing behind.
import { getEventListeners } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { sleep, systemClock, systemRandom } from './clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('the system clock', () => {
  it('is monotonic, and tells wall time beside that', () => {
    const first = systemClock.now();
    expect(systemClock.now()).toBeGreaterThanOrEqual(first);
    expect(Math.abs(systemClock.wallTime() - Date.now())).toBeLessThan(1_000);
  });

  it('never fires early, not by a fraction of a millisecond', async () => {
    const early: number[] = [];
    for (let i = 0; i < 40; i++) {
      const delayMs = 1 + i / 7;
      const setAt = systemClock.now();
      await sleep(systemClock, delayMs);
      const tookMs = systemClock.now() - setAt;
      if (tookMs < delayMs) early.push(delayMs - tookMs);
    }
    expect(early).toEqual([]);
  });

  it('fires as soon as it can, but not synchronously, when there is nothing to wait for', async () => {
    for (const delayMs of [0, -0, -5, Number.NaN, Number.NEGATIVE_INFINITY]) {
      let fired = false;
      const done = new Promise<void>((resolve) => {
        systemClock.setTimeout(() => {
          fired = true;
          resolve();
        }, delayMs);
      });
      expect(fired).toBe(false);
      await done;
    }
  });

  it('holds delays that are longer than Node.js can', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const days = 86_400_000;
    let fired = 0;
    systemClock.setTimeout(() => fired++, 60 * days);
    await vi.advanceTimersByTimeAsync(60 * days - 1);
    expect(fired).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toBe(1);
    await vi.advanceTimersByTimeAsync(100 * days);
    expect(fired).toBe(1);
  });

  it.each([
    { what: 'in the past', delayMs: -5 },
    { what: 'endlessly long ago', delayMs: Number.NEGATIVE_INFINITY },
    { what: 'that is no number', delayMs: Number.NaN },
    { what: 'longer than Node.js can', delayMs: 2 ** 31 },
    { what: 'that never comes', delayMs: Number.POSITIVE_INFINITY },
    { what: 'that is over by the time it is asked for', delayMs: 0 },
  ])('asks Node.js for nothing that it would warn of, given a moment $what', ({ delayMs }) => {
    const asked = vi.spyOn(globalThis, 'setTimeout');
    // Each look at the time finds it two milliseconds later, as on a machine that has little of it to give.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 2));
    systemClock.clearTimeout(systemClock.setTimeout(() => {}, delayMs));
    const pieces = asked.mock.calls.map(([, piece]) => piece ?? 0);
    vi.restoreAllMocks();
    expect(pieces).toHaveLength(1);
    expect(pieces.every((piece) => piece >= 0 && piece <= 2 ** 31 - 1)).toBe(true);
  });

  it('lets nothing appear on stderr, however late its timers fire', async () => {
    const warnings: string[] = [];
    const hear = ({ name }: Error): number => warnings.push(name);
    process.on('warning', hear);
    await Promise.all([-1, Number.NaN, 0.5, 1].map((delayMs) => sleep(systemClock, delayMs)));
    const endless = systemClock.setTimeout(() => {}, Number.POSITIVE_INFINITY);
    await sleep(systemClock, 5);
    systemClock.clearTimeout(endless);
    process.off('warning', hear);
    expect(warnings).toEqual([]);
  });

  it('cancels a long delay in any of its pieces', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const days = 86_400_000;
    let fired = 0;
    const timer = systemClock.setTimeout(() => fired++, 60 * days);
    await vi.advanceTimersByTimeAsync(40 * days);
    systemClock.clearTimeout(timer);
    await vi.advanceTimersByTimeAsync(60 * days);
    expect(fired).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('takes the cancelling of what has fired, was cancelled, or never was', async () => {
    let fired = 0;
    const timer = systemClock.setTimeout(() => fired++, 1);
    await sleep(systemClock, 10);
    systemClock.clearTimeout(timer);
    systemClock.clearTimeout(timer);
    systemClock.clearTimeout(undefined);
    systemClock.clearTimeout({});
    expect(fired).toBe(1);
  });
});

describe('the system’s chance', () => {
  it('lies between zero and one', () => {
    for (let i = 0; i < 100; i++) {
      const chance = systemRandom.next();
      expect(chance >= 0 && chance < 1).toBe(true);
    }
  });
});

describe('a sleep', () => {
  it('lasts its whole delay and says so', async () => {
    const clock = new ManualClock();
    let outcome: boolean | undefined;
    void sleep(clock, 1_000).then((whole) => {
      outcome = whole;
    });
    await clock.advance(999);
    expect(outcome).toBeUndefined();
    await clock.advance(1);
    expect(outcome).toBe(true);
  });

  it('ends at once when its signal aborts, and leaves neither timer nor listener', async () => {
    const clock = new ManualClock();
    const { signal, abort } = abortable();
    const slept = sleep(clock, 1_000, signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    abort();
    expect(await slept).toBe(false);
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('leaves no listener on its signal when it lasts', async () => {
    const clock = new ManualClock();
    const { signal, abort } = abortable();
    const slept = sleep(clock, 1_000, signal);
    await clock.advance(1_000);
    expect(await slept).toBe(true);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    abort();
  });

  it('does not begin when its signal has aborted before', async () => {
    const clock = new ManualClock();
    expect(await sleep(clock, 1_000, AbortSignal.abort())).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

it('is where every timer of the library, the agent and the simulator comes from', () => {
  const packages = new URL('../../..', import.meta.url);
  const sources = globSync('{core,agent,simulator}/src/**/*.ts', { cwd: packages }).filter(
    (file) => !/\.test\.ts$|\/testing\/|core\/src\/time\/clock\.ts$/.test(file),
  );
  const own = /(?<![.\w])(setTimeout|setInterval)\((?!callback: )|AbortSignal\.timeout|timers\/promises'/;
  expect(sources.length).toBeGreaterThan(100);
  const code = (file: string): string =>
    readFileSync(new URL(file, packages), 'utf8').replaceAll(/^\s*(\/\/|\*|\/\*).*$/gm, '');
  expect(sources.filter((file) => own.test(code(file)))).toEqual([]);
});
