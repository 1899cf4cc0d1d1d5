// One candidate that stands again and again: a lost term doesn't end it, only being asked to stop does.
import {
  type Clock,
  type ElectionTimings,
  LeaderElector,
  LeadershipLostError,
  type LeaderTerm,
  type LeaseStore,
  type Random,
  systemClock,
  systemRandom,
} from '@liberator/core';
import type { Standing } from './standing.ts';

export interface CandidacyOptions {
  readonly store: LeaseStore;
  readonly identity: string;
  readonly timings: Required<ElectionTimings>;
  /** Called with what {@link Candidacy.look} then returns, whenever that has changed. */
  readonly onChange: (standing: Standing) => void;
  /** Called when a term ended although nobody asked for it. */
  readonly onLost: (error: LeadershipLostError) => void;
  /** Called for each failed attempt; there will be another. */
  readonly onError: (error: unknown) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

export class Candidacy {
  readonly #options: CandidacyOptions;
  readonly #clock: Clock;
  readonly #elector: LeaderElector;
  /** The Lease's holder as last seen, who may be a former self of ours. */
  #holder: { readonly name: string; readonly epoch: number } = { name: '', epoch: -1 };
  #term: LeaderTerm | undefined;
  #standing: Standing;

  constructor(options: CandidacyOptions) {
    const { store, identity, timings, clock = systemClock, random = systemRandom, onError } = options;
    this.#options = options;
    this.#clock = clock;
    this.#standing = { name: '', isLeader: false, term: undefined, since: clock.wallTime() };
    this.#elector = new LeaderElector({
      ...timings,
      // Nobody makes the work of strangers conditional: better to wait once than to have two leaders once.
      createAfterMs: timings.leaseDurationMs,
      store,
      identity,
      clock,
      random,
      onError,
      onNewLeader: (name, epoch) => {
        this.#holder = { name, epoch };
        // Should it be us, the term comes right away, and there is no moment in between to tell of.
        clock.setTimeout(() => this.look(), 0);
      },
    });
  }

  /**
   * How it stands now. Our own term is judged anew each time, by the clocks of this moment: a process that was stopped
   * and goes on knows better than its timers, which have yet to fire.
   */
  look(): Standing {
    const { name, isLeader, term } = this.#judge();
    const before = this.#standing;
    if (name === before.name && isLeader === before.isLeader && term === before.term) return before;
    this.#standing = { name, isLeader, term, since: this.#clock.wallTime() };
    this.#options.onChange(this.#standing);
    return this.#standing;
  }

  /** Until `signal` aborts: then we no longer lead at once, and the Lease is given back before it resolves. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#elector.run((term) => this.#lead(term), signal);
      } catch (error) {
        if (!(error instanceof LeadershipLostError)) throw error;
        this.#options.onLost(error);
      }
    }
  }

  #lead(term: LeaderTerm): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.look();
        resolve();
      };
      this.#term = term;
      term.signal.addEventListener('abort', end, { once: true });
      if (term.signal.aborted) end();
      else this.look();
    });
  }

  #judge(): Omit<Standing, 'since'> {
    const { identity } = this.#options;
    if (this.#term !== undefined && this.#term.remainingMs() > 0) {
      return { name: identity, isLeader: true, term: this.#term.epoch };
    }
    // Whoever compares names would take the Lease of a former self for leadership.
    const { name, epoch } = this.#holder;
    const isKnown = name !== '' && name !== identity;
    return { name: isKnown ? name : '', isLeader: false, term: isKnown ? epoch : undefined };
  }
}
