// Elects one leader among replicas over a Lease, and hands it a LeaderTerm for as long as it leads.

import { type LeaderTerm, RenewableTerm, TermEndedError } from '../term/leader-term.ts';
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../time/clock.ts';
import { acquireJitter, checkedTimings, type ElectionTimings } from './election-timings.ts';
import {
  type LeaseRecord,
  type LeaseRequestOptions,
  type LeaseSnapshot,
  type LeaseStore,
  type LeaseWriteResult,
  microTime,
} from './lease-record.ts';
import { ObservedLease } from './observed-lease.ts';

/** How often a candidate that can't lead yet asks itself whether it can. */
const lookAgainMs = 100;

/** Options of {@link LeaderElector}. */
export interface LeaderElectorOptions extends ElectionTimings {
  /** Where the election's Lease is kept. */
  readonly store: LeaseStore;
  /** Unique among all candidates and among all lives of this process, so that records and logs say who it was. */
  readonly identity: string;
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Draws jitter. Default: `Math.random()`. */
  readonly random?: Random;
  /**
   * The least epoch that a term may have, asked before this candidate takes a Lease that it has not held yet: whoever
   * keeps epochs elsewhere goes on growing them when somebody deletes the Lease, or makes another one by hand, with a
   * lower count or none. While this fails, no such Lease is taken. Default 0.
   */
  readonly minimumEpoch?: () => Promise<number>;
  /**
   * What a new Lease is marked with, asked before one is created: annotations of a Lease are lost with it when somebody
   * deletes it. While this fails, no Lease is created. Default: nothing.
   */
  readonly newLeaseAnnotations?: () => Promise<Readonly<Record<string, string>>>;
  /**
   * How long a Lease that this candidate never saw must have been absent before it creates one. Default 0, as in
   * client-go: an election that is held for the first time has its leader at once, and where somebody deleted the Lease
   * just before a candidate starts, two may lead until the older one has tried to renew. The lease duration, in
   * milliseconds, closes that gap and makes the very first election wait that long.
   */
  readonly createAfterMs?: number;
  /**
   * Whether the work still makes progress, asked before each renewal. While it says no, nothing is renewed: a leader
   * that hangs loses its term, however healthy its timers are. Default: it always does.
   */
  readonly workIsAlive?: () => boolean;
  /**
   * Whether this candidate could do the work if it led, asked whenever the Lease may be taken. While it says no, it
   * leaves the Lease to others and goes on watching it. Default: it always could.
   */
  readonly mayLead?: () => boolean;
  /**
   * Called when another holder, or a new term of the same one, is seen for the first time; `identity` is empty when
   * nobody leads. For logs and for status: only a {@link LeaderTerm} says that this candidate leads.
   */
  readonly onNewLeader?: (identity: string, epoch: number) => void;
  /** Called for each failed attempt that will be retried, and for a release that was given up. */
  readonly onError?: (error: unknown) => void;
}

/**
 * What is called with a term to work in it.
 *
 * @param term - For every write, and to hear when it is over.
 * @param resign - Ends the term at once, while the work has yet to settle: from then on nothing is renewed and nothing
 *   of this term can be written. The reason is for people.
 */
export type LeadersWork = (term: LeaderTerm, resign: (reason: string) => void) => Promise<void>;

/** Thrown by {@link LeaderElector.run} when leadership ended before the work did. The process should exit. */
export class LeadershipLostError extends Error {
  override readonly name = 'LeadershipLostError';
  readonly code = 'LIBERATOR_LEADERSHIP_LOST';

  constructor(reason: string, options?: { cause?: unknown }) {
    super(`leadership lost: ${reason}`, options);
  }
}

/** How soon to ask once more whether the work goes on that a term is for. */
const workAgainMs = 250;

