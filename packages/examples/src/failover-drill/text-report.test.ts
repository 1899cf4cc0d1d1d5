import { describe, expect, it } from 'vitest';
import { playedRecovery } from '../demo/testing/played-story.ts';
import { isPassed, textReport } from './text-report.ts';

const recovery = playedRecovery;

describe('the text report of a drill', () => {
  it('tells what happened in the order in which it did, within 80 columns', () => {
    const rows = textReport({ recovery, withinMs: undefined }).split('\n');
    const times = rows.flatMap((row) => /^ +([\d.]+) s {2}\w+/.exec(row)?.[1] ?? []).map(Number);
    expect(times.slice(0, 8)).toEqual(times.slice(0, 8).toSorted((a, b) => a - b));
    expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
    expect(rows.join('\n')).toContain('PASSED: Ready again on node-3 after 32.0 s, on the same volume.');
  });

  it.each([
    [
      'not recovered',
      { ...recovery, recovered: false, reason: 'nobody acted' },
      undefined,
      'not recovered: nobody acted',
    ],
    ['on another volume', { ...recovery, sameVolume: false }, undefined, 'ANOTHER VOLUME'],
    ['too late', recovery, 31_000, 'over the allowed 31.0 s'],
  ])('fails a recovery that is %s', (_what, found, withinMs, words) => {
    expect(isPassed({ recovery: found, withinMs })).toBe(false);
    const [, , verdict = '', more = ''] = textReport({ recovery: found, withinMs }).split('\n');
    expect(`${verdict} ${more}`).toContain('FAILED');
    expect(`${verdict} ${more}`).toContain(words);
  });
});
