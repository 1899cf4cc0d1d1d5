import { LeaderElector, type LeaseStore } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { longestTtlMs, shortestTtlMs, timingsForTtl } from './election-timings.ts';

const never = (): Promise<never> => new Promise(() => {});
const store: LeaseStore = { read: never, create: never, update: never };

describe('the timings of an election', () => {
  it('are those of client-go for its lease duration', () => {
    expect(timingsForTtl(15_000)).toEqual({
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2_000,
    });
  });

  it.each([shortestTtlMs, 1_001, 10_000, longestTtlMs])('leave room for one another: %i ms', (ttlMs) => {
    const timings = timingsForTtl(ttlMs);
    expect(timings.leaseDurationMs).toBe(ttlMs);
    expect(() => new LeaderElector({ ...timings, store, identity: 'a' })).not.toThrow();
  });
});