/**
 * Leader election over a `coordination.k8s.io/v1` Lease, compatible with client-go's record.
 *
 * Guarantees: the work runs only while a term is valid; a term's validity is counted from the send time of its last
 * good renewal, so it ends before any candidate with the same timings may take over, however slow the API server
 * answers; candidates trust only their own observation of change, never a timestamp that somebody wrote.
 *
 * Does not guarantee: that a request sent in the last moment of a term arrives before the next term begins (make writes
 * conditional), nor anything between candidates whose monotonic clocks differ in speed by more than
 * `leaseDurationMs / renewDeadlineMs`, nor anything while somebody else empties the record, or, unless
 * {@link LeaderElectorOptions.createAfterMs} forbids it, deletes the Lease just before a candidate starts that has never
 * seen it.
 *
 * @example
 * ```ts
 * await new LeaderElector({ store, identity }).run(async (term) => {
 *   while (!term.signal.aborted) await workOnce(term);
 * });
 * ```
 */
export class LeaderElector implements AsyncDisposable {
  readonly #store: LeaseStore;
  readonly #identity: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timings: Required<ElectionTimings>;
  readonly #minimumEpoch: () => Promise<number>;
  readonly #newLeaseAnnotations: () => Promise<Readonly<Record<string, string>> | undefined>;
  readonly #workIsAlive: () => boolean;
  readonly #mayLead: () => boolean;
  readonly #runs = new Map<AbortController, Promise<unknown>>();
  readonly #onError: (error: unknown) => void;
  readonly #lease: ObservedLease;
  /** An acquisition of ours that may have been applied although no term came of it. */
  #unanswered: LeaseRecord | undefined;
  /** Uid of the Lease that this candidate held last: whatever its count is now, it began above all epochs kept elsewhere. */
  #heldLease: string | undefined;
  /** Whether the last attempt ended at {@link LeaderElectorOptions.mayLead}. */
  #declined = false;
  #writes = 0;

