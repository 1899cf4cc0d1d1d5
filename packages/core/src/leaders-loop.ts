// The loop in which a leader decides, and on which it depends that it leads: whatever is thrown here ends its term.

import type { Drill } from './drilling/drill.ts';
import { LeadershipLostError } from './election/leader-elector.ts';
import type { Leading } from './leading.ts';
import type { PauseKeeper } from './pausing/pause-keeper.ts';
import type { StatusPublisher } from './telling/status-publisher.ts';
import type { LeaderTerm } from './term/leader-term.ts';
import { type Clock, sleep } from './time/clock.ts';
import type { Fact, Intent } from './world-state.ts';

export interface LeadersLoopOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly leading: Leading;
  readonly publisher: StatusPublisher | undefined;
  readonly pauseKeeper: PauseKeeper | undefined;
  readonly drill: Drill | undefined;
  /** What the leader learns becomes known by this alone. */
  readonly inform: (fact: Fact) => void;
  /** Once per tick: says what all facts so far mean. */
  readonly look: () => void;
  /** What is done at each look besides. */
  readonly attend: (loop: LeadersLoop) => void;
  /** Called when all of it came to its end: only that shows that this replica is alive. */
  readonly onAlive: () => void;
}

/** How often health and decisions are looked at again; everything that matters is counted in whole seconds. */
export const tickMs = 500;

/** No request takes longer: a leader that heard nothing of the records that it asked for will hear nothing any more. */
const takingUpHangsAfterMs = 30_000;

/** How long what a leader has under way may take to end after its term; most of it is cut off at once. */
const settlesWithinMs = 10_000;

/** One leadership, look by look. */
export class LeadersLoop {
  readonly #options: LeadersLoopOptions;
  /** When the term began. */
  readonly since: number;
  #renewalSeenAt: number | undefined;
  #takingUp: Promise<void> = Promise.resolve();
  #tookUp = false;
  #unread = '';
  /** Rejects when something that the world asked for failed. */
  readonly #failing = Promise.withResolvers<never>();
  /** When anything was last heard of reading what earlier leaders left behind. */
  #heardOfTakeUpAt: number;

  constructor(options: LeadersLoopOptions) {
    this.#options = options;
    this.since = options.clock.now();
    this.#heardOfTakeUpAt = this.since;
    this.#failing.promise.catch(() => {});
    this.#tellUnread();
  }

  get term(): LeaderTerm {
    return this.#options.term;
  }

  get leading(): Leading {
    return this.#options.leading;
  }

  /** Whether what earlier leaders left behind has been read. */
  get tookUp(): boolean {
    return this.#tookUp;
  }

  /** Does what the world asks a leader to do. What fails in it ends the term. */
  perform(intent: Intent): void {
    try {
      this.leading.perform(intent);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the term, since what it rests on can't be trusted any more. */
  fail(error: unknown): void {
    this.#failing.reject(error);
  }

  /** What has to be known before anything is decided, and isn't yet. */
  #tellUnread(): void {
    const unread: string[] = [];
    if (!this.#tookUp) unread.push('the records of earlier takeovers have not been read yet');
    if (this.#options.pauseKeeper?.known === false) {
      unread.push('whether everything is paused has not been read yet');
    }
    if (unread.join() === this.#unread) return;
    this.#unread = unread.join();
    this.#options.inform({ kind: 'unread', what: unread });
  }

  /** @param renewTime of the election Lease, as our own watch shows it now. */
  leaseSeen(renewTime: string | undefined): void {
    const renewal = this.term.renewals.findLast((own) => own.renewTime === renewTime);
    if (renewal === undefined || renewal.sentAt === this.#renewalSeenAt) return;
    this.#renewalSeenAt = renewal.sentAt;
    this.#options.inform({ kind: 'echo', sentAt: renewal.sentAt });
  }

  /** Something failed: so it does go on. */
  heardOfTrouble(): void {
    this.#heardOfTakeUpAt = this.#options.clock.now();
  }

  /** Decides until the term ends; whatever fails in it is thrown, at once. */
  async run(): Promise<void> {
    const { leading, clock, pauseKeeper, term } = this.#options;
    this.#takingUp = leading.takeUp();
    const takenUp = this.#takingUp.then(() => {
      this.#tookUp = true;
      this.#tellUnread();
    });
    const rounds = async (): Promise<void> => {
      // Mostly all is read at once, and then there is nothing to be said of it.
      pauseKeeper?.attend({ current: false });
      const read = Promise.all([takenUp, pauseKeeper?.settled()]);
      await Promise.race([read, sleep(clock, tickMs, term.signal)]);
      do this.#round();
      while (await sleep(clock, tickMs, term.signal));
    };
    const deciding = rounds();
    await Promise.race([deciding, takenUp.then(() => deciding), this.#failing.promise]);
  }

  #round(): void {
    const { term, clock, pauseKeeper, look, attend, onAlive } = this.#options;
    if (term.signal.aborted) return;
    if (!this.#tookUp && clock.now() - this.#heardOfTakeUpAt > takingUpHangsAfterMs) {
      throw new Error(
        `the records of earlier takeovers were neither read nor refused for ${takingUpHangsAfterMs} ms`,
      );
    }
    pauseKeeper?.attend({ current: this.#renewalSeenAt !== undefined });
    this.#tellUnread();
    look();
    attend(this);
    onAlive();
  }

  /**
   * Waits for what is under way after the term, but not for ever: nothing of it can write any more.
   *
   * @param cause why the term ended, if it failed.
   * @throws {@link LeadershipLostError} when it took too long; then the Lease had better run out by itself.
   */
  async settled(cause: unknown): Promise<void> {
    const { clock, leading, publisher, pauseKeeper, drill } = this.#options;
    const settled = async (): Promise<void> => {
      // What it failed with is known already.
      await this.#takingUp.catch(() => {});
      await Promise.all([leading.settled(), publisher?.settled(), pauseKeeper?.settled(), drill?.settled()]);
    };
    const over = new AbortController();
    const late = sleep(clock, settlesWithinMs, over.signal);
    const inTime = await Promise.race([settled().then(() => true), late.then(() => false)]);
    over.abort();
    if (inTime) return;
    throw new LeadershipLostError(
      `expected what was under way to end within ${settlesWithinMs} ms of the term, found that it goes on`,
      { cause },
    );
  }
}
