// Publishes what a leader knows when that is news, and now and then when it isn't: never so often that it would cost.

import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { newsIn, type StatusDocument } from './status-document.ts';

/** Where the status document of one group of replicas lies. */
export interface StatusStore {
  /**
   * Replaces what is there, unless a later leader wrote it.
   *
   * @throws TermEndedError when the term is over; as every write, when the API server does not take it.
   */
  publish(term: LeaderTerm, document: StatusDocument): Promise<'written' | 'conflict'>;
}

export interface StatusPublisherOptions {
  readonly store: StatusStore;
  /** A publisher serves one term. */
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** Pause between two looks at what could be published, and so between two publications. */
const betweenMs = 2_000;

/** After this long a document is written anew without news, so that an old one means that something is wrong. */
const refreshMs = 30_000;

/** The same while a node is in trouble: its reasons carry numbers that count up. */
const refreshInTroubleMs = 10_000;

const retryMs = 10_000;

export class StatusPublisher {
  readonly #options: StatusPublisherOptions;
  #told: string | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;
  #nextLookAt = Number.NEGATIVE_INFINITY;
  #underway: Promise<void> | undefined;

  constructor(options: StatusPublisherOptions) {
    this.#options = options;
  }

  /** To be called often, and never waited for: `describe` is asked only when it is time to look. */
  offer(describe: () => StatusDocument): void {
    const now = this.#options.clock.now();
    if (this.#underway !== undefined || now < this.#nextLookAt) return;
    if (this.#options.term.remainingMs() <= 0) return;
    this.#nextLookAt = now + betweenMs;
    const document = describe();
    const news = newsIn(document);
    const { dead, suspect } = document.counts;
    const refresh = dead + suspect > 0 ? refreshInTroubleMs : refreshMs;
    if (news === this.#told && now - this.#toldAt < refresh) return;
    this.#underway = this.#publish(document, news).finally(() => {
      this.#underway = undefined;
    });
  }

  /** Resolves once nothing is being published any more. */
  async settled(): Promise<void> {
    await this.#underway;
  }

  async #publish(document: StatusDocument, news: string): Promise<void> {
    const { store, term, clock, onError } = this.#options;
    try {
      if ((await store.publish(term, document)) === 'conflict') return;
      this.#told = news;
      this.#toldAt = clock.now();
    } catch (error) {
      this.#nextLookAt = clock.now() + retryMs;
      if (term.remainingMs() > 0) onError(error);
    }
  }
}
