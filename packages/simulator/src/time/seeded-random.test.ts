// The seeded generator must be repeatable and fair enough to jitter with.
import { expect, test } from 'vitest';
import { between, pick, seededRandom } from './seeded-random.ts';

const draw = (seed: number | string, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

test('the same seed gives the same numbers, and a similar one gives others', () => {
  expect(draw(7, 50)).toEqual(draw(7, 50));
  expect(draw('7', 50)).toEqual(draw(7, 50));
  expect(new Set([...draw(7, 50), ...draw(8, 50), ...draw('a/1', 50), ...draw('a/2', 50)]).size).toBe(200);
});

test('the sequence of a seed never changes between releases', () => {
  expect(draw('liberator', 3).map((value) => Math.floor(value * 2 ** 32))).toEqual([
    937_586_087, 3_824_398_349, 1_764_949_008,
  ]);
});

test('numbers lie in [0, 1) and fill it evenly', () => {
  const tenths = new Array<number>(10).fill(0);
  for (const value of draw('even', 100_000)) {
    const tenth = Math.floor(value * 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  expect(tenths).toHaveLength(10);
  for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});

test('between and pick stay within what they were given', () => {
  const random = seededRandom(1);
  for (let draws = 0; draws < 1_000; draws++) {
    const value = between(random, 5, 6);
    expect(value >= 5 && value < 6).toBe(true);
    expect(['a', 'b', 'c']).toContain(pick(random, ['a', 'b', 'c']));
  }
  expect(pick(random, [])).toBeUndefined();
});
