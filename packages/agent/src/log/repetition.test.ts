import { describe, expect, it } from 'vitest';
import { Repetition } from './repetition.ts';

describe('something that goes on and on', () => {
  it('is told at once, then at growing intervals, with how often it came', () => {
    const repetition = new Repetition();
    const told: [second: number, count: number][] = [];
    for (let second = 0; second <= 150; second++) {
      const count = repetition.countToTell('no answer', second * 1_000);
      if (count > 0) told.push([second, count]);
    }
    expect(told).toEqual([
      [0, 1],
      [10, 10],
      [30, 20],
      [70, 40],
      [150, 80],
    ]);
  });

  it('is never kept back for longer than ten minutes', () => {
    const repetition = new Repetition();
    const told: number[] = [];
    for (let second = 0; second < 86_400; second++) {
      if (repetition.countToTell('no answer', second * 1_000) > 0) told.push(second);
    }
    const gaps = told.slice(1).map((second, index) => second - (told[index] ?? 0));
    expect(Math.max(...gaps)).toBe(600);
    expect(told.length).toBeLessThan(160);
  });

  it('is the same when only its digits differ', () => {
    const repetition = new Repetition();
    expect(repetition.countToTell('silent for 20s', 0)).toBe(1);
    expect(repetition.countToTell('silent for 21s', 1_000)).toBe(0);
    expect(repetition.countToTell('quiet for 21s', 1_000)).toBe(1);
  });

  it('is news again after five quiet minutes', () => {
    const repetition = new Repetition();
    expect(repetition.countToTell('no answer', 0)).toBe(1);
    expect(repetition.countToTell('no answer', 1_000)).toBe(0);
    expect(repetition.countToTell('no answer', 301_000)).toBe(1);
    expect(repetition.countToTell('no answer', 302_000)).toBe(0);
  });

  it('is forgotten when too much else came, rather than to fill the memory', () => {
    const repetition = new Repetition();
    const texts = Array.from({ length: 501 }, (_, index) => 'x'.repeat(index + 1));
    for (const text of texts) expect(repetition.countToTell(text, 0)).toBe(1);
    expect(repetition.countToTell('x', 0)).toBe(1);
    expect(repetition.countToTell('x'.repeat(501), 0)).toBe(0);
  });
});
