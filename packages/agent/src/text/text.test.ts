import { describe, expect, it } from 'vitest';
import { table, wrap } from './table.ts';
import { age, between, moment, took } from './time.ts';

describe('a table', () => {
  it('aligns its columns and breaks the last one at words', () => {
    const rows = [
      ['A', 'B', 'WHAT'],
      ['long name', 'x', 'some words that do not fit'],
    ];
    expect(table(rows, 30)).toEqual([
      'A          B  WHAT',
      'long name  x  some words that do',
      '              not fit',
    ]);
  });

  it('keeps whole what may have to be copied, however narrow the terminal is', () => {
    expect(table([['a', 'kubectl annotate node/with-a-long-name-of-its-own']], 10)).toEqual([
      'a  kubectl annotate',
      '   node/with-a-long-name-of-its-own',
    ]);
  });

  it('breaks nothing where nobody counts', () => {
    expect(wrap('a b c', undefined)).toEqual(['a b c']);
  });
});

describe('times', () => {
  it.each([
    [-5, '0s'],
    [119_999, '119s'],
    [120_000, '2m'],
    [7_200_000, '2h'],
    [172_800_000, '2d'],
  ])('an age of %d ms is %s', (ms, text) => {
    expect(age(ms)).toBe(text);
  });

  it.each([
    [-5, '0.0s'],
    [16_240, '16.2s'],
    [59_949, '59.9s'],
    [59_950, '1m00s'],
    [185_000, '3m05s'],
    [3_720_000, '1h02m'],
  ])('%d ms took %s', (ms, text) => {
    expect(took(ms)).toBe(text);
  });

  it('what is no time is not hidden, and counts for nothing', () => {
    expect(moment('yesterday')).toBe('yesterday');
    expect(between('yesterday', '2026-01-01T00:00:00Z')).toBe(0);
    expect(moment('2026-01-01T00:00:00.123456Z')).toBe('2026-01-01 00:00:00Z');
  });
});
