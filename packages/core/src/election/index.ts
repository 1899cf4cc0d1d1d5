// `@liberator/core/election`: leader election by itself, over any Lease that a LeaseStore reaches.

export { type LeaderTerm, type Renewal, TermEndedError } from '../term/leader-term.ts';
export type { ElectionTimings } from './election-timings.ts';
export {
  LeaderElector,
  type LeaderElectorOptions,
  LeadershipLostError,
  type LeadersWork,
} from './leader-elector.ts';
export type {
  LeaseRecord,
  LeaseRequestOptions,
  LeaseSnapshot,
  LeaseStore,
  LeaseWriteResult,
} from './lease-record.ts';
export { observersElection } from './observers-election.ts';
