import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

const options = { baseMs: 800, maxMs: 30_000 };
const delays = (chance: number, count: number): number[] => {
  const backoff = new Backoff(options, { next: () => chance });
  return Array.from({ length: count }, () => backoff.next());
};

test('the shortest delays double from the base to half of the maximum', () => {
  expect(delays(0, 8)).toEqual([800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000]);
});

test('the longest delays are twice the shortest and never above the maximum', () => {
  const almostOne = 1 - Number.EPSILON;
  expect(delays(almostOne, 7).map(Math.round)).toEqual([1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
});

test('after a reset it starts over', () => {
  const backoff = new Backoff(options, { next: () => 0 });
  for (let i = 0; i < 5; i++) backoff.next();
  expect(backoff.failures).toBe(5);
  backoff.reset();
  expect(backoff.failures).toBe(0);
  expect(backoff.next()).toBe(800);
});

test('never overflows', () => {
  expect(delays(0.5, 5000).at(-1)).toBe(22_500);
});
