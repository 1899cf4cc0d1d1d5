import { describe, expect, it } from 'vitest';
import { withoutProbes, withProbes } from '../cluster/demo-cluster.ts';
import { after, playedRecovery } from '../testing/played-story.ts';
import { closingLines, policyLines, sources, verdict } from './wording.ts';

const text = (lines: readonly { text: string }[]): string => lines.map((line) => line.text).join(' ');

describe('the verdict', () => {
  it('compares in one line', () => {
    expect(verdict(playedRecovery)).toBe(
      'mysql-0 recovered in 32.0 s; Kubernetes alone leaves it Terminating forever.',
    );
    expect(`  ${verdict({ ...playedRecovery, timeToRecoveryMs: 999_949 })}`.length).toBeLessThanOrEqual(80);
  });
});

describe('the closing table', () => {
  it('shows both pods, and that the volume is the same', () => {
    expect(text(closingLines(playedRecovery))).toMatch(/11111111 +22222222.*node-2 +node-3.*the same/);
  });

  it('does not call another volume the same', () => {
    const moved = { ...playedRecovery, after: { ...after, volume: 'fresh' } };
    expect(text(closingLines(moved))).toContain('fresh');
    expect(text(closingLines(moved))).not.toContain('the same');
  });
});

describe('the policy', () => {
  it('says how death is told, with and without probes, and who gives the proof', () => {
    expect(text(policyLines(withProbes))).toMatch(/25 s.*host is silent/);
    expect(text(policyLines(withoutProbes))).toMatch(/60 s.*not Ready/);
    for (const detection of [withProbes, withoutProbes]) {
      expect(text(policyLines(detection))).toContain(
        'nothing is freed before the management controller of its machine says that it is off',
      );
    }
  });
});

describe('the sources', () => {
  it('tell what the replay found, whatever it was', () => {
    const replay = { terminatingAfterMs: 351_200, watchedMs: 3_600_000, stuck: true };
    expect(sources(replay)[1]).toContain('Terminating after 351 s, and still so 60 minutes after the crash');
    expect(sources({ ...replay, stuck: false })[1]).toContain('no longer so');
    expect(sources(undefined)).toHaveLength(1);
  });
});
