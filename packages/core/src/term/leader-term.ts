// One unbroken leadership: the permit without which nothing in this library can write.
import type { Clock } from '../time/clock.ts';

/** One good renewal of the election Lease, as its sender knows it. */
export interface Renewal {
  /** The `renewTime` that was written, by which the renewal is recognised when a watch brings it back. */
  readonly renewTime: string;
  /** Monotonic milliseconds, taken before the request left. */
  readonly sentAt: number;
}

/**
 * One unbroken leadership. Every mutating call of this library takes one.
 *
 * Validity is counted from the moment at which the last good renewal was *sent*, not from when its answer arrived: a
 * slow answer never makes two terms overlap. Both clocks must agree that the term is still young, so a process that
 * was stopped, or a machine that was frozen, finds its term over even when the monotonic clock slept with it.
 *
 * What it does not guarantee: that the API server refuses a request which left in time and arrives late. Writes are
 * therefore conditional on uid and resourceVersion as well, and their timeouts fit in {@link LeaderTerm.remainingMs}.
 */
export interface LeaderTerm {
  /** The Lease's `leaseTransitions` in this term: a fencing token that only grows. */
  readonly epoch: number;
  /** Who leads; the Lease's `holderIdentity`. */
  readonly identity: string;
  /** Aborted when the term is over, with the reason. Until then, `remainingMs()` may still say zero first. */
  readonly signal: AbortSignal;
  /** Good renewals of this term, newest last; only the most recent ones are kept. */
  readonly renewals: readonly Renewal[];
  /** How long the term is certainly valid from now on, in milliseconds; zero when it is over. */
  remainingMs(): number;
  /**
   * For the last moment before something that only a leader may do.
   *
   * @throws {@link TermEndedError} unless the term is valid at this very moment.
   */
  assertValid(): void;
}

/** Thrown by everything that needs a term when the term is over. Nothing was sent. */
export class TermEndedError extends Error {
  override readonly name = 'TermEndedError';
  readonly code = 'LIBERATOR_TERM_ENDED';

  constructor(epoch: number, reason: string) {
    super(`leadership term ${epoch} is over: ${reason}`);
  }
}

/** Enough to recognise any renewal that a watch can still bring back while the term lives. */
const keptRenewals = 16;

/** The elector's own handle on a term: it renews it and ends it. */
export class RenewableTerm implements LeaderTerm {
  readonly epoch: number;
  readonly identity: string;
  readonly #clock: Clock;
  readonly #validityMs: number;
  readonly #abort = new AbortController();
  readonly #renewals: Renewal[] = [];
  #sentAt: number;
  #sentWallTime: number;
  #endReason: string | undefined;

  constructor(options: {
    epoch: number;
    identity: string;
    clock: Clock;
    validityMs: number;
    first: Renewal;
    firstWallTime: number;
  }) {
    this.epoch = options.epoch;
    this.identity = options.identity;
    this.#clock = options.clock;
    this.#validityMs = options.validityMs;
    this.#sentAt = options.first.sentAt;
    this.#sentWallTime = options.firstWallTime;
    this.#renewals.push(options.first);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get renewals(): readonly Renewal[] {
    return this.#renewals;
  }

  remainingMs(): number {
    if (this.#endReason !== undefined) return 0;
    const byMonotonic = this.#clock.now() - this.#sentAt;
    // A wall clock set back says nothing about how much time passed, so it can only shorten a term, never stretch it.
    const byWall = this.#clock.wallTime() - this.#sentWallTime;
    return Math.max(0, this.#validityMs - Math.max(byMonotonic, byWall));
  }

  assertValid(): void {
    if (this.#endReason !== undefined) throw new TermEndedError(this.epoch, this.#endReason);
    if (this.remainingMs() <= 0) {
      throw new TermEndedError(this.epoch, `not renewed for ${this.#validityMs} ms`);
    }
  }

  /** Counts validity anew from `renewal.sentAt`. Does nothing for a term that ended or already ran out. */
  renewed(renewal: Renewal, sentWallTime: number): void {
    if (this.remainingMs() <= 0) return;
    this.#sentAt = renewal.sentAt;
    this.#sentWallTime = sentWallTime;
    this.#renewals.push(renewal);
    if (this.#renewals.length > keptRenewals) this.#renewals.shift();
  }

  /** Ends the term at once and for good. The first reason stays. */
  end(reason: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    this.#abort.abort(new TermEndedError(this.epoch, reason));
  }
}
