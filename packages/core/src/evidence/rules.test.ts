// Rules of detection that contradict themselves are told, each in one sentence.
import { describe, expect, it } from 'vitest';
import { contradictionsIn, defaultHeartbeatDetection, defaultPollDetection } from './rules.ts';

const safeDeathMs = 23_000;

describe('rules by heartbeat', () => {
  it('are sound by default', () => {
    expect(contradictionsIn(defaultHeartbeatDetection, safeDeathMs)).toEqual([]);
  });

  it.each([
    [{ deadAfterMs: 22_999 }, 'expected deadAfterMs of at least 23000'],
    [{ deadAfterMs: Number.NaN }, 'expected deadAfterMs of at least 23000'],
    [
      { suspectAfterMs: 25_001 },
      'expected suspectAfterMs above 0 and at most deadAfterMs (25000), found 25001',
    ],
    [{ suspectAfterMs: 0 }, 'expected suspectAfterMs above 0'],
    [{ deadUnprobedAfterMs: 45_000 }, 'expected deadUnprobedAfterMs above 45000'],
    [{ silentProbes: 0 }, 'expected silentProbes of at least 1, found 0'],
  ])('with %o are refused', (change, sentence) => {
    const [problem] = contradictionsIn({ ...defaultHeartbeatDetection, ...change }, safeDeathMs);
    expect(problem).toContain(sentence);
  });
});

describe('rules by polling', () => {
  it('are sound by default', () => {
    expect(contradictionsIn(defaultPollDetection, safeDeathMs)).toEqual([]);
  });

  it('need a pause between looks, and no negative count', () => {
    expect(contradictionsIn({ mode: 'poll', intervalMs: 0, threshold: -1 }, safeDeathMs)).toHaveLength(2);
  });
});
