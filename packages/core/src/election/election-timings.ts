// How long things take in an election, and whether these times leave room for one another.

/** Timings of an election; the defaults are client-go's. */
export interface ElectionTimings {
  /**
   * How long a candidate waits, since it last saw the record change, before it takes over from a holder. Default
   * 15,000 ms. Shorter means faster failover and less tolerance for a slow API server.
   */
  readonly leaseDurationMs?: number;
  /**
   * How long a leader stays leader without a good renewal, counted from when that renewal was sent. Default 10,000 ms.
   * Must be shorter than the lease duration: the difference is the margin for clocks that run at different speeds and
   * for requests that left in the last moment.
   */
  readonly renewDeadlineMs?: number;
  /** Pause between renewals, and the shortest pause between attempts to acquire. Default 2,000 ms. */
  readonly retryPeriodMs?: number;
}

/** Candidates wait up to this much longer than the retry period, so that they don't all knock at once. */
export const acquireJitter = 1.2;

/** @throws RangeError when the timings don't leave room for one another. */
export function checkedTimings(timings: ElectionTimings): Required<ElectionTimings> {
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = timings;
  if (!(retryPeriodMs > 0)) {
    throw new RangeError(`retryPeriodMs: expected more than 0, found ${retryPeriodMs}`);
  }
  if (!(leaseDurationMs > renewDeadlineMs)) {
    throw new RangeError(
      `leaseDurationMs: expected more than renewDeadlineMs (${renewDeadlineMs}), found ${leaseDurationMs}`,
    );
  }
  if (!(renewDeadlineMs > acquireJitter * retryPeriodMs)) {
    throw new RangeError(
      `renewDeadlineMs: expected more than ${acquireJitter} x retryPeriodMs (${retryPeriodMs}), found ${renewDeadlineMs}`,
    );
  }
  return { leaseDurationMs, renewDeadlineMs, retryPeriodMs };
}