  /** @throws RangeError when the timings don't leave room for one another. */
  constructor(options: LeaderElectorOptions) {
    this.#store = options.store;
    this.#identity = options.identity;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#timings = checkedTimings(options);
    this.#minimumEpoch = options.minimumEpoch ?? (async () => 0);
    this.#newLeaseAnnotations = options.newLeaseAnnotations ?? (async () => undefined);
    this.#workIsAlive = options.workIsAlive ?? (() => true);
    this.#mayLead = options.mayLead ?? (() => true);
    this.#onError = options.onError ?? (() => {});
    this.#lease = new ObservedLease({
      clock: this.#clock,
      leaseDurationMs: this.#timings.leaseDurationMs,
      createAfterMs: options.createAfterMs ?? 0,
      onNewLeader: options.onNewLeader ?? (() => {}),
    });
    if (this.#identity === '')
      throw new RangeError('identity: expected a non-empty string, found an empty one');
  }

  /** Who holds the Lease as last seen; empty when nobody does, undefined before the first look. */
  get leader(): string | undefined {
    return this.#lease.holder;
  }

  /**
   * Waits until this candidate leads, then runs `work` for as long as it does.
   *
   * When `signal` aborts, the term ends, `work` is awaited and the Lease is released, so that another candidate can
   * take over at once. When `work` returns, or resigns and returns, the Lease is released likewise. Resolves to false when
   * `signal` aborted before this candidate ever led.
   *
   * Work that can't be sure that all of it has ended throws a {@link LeadershipLostError} of its own: then the Lease is
   * not released, and nobody else leads before it has run out.
   *
   * @throws {@link LeadershipLostError} when leadership was lost, or resigned, while `work` still ran; `work` has settled
   *   by then.
   * @throws whatever else `work` throws, after the release. That it was cut off by the end of its term is no failure: the
   *   reason of `term.signal`, an AbortError, or an error that one of these caused.
   */
  async run(work: LeadersWork, signal?: AbortSignal): Promise<boolean> {
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

  async #runUntil(stop: AbortSignal, work: LeadersWork): Promise<boolean> {
    const term = await this.#acquire(stop);
    if (term === undefined) return false;

    const onStop = (): void => term.end('asked to stop');
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const renewing = this.#keepRenewing(term);
    const watching = this.#endInTime(term);
    let resigned = false;
    const resign = (reason: string): void => {
      if (term.signal.aborted) return;
      resigned = true;
      term.end(reason);
    };
    let settled = true;
    try {
      await work(term, resign);
    } catch (error) {
      settled = !(error instanceof LeadershipLostError);
      if (!settled) throw error;
      if (term.signal.aborted && !stop.aborted)
        throw new LeadershipLostError(endReason(term), { cause: error });
      if (!term.signal.aborted || !wasCutOff(error, term)) throw error;
    } finally {
      stop.removeEventListener('abort', onStop);
      const endedByUs = resigned || stop.aborted || !term.signal.aborted;
      term.end('the work is done');
      const [stillHeld] = await Promise.all([renewing, watching]);
      if (endedByUs && settled) await this.#release(stillHeld);
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
          await this.#release(this.#lease.snapshot);
        }
      } catch (error) {
        if (stop.aborted) break;
        this.#onError(error);
      }
      await this.#rest(this.#timings.retryPeriodMs * (1 + acquireJitter * this.#random.next()), stop);
    }
    return undefined;
  }

  /** Until the next attempt: shorter when nothing was in the way of the last one but that we could not lead yet. */
  async #rest(pauseMs: number, stop: AbortSignal): Promise<void> {
    if (!this.#declined) {
      await sleep(this.#clock, pauseMs, stop);
      return;
    }
    this.#declined = false;
    const until = this.#clock.now() + pauseMs;
    while (!this.#mayLead() && this.#clock.now() < until) {
      if (!(await sleep(this.#clock, Math.min(pauseMs, lookAgainMs), stop))) return;
    }
  }

  async #tryAcquire(stop: AbortSignal): Promise<RenewableTerm | undefined> {
    const { leaseDurationMs, renewDeadlineMs } = this.#timings;
    const options = { timeoutMs: renewDeadlineMs / 2, signal: stop };
    const seen = await this.#store.read(options);
    this.#lease.see(seen);
    if (!this.#lease.mayBeTaken(this.#unanswered)) return undefined;
    this.#declined = !this.#mayLead();
    if (this.#declined) return undefined;
    // Who made a Lease that we never held, and with which count, nobody knows.
    const [leastEpoch, annotations] = await Promise.all([
      seen !== undefined && seen.uid === this.#heldLease ? 0 : this.#minimumEpoch(),
      seen === undefined ? this.#newLeaseAnnotations() : undefined,
    ]);

    const sentAt = this.#clock.now();
    const sentWallTime = this.#clock.wallTime();
    const renewTime = this.#renewTime(sentWallTime);
    const record: LeaseRecord = {
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      leaseTransitions: Math.max(leastEpoch, this.#lease.nextEpoch),
      acquireTime: renewTime,
      renewTime,
    };
    this.#unanswered = record;
    const result = await (seen === undefined
      ? this.#store.create(record, options, annotations)
      : this.#store.update(seen, record, options));
    if (result.outcome === 'conflict') {
      this.#unanswered = undefined;
      return undefined;
    }
    this.#lease.see(result.snapshot);
    this.#heldLease = result.snapshot.uid;
    const term = new RenewableTerm({
      epoch: record.leaseTransitions,
      identity: this.#identity,
      clock: this.#clock,
      validityMs: renewDeadlineMs,
      first: { renewTime, sentAt },
      firstWallTime: sentWallTime,
    });
    // The answer took longer than a term lasts: whoever knocks next may already have it.
    if (term.remainingMs() <= 0) return undefined;
    this.#unanswered = undefined;
    return term;
  }

  /** No two writes of ours look alike, even when wall time is set back: a candidate would take one for no renewal. */
  #renewTime(wallTime: number): string {
    return microTime(wallTime, this.#writes++);
  }

  /**
   * Ends the term when it runs out, whatever its renewals are doing: a store that waits for an answer for longer than it
   * may must not keep the work from hearing of it.
   */
  async #endInTime(term: RenewableTerm): Promise<void> {
    const { retryPeriodMs } = this.#timings;
    // A last rest may be smaller than what a clock can tell from nothing: waiting for just that would never end.
    const pauseMs = (): number => Math.min(retryPeriodMs, Math.max(1, term.remainingMs()));
    while (await sleep(this.#clock, pauseMs(), term.signal)) {
      if (term.remainingMs() > 0) continue;
      const hangs = this.#workIsAlive() ? '' : ', since the work makes no progress';
      term.end(`no renewal succeeded for ${this.#timings.renewDeadlineMs} ms${hangs}`);
    }
  }

  /** Renews until the term ends. Returns the Lease as it was when it was last known to be ours. */
  async #keepRenewing(term: RenewableTerm): Promise<LeaseSnapshot | undefined> {
    let held = this.#lease.snapshot;
    const { retryPeriodMs } = this.#timings;
    let pauseMs = retryPeriodMs;
    let refused = false;
    while (held !== undefined && (await sleep(this.#clock, pauseMs, term.signal))) {
      pauseMs = retryPeriodMs;
      if (term.remainingMs() <= 0) continue;
      if (!this.#workIsAlive()) {
        // A process that stood still may come to this before its work does, with little time left.
        pauseMs = Math.min(retryPeriodMs, workAgainMs);
        continue;
      }
      try {
        const renewed = await unlessEnded(term, this.#renew(term, held));
        if (renewed === undefined) break;
        if (renewed.outcome === 'written') {
          held = renewed.snapshot;
          refused = false;
          continue;
        }
        const current = await unlessEnded(term, this.#stillOurs(term));
        if (current === undefined) break;
        // Ours still: an edit of something else, or a renewal of ours whose answer was lost. Renew on top of it now. Where
        // it is refused again though nobody wrote, it is something else that refuses, and goes on refusing.
        const unchanged = current.resourceVersion === held.resourceVersion;
        if (!unchanged || !refused) pauseMs = 0;
        refused = unchanged;
        held = current;
      } catch (error) {
        if (!term.signal.aborted) this.#onError(error);
      }
    }
    return held;
  }

  /** The Lease as it is now if the term still holds it; otherwise ends the term. */
  async #stillOurs(term: RenewableTerm): Promise<LeaseSnapshot | undefined> {
    const current = await this.#store.read(this.#requestOptions(term));
    this.#lease.see(current);
    const holder = current?.record.holderIdentity;
    if (holder !== this.#identity) {
      term.end(
        holder ? `${holder} holds the Lease now` : 'the Lease was deleted or released by somebody else',
      );
      return undefined;
    }
    if (current?.record.leaseTransitions !== term.epoch) {
      term.end(`another process uses the identity ${this.#identity}`);
      return undefined;
    }
    return current;
  }

  async #renew(term: RenewableTerm, held: LeaseSnapshot): Promise<LeaseWriteResult> {
    const sentAt = this.#clock.now();
    const sentWallTime = this.#clock.wallTime();
    const renewTime = this.#renewTime(sentWallTime);
    const result = await this.#store.update(held, { ...held.record, renewTime }, this.#requestOptions(term));
    if (result.outcome === 'written') {
      this.#lease.see(result.snapshot);
      term.renewed({ renewTime, sentAt }, sentWallTime);
    }
    return result;
  }

  #requestOptions(term: LeaderTerm): LeaseRequestOptions {
    return {
      timeoutMs: Math.min(this.#timings.renewDeadlineMs / 2, term.remainingMs()),
      signal: term.signal,
    };
  }

  async #release(held: LeaseSnapshot | undefined): Promise<void> {
    if (held === undefined || held.record.holderIdentity !== this.#identity) return;
    const options = { timeoutMs: this.#timings.renewDeadlineMs / 2, signal: new AbortController().signal };
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
}

/** What `call` comes to; undefined when the term ends first. Whatever becomes of the call then is nobody's business. */
function unlessEnded<T>(term: LeaderTerm, call: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => resolve(undefined);
    if (term.signal.aborted) onEnd();
    term.signal.addEventListener('abort', onEnd, { once: true });
    call.then(resolve, reject).finally(() => term.signal.removeEventListener('abort', onEnd));
  });
}

/** Whether work that was told to end merely says so. */
function wasCutOff(error: unknown, term: LeaderTerm): boolean {
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    if (cause === term.signal.reason || cause instanceof TermEndedError) return true;
    if (cause instanceof Error && cause.name === 'AbortError') return true;
  }
  return false;
}

function endReason(term: LeaderTerm): string {
  const reason: unknown = term.signal.reason;
  if (!(reason instanceof Error)) return 'unknown';
  return reason.message.replace(/^leadership term \d+ is over: /, '');
}
