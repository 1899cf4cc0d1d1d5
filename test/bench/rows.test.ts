// The arithmetic behind every number of a bench, and the table that shows it.
import { describe, expect, it } from 'vitest';
import { Findings, percentile, ratios, rowOf } from './rows.ts';
import { tableOf } from './table.ts';

const where = { case: 'agent-100', figure: 'cpuPercent', unit: '%' };

describe('a row', () => {
  it('says how many samples there were, the least, the middle one, the one that 95 of 100 do not exceed, and the greatest', () => {
    const samples = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(rowOf(where, samples)).toEqual({ ...where, n: 100, min: 1, median: 50, p95: 95, max: 100 });
  });

  it('is four times the same number for a single sample', () => {
    expect(rowOf(where, [7])).toEqual({ ...where, n: 1, min: 7, median: 7, p95: 7, max: 7 });
  });

  it('orders numbers, not texts', () => {
    expect(rowOf(where, [10, 9, 100])).toMatchObject({ min: 9, median: 10, max: 100 });
  });

  it('does not exist without samples', () => {
    expect(rowOf(where, [])).toBeUndefined();
    const findings = new Findings();
    findings.add(where, []);
    findings.add(where, [0]);
    expect(findings.rows).toMatchObject([{ n: 1, max: 0 }]);
  });

  it('has four digits that count', () => {
    expect(rowOf(where, [1234.5678])?.min).toBe(1235);
    expect(rowOf(where, [0.0012345678])?.min).toBe(0.001235);
  });
});

describe('a percentile', () => {
  it.each([
    [0, 1],
    [25, 1],
    [26, 2],
    [50, 2],
    [75, 3],
    [95, 4],
    [100, 4],
  ])('of %i is by nearest rank, so always one of the samples', (percent, expected) => {
    expect(percentile([1, 2, 3, 4], percent)).toBe(expected);
  });
});

describe('ratios', () => {
  it('go by what was measured together, and leave out what has no counterpart', () => {
    expect(ratios([10, 9, 8], [5, 0])).toEqual([2]);
  });
});

describe('the table', () => {
  it('fits 80 columns, and cuts names rather than numbers', () => {
    const row = rowOf(
      { case: 'a-case-with-a-very-long-name-indeed', figure: 'megabytesPerMinute', unit: 'MB/min' },
      [0.001234, 123_456.7],
    );
    const lines = tableOf(row === undefined ? [] : [row]);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
    expect(lines[1]).toContain('~');
    expect(lines[1]).toContain('123500');
    expect(lines[1]).toContain('0.001234');
  });

  it('puts every number below its heading', () => {
    const lines = tableOf([rowOf(where, [1, 2, 3])].filter((row) => row !== undefined));
    expect(lines[0]?.length).toBe(lines[1]?.length);
    expect(lines[1]).toMatch(/^agent-100 cpuPercent % +3 +1 +2 +3 +3$/);
  });
});
