// Self-fencing: what the guard of a machine and the leader have to do with each other.

export {
  clockRatio,
  type GuardTimes,
  guardOffAnnotation,
  leastMarginMs,
  resetWithinMs,
} from './bound.ts';
export type { ClockReader } from './grant.ts';
export { type GuardChange, type GuardEnd, WatchdogGuard, type WatchdogGuardOptions } from './guard.ts';
export {
  defaultGuardNamespace,
  type GuardClaim,
  type GuardState,
  guardLabel,
  guardLeaseName,
} from './guard-claim.ts';
export {
  createGuardLeaseStore,
  type GuardLeaseSnapshot,
  type GuardLeaseStore,
  type GuardLeaseStoreOptions,
  type GuardRequestOptions,
} from './guard-lease.ts';
export type { WatchdogDevice, WatchdogSettings } from './watchdog-device.ts';
export {
  defaultLongestWaitMs,
  type ReadLease,
  type WatchdogFencerOptions,
  watchdogFencer,
} from './watchdog-fencer.ts';
