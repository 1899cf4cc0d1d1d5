// Elects one leader among replicas over a Lease, and hands it a LeaderTerm for as long as it leads.
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../clock.ts';
import { type LeaderTerm, RenewableTerm } from './leader-term.ts';
import {
  type LeaseRecord,
  type LeaseRequestOptions,
  type LeaseSnapshot,
  type LeaseStore,
  type LeaseWriteResult,
  microTime,
  sameRecord,
} from './lease-record.ts';

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

export interface LeaderElectorOptions extends ElectionTimings {
  readonly store: LeaseStore;
  /** Unique among all candidates and among all lives of this process, so that records and logs say who it was. */
  readonly identity: string;
  readonly clock?: Clock;
  readonly random?: Random;
  /**
   * The least epoch that a new Lease may begin with, asked before one is created: whoever keeps epochs elsewhere goes on
   * growing them when somebody deletes the Lease. Default 0.
   */
  readonly minimumEpoch?: () => Promise<number>;
  /**
   * Whether the work still makes progress, asked before each renewal. While it says no, nothing is renewed: a leader
   * that hangs loses its term, however healthy its timers are. Default: it always does.
   */
  readonly workIsAlive?: () => boolean;
  /** Called when another holder is seen for the first time; empty when nobody leads. For logs and for status. */
  readonly onNewLeader?: (identity: string) => void;
  /** Called for each failed attempt that will be retried. */
  readonly onError?: (error: unknown) => void;
}

/** Thrown by {@link LeaderElector.run} when leadership ended before the work did. The process should exit. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly code = 'LIBERATOR_LEADERSHIP_LOST';

  constructor(reason: string, options?: { cause?: unknown }) {
    super(`leadership lost: ${reason}`, options);
  }
}

/** Candidates wait up to this much longer than the retry period, so that they don't all knock at once. */
const acquireJitter = 1.2;

/** A holder that claims more is believed this long only: a typing error must not block an election for a year. */
const longestBelievedDurationMs = 600_000;

/**
 * Leader election over a `coordination.k8s.io/v1` Lease, compatible with client-go's record.
 *
 * Guarantees: the work runs only while a term is valid; a term's validity is counted from the send time of its last
 * good renewal, so it ends before any candidate with the same timings may take over, however slow the API server
 * answers; candidates trust only their own observation of change, never a timestamp that somebody wrote.
 *
 * Does not guarantee: that a request sent in the last moment of a term arrives before the next term begins (make writes
 * conditional), nor anything between candidates whose monotonic clocks differ in speed by more than
 * `leaseDurationMs / renewDeadlineMs`, nor anything while somebody else empties the record, or deletes the Lease just
 * before a candidate starts that has never seen it.
 *
 * @example
 * await new LeaderElector({ store, identity }).run(async (term) => {
 *   while (!term.signal.aborted) await workOnce(term);
 * });
 */
export class LeaderElector implements AsyncDisposable {
  readonly #store: LeaseStore;
  readonly #identity: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #leaseDurationMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryPeriodMs: number;
  readonly #minimumEpoch: () => Promise<number>;
  readonly #workIsAlive: () => boolean;
  readonly #runs = new Map<AbortController, Promise<unknown>>();
  readonly #onNewLeader: (identity: string) => void;
  readonly #onError: (error: unknown) => void;
  /** The Lease as last seen, if there was one, and when it was first seen so. */
  #observed: { snapshot: LeaseSnapshot | undefined; at: number } | undefined;
  /** An acquisition of ours that may have been applied although no term came of it. */
  #unanswered: LeaseRecord | undefined;
  #highestEpochSeen = -1;
  #writes = 0;
  #reportedLeader: string | undefined;

