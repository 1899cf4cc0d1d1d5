import { describe, expect, it } from 'vitest';
import { playedRecovery } from '../testing/played-story.ts';
import { recoveryPicture } from './picture.ts';
import { scaleOf, ticks } from './svg.ts';

const picture = recoveryPicture(playedRecovery);

describe('the picture of a recovery', () => {
  it('names the nodes, the steps and the measured times', () => {
    for (const words of ['node-2', 'node-3', 'claim', 'verify', '32.0 s', '11.3 s', '25.5 s', '100 ms']) {
      expect(picture).toContain(`>${words}</text>`);
    }
  });

  it('is 800 wide, and keeps everything within its borders', () => {
    expect(picture).toMatch(/^<svg [^>]*width="800"/);
    const bars = [...picture.matchAll(/<rect class="[a-z]+" x="([\d.-]+)" y="[\d.]+" width="([\d.-]+)"/g)];
    expect(bars.length).toBeGreaterThan(10);
    for (const [, x, width] of bars) {
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(width)).toBeGreaterThan(0);
      expect(Number(x) + Number(width)).toBeLessThanOrEqual(800);
    }
  });

  it('draws a longer step wider', () => {
    const [first, ...others] = playedRecovery.steps;
    if (first === undefined) throw new Error('expected steps');
    const longer = { ...first, endMs: first.startMs + 900, durationMs: 900 };
    const widths = (svg: string): number[] =>
      [...svg.matchAll(/class="acting"[^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
    const [, asPlayed = 0] = widths(picture);
    const [, asLonger = 0] = widths(recoveryPicture({ ...playedRecovery, steps: [longer, ...others] }));
    expect(asLonger).toBeGreaterThan(5 * asPlayed);
  });

  it('lets no name out of its text', () => {
    const evil = recoveryPicture({ ...playedRecovery, fromNode: '<b>&"' });
    expect(evil).not.toContain('<b>');
    expect(evil).toContain('&lt;b&gt;&amp;&quot;');
  });

  it('is refused for a recovery that did not take place', () => {
    expect(() => recoveryPicture({ ...playedRecovery, timeToRecoveryMs: null })).toThrow(RangeError);
  });
});

describe('a scale', () => {
  it('maps its ends to the borders and draws what lies outside at them', () => {
    const x = scaleOf([0, 10], [100, 200]);
    expect([x(0), x(5), x(10), x(-1), x(11)]).toEqual([100, 150, 200, 100, 200]);
  });

  it('has few round ticks', () => {
    expect(ticks({ from: -3_000, to: 33_000 }, 8)).toEqual([
      0, 5_000, 10_000, 15_000, 20_000, 25_000, 30_000,
    ]);
    expect(ticks({ from: 26_500, to: 28_800 }, 8)).toEqual([26_500, 27_000, 27_500, 28_000, 28_500]);
  });
});
