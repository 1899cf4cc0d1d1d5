// How long a silent guard has to be silent before its watchdog must have reset the machine: the one figure that both sides share. Pure.

/**
 * # Why the proof holds
 *
 * A guard renews a Lease of its own, and feeds the watchdog of its machine only while its last good renewal was *sent* less than
 * T ago. A renewal is good if the API server said that it changed the Lease. The leader reads that Lease live. Suppose that it
 * reads the same at two moments, the second of which begins at least {@link resetWithinMs} after the end of the first:
 *
 * 1. Nobody changed the Lease in between, so no renewal was good that reached the API server in between. The last good one
 *    was sent before the end of the first look.
 * 2. So the last feed on good grounds came less than T after that look, by the guard's clock.
 * 3. One more feed may follow that is on no grounds at all. Linux feeds a watchdog when its device is closed, also when its
 *    process is killed; and a process can be stopped between its look at the clock and the write that follows. Either comes
 *    before the watchdog bites, which is less than W after the feed before. Nobody can open the device after that
 *    without a new grant: a guard opens it only under one.
 * 4. W after that feed, by the watchdog's clock, the machine is reset: T + 2 W after the first look.
 * 5. No clock that takes part runs more than {@link clockRatio} times as fast as another, and the margin is for what devices round.
 *
 * A renewal that is still on its way at the second look changes nothing: there is no machine left to hear its answer. One that boots
 * meanwhile says so by its boot ID.
 *
 * What it rests on beside that: the device is fed by nobody else, and runs on whatever the machine does. See `docs/fencing.md`.
 *
 * # Why a guard never lives on because others are cut off, too
 *
 * Who is cut off from the API server learns nothing of others but what they say themselves, and those whose word would
 * count are cut off as well. A rack whose uplink fails has a majority among itself, and so has the rest of the cluster, whose
 * leader takes the rack for self-fenced. To make that safe the leader would have to give no proof while so many are silent, and
 * both would have to count the same machines; but the members of a cluster change on the side that has the API server, and the cut
 * off can't know. So life is granted by the API server alone, and an outage of the API server that outlasts T resets every machine
 * whose guard is armed. Against that helps a T that is longer than outages are, and switching guards off before one that is planned:
 * {@link guardOffAnnotation}.
 */
export interface GuardTimes {
  /** T, in milliseconds: for how long a good renewal, counted from when it was sent, lets the guard feed. */
  readonly grantMs: number;
  /** W, in milliseconds: how long after its last feed the watchdog resets the machine, as its device says. */
  readonly timeoutMs: number;
}

/** How many times as fast as another any of the clocks of leader, guard and watchdog may run. */
export const clockRatio = 1.25;

/** Devices count in whole seconds, and some start a little late. */
export const leastMarginMs = 5_000;

/** What a guard's Lease is annotated with by people, with their reason: the guard disarms its watchdog until it is gone. */
export const guardOffAnnotation = 'liberator.dev/guard-off';

/**
 * For how long the leader has to have seen a guard's Lease unchanged, by its own clock, before the machine must have been reset.
 *
 * @param marginMs - {@link leastMarginMs} counts instead of anything less.
 */
export function resetWithinMs({ grantMs, timeoutMs }: GuardTimes, marginMs: number = leastMarginMs): number {
  return Math.ceil((grantMs + 2 * timeoutMs + Math.max(leastMarginMs, marginMs || 0)) * clockRatio);
}

/** Whether both are figures that a guard and a device could have. What a Lease says may have been written by anybody. */
export function areGuardTimes({ grantMs, timeoutMs }: GuardTimes): boolean {
  return isPlausible(grantMs) && isPlausible(timeoutMs);
}

function isPlausible(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 1_000 && ms <= longestMs;
}

/** A watchdog that bites after an hour is of no use to anybody. */
const longestMs = 3_600_000;