  /** @throws RangeError when the timings don't leave room for one another. */
  constructor(options: LeaderElectorOptions) {
    this.#store = options.store;
    this.#identity = options.identity;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#leaseDurationMs = options.leaseDurationMs ?? 15_000;
    this.#renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.#retryPeriodMs = options.retryPeriodMs ?? 2_000;
    this.#minimumEpoch = options.minimumEpoch ?? (async () => 0);
    this.#workIsAlive = options.workIsAlive ?? (() => true);
    this.#onNewLeader = options.onNewLeader ?? (() => {});
    this.#onError = options.onError ?? (() => {});
    if (this.#identity === '')
      throw new RangeError('identity: expected a non-empty string, found an empty one');
    if (!(this.#retryPeriodMs > 0)) {
      throw new RangeError(`retryPeriodMs: expected more than 0, found ${this.#retryPeriodMs}`);
    }
    if (!(this.#leaseDurationMs > this.#renewDeadlineMs)) {
      throw new RangeError(
        `leaseDurationMs: expected more than renewDeadlineMs (${this.#renewDeadlineMs}), found ${this.#leaseDurationMs}`,
      );
    }
    if (!(this.#renewDeadlineMs > acquireJitter * this.#retryPeriodMs)) {
      throw new RangeError(
        `renewDeadlineMs: expected more than ${acquireJitter} x retryPeriodMs (${this.#retryPeriodMs}), found ${this.#renewDeadlineMs}`,
      );
    }
  }

  /** Who holds the Lease as last seen; empty when nobody does, undefined before the first look. */
  get leader(): string | undefined {
    return this.#observed && (this.#observed.snapshot?.record.holderIdentity ?? '');
  }

  /**
   * Waits until this candidate leads, then runs `work` for as long as it does.
   *
   * When `signal` aborts, the term ends, `work` is awaited and the Lease is released, so that another candidate can
   * take over at once. When `work` returns, the Lease is released likewise. Resolves to false when `signal` aborted
   * before this candidate ever led.
   *
   * @throws {@link LeadershipLostError} when leadership was lost while `work` still ran; `work` has settled by then.
   * @throws whatever `work` throws while it led, after the release.
   */
  async run(work: (term: LeaderTerm) => Promise<void>, signal?: AbortSignal): Promise<boolean> {
    const stopping = new AbortController();
    const onAbort = (): void => stopping.abort();
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const running = this.#runUntil(stopping.signal, work);
    this.#runs.set(stopping, running);
    try {
      return await running;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#runs.delete(stopping);
    }
  }

  /** Ends every {@link LeaderElector.run} as its own signal would, and waits for it; what it throws is its caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const stopping of this.#runs.keys()) stopping.abort();
    await Promise.allSettled(this.#runs.values());
  }

  async #runUntil(stop: AbortSignal, work: (term: LeaderTerm) => Promise<void>): Promise<boolean> {
    const term = await this.#acquire(stop);
    if (term === undefined) return false;

    const onStop = (): void => term.end('asked to stop');
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const renewing = this.#keepRenewing(term);
    try {
      await work(term);
    } catch (error) {
      if (!term.signal.aborted) throw error;
      if (!stop.aborted) throw new LeadershipLostError(endReason(term), { cause: error });
    } finally {
      stop.removeEventListener('abort', onStop);
      const endedByItself = !term.signal.aborted;
      term.end('the work is done');
      const stillHeld = await renewing;
      if (endedByItself || stop.aborted) await this.#release(stillHeld);
    }
    if (!stop.aborted && endReason(term) !== 'the work is done')
      throw new LeadershipLostError(endReason(term));
    return true;
  }

  async #acquire(stop: AbortSignal): Promise<RenewableTerm | undefined> {
    while (!stop.aborted) {
      try {
        const term = await this.#tryAcquire(stop);
        if (term !== undefined && !stop.aborted) return term;
        if (term !== undefined) {
          term.end('asked to stop');
          await this.#release(this.#observed?.snapshot);
        }
      } catch (error) {
        if (stop.aborted) break;
        this.#onError(error);
      }
      await sleep(this.#clock, this.#retryPeriodMs * (1 + acquireJitter * this.#random.next()), stop);
    }
    return undefined;
  }

  async #tryAcquire(stop: AbortSignal): Promise<RenewableTerm | undefined> {
    const options = { timeoutMs: this.#renewDeadlineMs / 2, signal: stop };
    const seen = await this.#store.read(options);
    this.#observe(seen);
    if (!this.#mayTake(seen)) return undefined;
    const leastEpoch = seen === undefined ? await this.#minimumEpoch() : 0;

    const sentAt = this.#clock.now();
    const sentWallTime = this.#clock.wallTime();
    const renewTime = this.#renewTime(sentWallTime);
    const record: LeaseRecord = {
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDurationMs / 1000),
      // Growing on every acquisition, even from ourselves, keeps the epoch a fencing token: one term, one number.
      leaseTransitions: Math.max(
        leastEpoch,
        Math.max(seen?.record.leaseTransitions ?? -1, this.#highestEpochSeen) + 1,
      ),
      acquireTime: renewTime,
      renewTime,
    };
    this.#unanswered = record;
    const result = await (seen === undefined
      ? this.#store.create(record, options)
      : this.#store.update(seen, record, options));
    if (result.outcome === 'conflict') {
      this.#unanswered = undefined;
      return undefined;
    }
    this.#observe(result.snapshot);
    const term = new RenewableTerm({
      epoch: record.leaseTransitions,
      identity: this.#identity,
      clock: this.#clock,
      validityMs: this.#renewDeadlineMs,
      first: { renewTime, sentAt },
      firstWallTime: sentWallTime,
    });
    // The answer took longer than a term lasts: whoever knocks next may already have it.
    if (term.remainingMs() <= 0) return undefined;
    this.#unanswered = undefined;
    return term;
  }

  #mayTake(seen: LeaseSnapshot | undefined): boolean {
    // A Lease that was there and is gone may have been deleted from under a leader who doesn't know it yet.
    if (seen === undefined) return this.#highestEpochSeen < 0 || this.#unchangedFor(this.#leaseDurationMs);
    const { holderIdentity, leaseDurationSeconds } = seen.record;
    if (holderIdentity === '') return true;
    // No term came of it, so nobody leads by it. Our name alone says less: another process may go by it too.
    if (this.#unanswered !== undefined && sameRecord(seen.record, this.#unanswered)) return true;
    const claimedMs = Number.isFinite(leaseDurationSeconds) ? leaseDurationSeconds * 1000 : 0;
    return this.#unchangedFor(
      Math.max(Math.min(claimedMs, longestBelievedDurationMs), this.#leaseDurationMs),
    );
  }

  #unchangedFor(durationMs: number): boolean {
    return this.#observed !== undefined && this.#clock.now() - this.#observed.at >= durationMs;
  }

  /** No two writes of ours look alike, even when wall time is set back: a candidate would take one for no renewal. */
  #renewTime(wallTime: number): string {
    return microTime(wallTime, this.#writes++);
  }

  /** Renews until the term ends. Returns the Lease as last written by us, or undefined when it is no longer ours. */
  async #keepRenewing(term: RenewableTerm): Promise<LeaseSnapshot | undefined> {
    let held = this.#observed?.snapshot;
    let pauseMs = this.#retryPeriodMs;
    while (
      held !== undefined &&
      (await sleep(this.#clock, Math.min(pauseMs, term.remainingMs()), term.signal))
    ) {
      if (term.remainingMs() <= 0) {
        const hangs = this.#workIsAlive() ? '' : ', since the work makes no progress';
        term.end(`no renewal succeeded for ${this.#renewDeadlineMs} ms${hangs}`);
        return held;
      }
      pauseMs = this.#retryPeriodMs;
      if (!this.#workIsAlive()) continue;
      try {
        const result = await this.#renew(term, held);
        if (result.outcome === 'written') {
          held = result.snapshot;
          continue;
        }
        const current = await this.#store.read(this.#requestOptions(term));
        this.#observe(current);
        if (current === undefined || current.record.holderIdentity !== this.#identity) {
          const holder = current?.record.holderIdentity;
          term.end(
            holder ? `${holder} holds the Lease now` : 'the Lease was deleted or released by somebody else',
          );
          return undefined;
        }
        if (current.record.leaseTransitions !== term.epoch) {
          term.end(`another process uses the identity ${this.#identity}`);
          return undefined;
        }
        // Ours still: an edit of something else, or a renewal of ours whose answer was lost. Renew on top of it now.
        held = current;
        pauseMs = 0;
      } catch (error) {
        if (!term.signal.aborted) this.#onError(error);
      }
    }
    return held;
  }

  async #renew(term: RenewableTerm, held: LeaseSnapshot): Promise<LeaseWriteResult> {
    const sentAt = this.#clock.now();
    const sentWallTime = this.#clock.wallTime();
    const renewTime = this.#renewTime(sentWallTime);
    const result = await this.#store.update(held, { ...held.record, renewTime }, this.#requestOptions(term));
    if (result.outcome === 'written') {
      this.#observe(result.snapshot);
      term.renewed({ renewTime, sentAt }, sentWallTime);
    }
    return result;
  }

  #requestOptions(term: LeaderTerm): LeaseRequestOptions {
    return { timeoutMs: Math.min(this.#renewDeadlineMs / 2, term.remainingMs()), signal: term.signal };
  }

  async #release(held: LeaseSnapshot | undefined): Promise<void> {
    if (held === undefined || held.record.holderIdentity !== this.#identity) return;
    const options = { timeoutMs: this.#renewDeadlineMs / 2, signal: new AbortController().signal };
    const released: LeaseRecord = {
      ...held.record,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: this.#renewTime(this.#clock.wallTime()),
    };
    try {
      let result = await this.#store.update(held, released, options);
      if (result.outcome === 'conflict') {
        // A renewal of ours may have been applied although its answer was cut off by the end of the term.
        const current = await this.#store.read(options);
        const stillOurs =
          current?.record.holderIdentity === this.#identity &&
          current.record.leaseTransitions === held.record.leaseTransitions;
        if (stillOurs) result = await this.#store.update(current, released, options);
      }
    } catch (error) {
      // Not released: candidates wait for the lease duration instead. Slower, and just as safe.
      this.#onError(error);
    }
  }

  #observe(snapshot: LeaseSnapshot | undefined): void {
    this.#highestEpochSeen = Math.max(this.#highestEpochSeen, snapshot?.record.leaseTransitions ?? -1);
    const previous = this.#observed;
    if (previous !== undefined && sameLease(previous.snapshot, snapshot)) previous.snapshot = snapshot;
    else this.#observed = { snapshot, at: this.#clock.now() };
    // A Lease that isn't there yet is no news; one that is gone is.
    const leader = snapshot?.record.holderIdentity ?? (this.#reportedLeader && '');
    if (leader !== undefined && leader !== this.#reportedLeader) {
      this.#reportedLeader = leader;
      this.#onNewLeader(leader);
    }
  }
}

function sameLease(a: LeaseSnapshot | undefined, b: LeaseSnapshot | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.uid === b.uid && sameRecord(a.record, b.record);
}

function endReason(term: LeaderTerm): string {
  const reason: unknown = term.signal.reason;
  if (!(reason instanceof Error)) return 'unknown';
  return reason.message.replace(/^leadership term \d+ is over: /, '');
}
