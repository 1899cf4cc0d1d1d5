import { describe, expect, it } from 'vitest';
import { resolvePause } from './global-pause.ts';

const key = 'liberator.dev/paused';
const lease = (uid: string, paused?: string) => ({
  uid,
  resourceVersion: '1',
  annotations: { other: 'x', ...(paused !== undefined && { [key]: paused }) },
});
const kept = (leaseUid: string, reason = 'storage') => ({ reason, leaseUid });
const free = { paused: undefined, keep: undefined, restore: false };

describe('a pause of everything', () => {
  it.each([
    { what: 'nothing was ever paused', lease: lease('a'), kept: undefined, is: free },
    { what: 'there is no Lease and never was a pause', lease: undefined, kept: undefined, is: free },
    {
      what: 'the Lease has no annotations',
      lease: { uid: 'a', resourceVersion: '1' },
      kept: undefined,
      is: free,
    },
    {
      what: 'the Lease bears the mark',
      lease: lease('a', 'switch'),
      kept: undefined,
      is: { paused: 'switch', keep: kept('a', 'switch'), restore: false },
    },
    {
      what: 'the mark gives no reason',
      lease: lease('a', ''),
      kept: undefined,
      is: { paused: '', keep: kept('a', ''), restore: false },
    },
    {
      what: 'the reason was changed',
      lease: lease('a', 'switch'),
      kept: kept('a'),
      is: { paused: 'switch', keep: kept('a', 'switch'), restore: false },
    },
    { what: 'the mark was taken off the Lease that bore it', lease: lease('a'), kept: kept('a'), is: free },
    { what: 'the mark was set to false', lease: lease('a', 'false'), kept: kept('a'), is: free },
    {
      what: 'it was set to false on a Lease made anew',
      lease: lease('b', 'false'),
      kept: kept('a'),
      is: free,
    },
    {
      what: 'the Lease is gone',
      lease: undefined,
      kept: kept('a'),
      is: { paused: 'storage', keep: kept('a'), restore: false },
    },
    {
      what: 'the Lease is another one, without the mark',
      lease: lease('b'),
      kept: kept('a'),
      is: { paused: 'storage', keep: kept('a'), restore: true },
    },
    {
      what: 'the Lease is another one, with the mark',
      lease: lease('b', 'storage'),
      kept: kept('a'),
      is: { paused: 'storage', keep: kept('b'), restore: false },
    },
    {
      what: 'somebody kept one that was on no Lease',
      lease: lease('a'),
      kept: kept(''),
      is: { paused: 'storage', keep: kept(''), restore: true },
    },
  ])('when $what', ({ lease: seen, kept: before, is }) => {
    expect(resolvePause(seen, before, key)).toEqual(is);
  });
});
