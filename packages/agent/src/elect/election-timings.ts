// From the one duration that people set to the three that an election runs by.
import type { ElectionTimings } from '@liberator/core';

/** Below this the answers of a busy API server decide who leads. */
export const shortestTtlMs = 1_000;

/** Beyond this, candidates with other settings no longer believe what a Lease claims. */
export const longestTtlMs = 600_000;

/** In the proportions that client-go's defaults have to one another: 15 s, 10 s and 2 s. */
export function timingsForTtl(ttlMs: number): Required<ElectionTimings> {
  return {
    leaseDurationMs: ttlMs,
    renewDeadlineMs: Math.floor((ttlMs * 10) / 15),
    retryPeriodMs: Math.floor((ttlMs * 2) / 15),
  };
}
