// What pauses everything, and how that outlives the Lease which says so: a brake must survive what it brakes. Pure.
import type { ConfigMap } from '../kubernetes/objects.ts';
import type { LeaderTerm } from '../term/leader-term.ts';

/** A pause as it is remembered beside the election Lease. */
export interface KeptPause {
  /** The value of the annotation: why, for people. */
  readonly reason: string;
  /** The Lease on which it was seen; empty for one that was on none. */
  readonly leaseUid: string;
}

/** Where a pause is kept, so that it is known even when every replica is gone and somebody deletes the Lease. */
export interface PauseStore {
  /** Undefined: nothing is paused, as far as was seen. */
  read(options?: {
    readonly signal?: AbortSignal;
    readonly timeoutMs?: number;
  }): Promise<KeptPause | undefined>;
  /**
   * Replaces what is kept; undefined forgets it.
   *
   * @throws TermEndedError when the term is over; as every write, when the API server does not take it.
   */
  keep(term: LeaderTerm, pause: KeptPause | undefined): Promise<void>;
  /** Marks the Lease with the pause, if it is still what was seen of it. Throws as {@link PauseStore.keep} does. */
  restore(term: LeaderTerm, lease: PausableLease, reason: string): Promise<void>;
}

/** What of an election Lease counts here. */
export interface PausableLease {
  /** A Lease made anew is another one. */
  readonly uid: string;
  /** What a write is conditional on. */
  readonly resourceVersion: string;
  /** Absent: none. */
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** What a Lease and what is kept beside it say together. */
export interface PauseResolution {
  /** Why everything is paused; undefined when it isn't. */
  readonly paused: string | undefined;
  /** What is to be kept from now on. */
  readonly keep: KeptPause | undefined;
  /** The Lease is another one than that which was paused, and has to bear the mark again, so that it can be taken off. */
  readonly restore: boolean;
}

/**
 * Only who takes the mark off the very Lease that bore it, or sets it to `false`, ends a pause. That the Lease is gone, or
 * another one, ends nothing.
 */
export function resolvePause(
  lease: PausableLease | undefined,
  kept: KeptPause | undefined,
  key: string,
): PauseResolution {
  if (lease === undefined) return { paused: kept?.reason, keep: kept, restore: false };
  const reason = lease.annotations?.[key];
  if (reason === 'false') return { paused: undefined, keep: undefined, restore: false };
  if (reason !== undefined) {
    return { paused: reason, keep: { reason, leaseUid: lease.uid }, restore: false };
  }
  if (kept === undefined || kept.leaseUid === lease.uid) {
    return { paused: undefined, keep: undefined, restore: false };
  }
  return { paused: kept.reason, keep: kept, restore: true };
}

/** Of the ConfigMap that keeps a pause beside the election Lease of this name. */
export function pauseName(election: string): string {
  return `${election}-pause`;
}

/** Whatever a human wrote into it by hand is a pause as well: what can't be read must not pass for nothing. */
export function pauseIn({ data }: ConfigMap): KeptPause {
  return { reason: data?.['reason'] ?? 'no reason given', leaseUid: data?.['leaseUid'] ?? '' };
}
