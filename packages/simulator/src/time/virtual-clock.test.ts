// Virtual time must pass in order, completely and repeatably: every simulated story rests on that.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { sleep } from '@liberator/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock, VirtualTimeLimitError } from './virtual-clock.ts';

describe('timers', () => {
  test('fire by due time, and in the order they were set where that is the same', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 40 }), { maxLength: 80 }), async (delays) => {
        const clock = new VirtualClock();
        const fired: { due: number; index: number; at: number }[] = [];
        delays.forEach((delay, index) => {
          clock.setTimeout(() => fired.push({ due: Math.max(0, delay), index, at: clock.now() }), delay);
        });
        await clock.advance(100);
        const expected = delays
          .map((delay, index) => ({ due: Math.max(0, delay), index, at: Math.max(0, delay) }))
          .sort((a, b) => a.due - b.due || a.index - b.index);
        expect(fired).toEqual(expected);
        expect(clock.now()).toBe(100);
      }),
    );
  });

  test('do not fire before their time, and never synchronously', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('zero'), 0);
    clock.setTimeout(() => fired.push('late'), 1_000);
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual(['zero']);
    await clock.advance(999);
    expect(fired).toEqual(['zero']);
    await clock.advance(1);
    expect(fired).toEqual(['zero', 'late']);
  });

  test('can be cancelled, once or twice, before or after they fired', async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const kept = clock.setTimeout(() => fired.push('kept'), 10);
    const cancelled = clock.setTimeout(() => fired.push('cancelled'), 10);
    clock.clearTimeout(cancelled);
    clock.clearTimeout(cancelled);
    clock.clearTimeout(undefined);
    expect(clock.pendingTimers).toBe(1);
    await clock.run();
    clock.clearTimeout(kept);
    expect(fired).toEqual(['kept']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('are forgotten when cancelled by the thousand', () => {
    const clock = new VirtualClock();
    for (let count = 0; count < 10_000; count++) clock.clearTimeout(clock.setTimeout(() => undefined, 1e9));
    const kept = clock.setTimeout(() => undefined, 1e9);
    expect(clock.pendingTimers).toBe(1);
    clock.clearTimeout(kept);
  });

  test('of the same instant follow the tie break, which a seed repeats', async () => {
    const order = async (seed: number): Promise<number[]> => {
      const clock = new VirtualClock({ tieBreak: seededRandom(seed) });
      const fired: number[] = [];
      for (let index = 0; index < 20; index++) clock.setTimeout(() => fired.push(index), 5);
      clock.setTimeout(() => fired.push(99), 4);
      await clock.run();
      return fired;
    };
    const first = await order(1);
    expect(first[0]).toBe(99);
    expect(await order(1)).toEqual(first);
    expect(await order(2)).not.toEqual(first);
    expect([...first].sort((a, b) => a - b)).toEqual([
      ...Array.from({ length: 20 }, (_, index) => index),
      99,
    ]);
  });
});

describe('between two timers', () => {
  test('promise chains of any length come to their end', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimeout(async () => {
      for (let link = 0; link < 5_000; link++) await undefined;
      order.push('chain');
    }, 10);
    clock.setTimeout(() => order.push('next'), 10);
    await clock.advance(10);
    expect(order).toEqual(['chain', 'next']);
  });

  test('code that yields the event loop comes to its end', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimeout(async () => {
      for (let turn = 0; turn < 200; turn++) await nextTurn();
      order.push('yielding');
    }, 10);
    clock.setTimeout(() => order.push('next'), 10);
    await clock.advance(10);
    expect(order).toEqual(['yielding', 'next']);
  });

  test('what was started before time passed comes first', async () => {
    const clock = new VirtualClock();
    const order: string[] = [];
    clock.setTimeout(() => order.push('timer'), 0);
    void nextTurn().then(() => order.push('before'));
    await clock.advance(0);
    expect(order).toEqual(['before', 'timer']);
  });

  test('sleepers wake one after the other, a week in no time', async () => {
    const clock = new VirtualClock();
    let naps = 0;
    const week = 7 * 24 * 3_600_000;
    const sleeper = (async () => {
      while (clock.now() < week) {
        await sleep(clock, 60_000);
        naps++;
      }
      return naps;
    })();
    expect(await clock.runUntilSettled(sleeper, { limitMs: 2 * week })).toBe(7 * 24 * 60);
    expect(clock.now()).toBe(week);
  });
});

describe('running', () => {
  test('stops right after the timer that made the condition hold', async () => {
    const clock = new VirtualClock();
    let ticks = 0;
    const tick = (): void => {
      ticks++;
      clock.setTimeout(tick, 1_000);
    };
    tick();
    expect(await clock.runUntil(() => ticks === 5)).toBe(4_000);
    expect(await clock.runUntil(() => true)).toBe(0);
    expect(clock.now()).toBe(4_000);
  });

  test('gives up at its limit and says so', async () => {
    const clock = new VirtualClock();
    await expect(clock.runUntil(() => false, { limitMs: 500 })).rejects.toThrow(VirtualTimeLimitError);
    expect(clock.now()).toBe(500);
    await expect(clock.runUntilSettled(new Promise(() => undefined), { limitMs: 500 })).rejects.toThrow(
      /pending/,
    );
    expect(clock.now()).toBe(1_000);
  });

  test('hands on what the promise came to', async () => {
    const clock = new VirtualClock();
    const failing = sleep(clock, 10).then(() => Promise.reject(new Error('as planned')));
    await expect(clock.runUntilSettled(failing)).rejects.toThrow('as planned');
  });

  test('hands on what a timer throws and can go on afterwards', async () => {
    const clock = new VirtualClock();
    clock.setTimeout(() => {
      throw new Error('broken timer');
    }, 5);
    await expect(clock.advance(10)).rejects.toThrow('broken timer');
    await clock.advance(10);
    expect(clock.now()).toBe(15);
  });

  test('refuses a second driver at the same time', async () => {
    const clock = new VirtualClock();
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow('one caller at a time');
    await first;
    expect(clock.now()).toBe(10);
  });
});

test('several clocks run side by side without waiting for each other', async () => {
  const clocks = Array.from({ length: 5 }, () => new VirtualClock());
  let ticks = 0;
  for (const clock of clocks) {
    const tick = async (): Promise<void> => {
      await nextTurn();
      ticks++;
      clock.setTimeout(tick, 10);
    };
    clock.setTimeout(tick, 10);
  }
  const start = performance.now();
  await Promise.all(clocks.map((clock) => clock.advance(10_000)));
  expect(ticks).toBe(5_000);
  // Waiting for each other would take the whole allowance of turns, which is seconds.
  expect(performance.now() - start).toBeLessThan(2_000);
});

test('wall time follows, starts where it is told to and jumps alone', async () => {
  const clock = new VirtualClock();
  expect(new Date(clock.wallTime()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  await clock.advance(1_500);
  clock.jumpWallTime(-60_000);
  expect(new Date(clock.wallTime()).toISOString()).toBe('2025-12-31T23:59:01.500Z');
  expect(clock.now()).toBe(1_500);
  expect(new VirtualClock({ epoch: 5 }).wallTime()).toBe(5);
});
