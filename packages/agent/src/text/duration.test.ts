import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationError, formatDuration, parseDuration } from './duration.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['1m30s', 90_000],
    ['2h', 7_200_000],
    ['1h2m3s4ms', 3_723_004],
    [' 5s ', 5_000],
  ])('%j is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each([
    [30, 'found the number 30: add a unit, "30s" for seconds'],
    ['30', 'found "30": add a unit, "30s" for seconds'],
    ['', 'found ""'],
    ['soon', 'found "soon"'],
    ['-5s', 'found "-5s"'],
    ['30s1m', 'found "30s1m"'],
    ['1e3s', 'found "1e3s"'],
    [null, 'found nothing'],
    [undefined, 'found nothing'],
    [true, 'found true'],
    [['1s'], 'found a list'],
    [{}, 'found a mapping'],
  ])('is not %j', (text, found) => {
    expect(() => parseDuration(text)).toThrow(
      new DurationError(`expected a duration such as "30s", "1m30s" or "500ms", ${found}`),
    );
  });

  it.each(['0s', '0.1ms', '597h'])('of %s is not one that can be waited for', (text) => {
    expect(() => parseDuration(text)).toThrow(/^expected a duration/);
  });

  it('is written so that it reads back as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 - 1 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
    expect(formatDuration(90_000)).toBe('1m30s');
    expect(formatDuration(0)).toBe('0s');
  });
});
