// Which fencers are asked in advance whether they could fence.
import { describe, expect, it } from 'vitest';
import type { Fencer } from '../fencing/fencer.ts';
import { manualFencer } from '../fencing/manual.ts';
import { noneFencer } from '../fencing/none.ts';
import { watchdogFencer } from '../fencing/watchdog/watchdog-fencer.ts';
import { canBeDrilled } from './drill-rules.ts';
import { CheckResults } from './results.ts';

const check: NonNullable<Fencer['check']> = async () => Promise.reject(new Error('nobody asks here'));

describe('a fencer', () => {
  it.each<[string, Pick<Fencer, 'check' | 'harmless' | 'proofs'>, boolean]>([
    ['with a device', { check }, true],
    ['without a check', {}, false],
    ['that is a human', manualFencer, false],
    ['that is nobody', noneFencer, false],
    ['that touches nothing and says nothing of its proofs', { check, harmless: true }, false],
    [
      'that waits for a watchdog',
      watchdogFencer({ name: 'self', namespace: 'guards', readLease: async () => undefined }),
      true,
    ],
  ])('%s', (_, fencer, expected) => {
    expect(canBeDrilled(fencer)).toBe(expected);
  });
});

it('a node without the guard that its policy counts on is news, once', () => {
  const results = new CheckResults();
  const told = (['no-device', 'no-device', 'ready', 'no-device'] as const).map((outcome) =>
    results.note({
      node: 'node-1',
      uid: 'u',
      policy: 'all',
      fencer: 'self',
      at: 0,
      check: {
        outcome,
        machine: 'unknown',
        power: 'unknown',
        mayAct: 'unknown',
        detail: 'node-1 has no guard',
      },
    }),
  );
  expect(told).toEqual(['failing', undefined, 'ready', 'failing']);
});
