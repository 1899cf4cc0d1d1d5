// What one candidate has seen of the Lease, since when by its own clock, and whether that lets it take the Lease.
import type { Clock } from '../time/clock.ts';
import { type LeaseRecord, type LeaseSnapshot, sameRecord } from './lease-record.ts';

/** A holder that claims more is believed this long only: a typing error must not block an election for a year. */
const longestBelievedDurationMs = 600_000;

export interface ObservedLeaseOptions {
  readonly clock: Clock;
  /** How long what was seen must stay as it is before it may be taken from its holder. */
  readonly leaseDurationMs: number;
  /** The same for a Lease that isn't there and never was. */
  readonly createAfterMs: number;
  readonly onNewLeader: (identity: string, epoch: number) => void;
}

/** Trusts changes that it saw itself, and no timestamp that anybody wrote. */
export class ObservedLease {
  readonly #options: ObservedLeaseOptions;
  /** Absent before the first look; its snapshot is undefined when there was no Lease. */
  #observed: { snapshot: LeaseSnapshot | undefined; at: number } | undefined;
  #highestEpoch = -1;
  #reported: { readonly leader: string; readonly epoch: number } | undefined;

  constructor(options: ObservedLeaseOptions) {
    this.#options = options;
  }

  get snapshot(): LeaseSnapshot | undefined {
    return this.#observed?.snapshot;
  }

  /** Who holds it; empty when nobody does, undefined before the first look. */
  get holder(): string | undefined {
    return this.#observed && (this.#observed.snapshot?.record.holderIdentity ?? '');
  }

  /** Growing on every acquisition, even from ourselves, keeps the epoch a fencing token: one term, one number. */
  get nextEpoch(): number {
    return this.#highestEpoch + 1;
  }

  see(snapshot: LeaseSnapshot | undefined): void {
    this.#highestEpoch = Math.max(this.#highestEpoch, snapshot?.record.leaseTransitions ?? -1);
    const previous = this.#observed;
    if (previous !== undefined && sameLease(previous.snapshot, snapshot)) previous.snapshot = snapshot;
    else this.#observed = { snapshot, at: this.#options.clock.now() };
    this.#report(snapshot);
  }

  /** @param unanswered an acquisition of ours that may have been applied although no term came of it */
  mayBeTaken(unanswered: LeaseRecord | undefined): boolean {
    const { leaseDurationMs, createAfterMs } = this.#options;
    const { snapshot } = this;
    if (snapshot === undefined) {
      // One that was there and is gone may have been deleted from under a leader who doesn't know it yet.
      return this.#unchangedFor(this.#highestEpoch < 0 ? createAfterMs : leaseDurationMs);
    }
    const { holderIdentity, leaseDurationSeconds } = snapshot.record;
    if (holderIdentity === '') return true;
    // No term came of it, so nobody leads by it. Our name alone says less: another process may go by it too.
    if (unanswered !== undefined && sameRecord(snapshot.record, unanswered)) return true;
    const claimedMs = Number.isFinite(leaseDurationSeconds) ? leaseDurationSeconds * 1000 : 0;
    return this.#unchangedFor(Math.max(Math.min(claimedMs, longestBelievedDurationMs), leaseDurationMs));
  }

  #unchangedFor(durationMs: number): boolean {
    return this.#observed !== undefined && this.#options.clock.now() - this.#observed.at >= durationMs;
  }

  #report(snapshot: LeaseSnapshot | undefined): void {
    // A Lease that isn't there yet is no news; one that is gone is.
    if (snapshot === undefined && this.#reported === undefined) return;
    const leader = snapshot?.record.holderIdentity ?? '';
    const epoch = snapshot?.record.leaseTransitions ?? this.#highestEpoch;
    const before = this.#reported;
    const isNews = leader !== before?.leader || (leader !== '' && epoch !== before.epoch);
    if (!isNews) return;
    this.#reported = { leader, epoch };
    this.#options.onNewLeader(leader, epoch);
  }
}

function sameLease(a: LeaseSnapshot | undefined, b: LeaseSnapshot | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.uid === b.uid && sameRecord(a.record, b.record);
}
