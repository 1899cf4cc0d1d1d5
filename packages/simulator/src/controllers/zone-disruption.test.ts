// The thresholds at which the controller manager stops to believe what it sees.
import { describe, expect, test } from 'vitest';
import { disruptionStep, evictionPaceMs, type ZoneState, zoneState } from './zone-disruption.ts';

test.each([
  [3, 0, 'normal'],
  [1, 2, 'normal'],
  [2, 3, 'partial-disruption'],
  [3, 3, 'normal'],
  [9, 11, 'partial-disruption'],
  [0, 1, 'full-disruption'],
  [0, 0, 'normal'],
] as const)('a zone with %i nodes Ready and %i not is in state %s', (ready, notReady, state) => {
  expect(zoneState(ready, notReady)).toBe(state);
});

describe('over all zones', () => {
  const of = (states: Record<string, ZoneState>): Map<string, ZoneState> => new Map(Object.entries(states));
  const dark = 'full-disruption';

  test.each([
    ['the last zone goes dark', { a: dark, b: 'normal' }, { a: dark, b: dark }, 'enter-master-disruption'],
    ['all stay dark', { a: dark, b: dark }, { a: dark, b: dark }, 'carry-on'],
    ['one zone lights up', { a: dark, b: dark }, { a: dark, b: 'normal' }, 'leave-master-disruption'],
    ['one of two is dark', { a: 'normal', b: 'normal' }, { a: dark, b: 'normal' }, 'carry-on'],
    ['a dark zone is new', {}, { a: dark }, 'enter-master-disruption'],
    ['there is no zone', {}, {}, 'carry-on'],
  ] as const)('when %s', (_, before, after, kind) => {
    expect(disruptionStep(of(before), of(after)).kind).toBe(kind);
  });
});

test.each([
  ['normal', 10, 10_000],
  ['full-disruption', 10, 10_000],
  ['partial-disruption', 50, Number.POSITIVE_INFINITY],
  ['partial-disruption', 51, 100_000],
] as const)('in a zone that is %s with %i nodes evictions are %d ms apart', (state, nodes, paceMs) => {
  expect(evictionPaceMs(state, nodes, 10_000)).toBe(paceMs);
});
