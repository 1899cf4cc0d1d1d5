// The pause of everything as one replica knows it, and the leader's care that it outlives Lease and replicas.

import { pausedAnnotation } from '../marks/paused.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import {
  type KeptPause,
  type PausableLease,
  type PauseResolution,
  type PauseStore,
  resolvePause,
} from './global-pause.ts';

/** What one replica has seen of the pause, from its watch of the election Lease and from what is kept beside that. */
export class GlobalPause {
  #lease: PausableLease | undefined;
  #kept: KeptPause | undefined;

  /** Why everything is paused; undefined when it isn't. */
  get paused(): string | undefined {
    return this.resolution.paused;
  }

  get resolution(): PauseResolution {
    return resolvePause(this.#lease, this.#kept, pausedAnnotation);
  }

  get lease(): PausableLease | undefined {
    return this.#lease;
  }

  /** @param lease undefined when it is gone, which ends no pause. */
  leaseSeen(lease: PausableLease | undefined): void {
    this.#lease = lease;
    this.#kept = this.resolution.keep;
  }

  /** What somebody kept before. What we saw ourselves since counts for more. */
  adopt(kept: KeptPause | undefined): void {
    this.#kept ??= kept;
  }

  /** What a new Lease has to be marked with. */
  marks(): Readonly<Record<string, string>> {
    const { paused } = this;
    return paused === undefined ? {} : { [pausedAnnotation]: paused };
  }
}

export interface PauseKeeperOptions {
  readonly pause: GlobalPause;
  readonly store: PauseStore;
  /** A keeper serves one term. */
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

const readTimeoutMs = 5_000;

/** Keeps what is paused, for one term. */
export class PauseKeeper {
  readonly #options: PauseKeeperOptions;
  /** What is kept, once that is known. */
  #stored: { readonly pause: KeptPause | undefined } | undefined;
  #underWay: Promise<void> | undefined;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(options: PauseKeeperOptions) {
    this.#options = options;
  }

  /** Whether what earlier leaders kept has been read. Before that nobody knows that nothing is paused. */
  get known(): boolean {
    return this.#stored !== undefined;
  }

  /**
   * To be called at every look, and never waited for.
   *
   * @param current our watch shows the Lease as it was in this term, or later: what is not on it was taken off.
   */
  attend({ current }: { readonly current: boolean }): void {
    const { clock, term } = this.#options;
    if (this.#underWay !== undefined || clock.now() < this.#nextAt || term.remainingMs() <= 0) return;
    const work = this.#due(current);
    if (work === undefined) return;
    this.#underWay = this.#perform(work).finally(() => {
      this.#underWay = undefined;
    });
  }

  /** Resolves once nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  #due(current: boolean): (() => Promise<void>) | undefined {
    const { pause, store, term } = this.#options;
    if (this.#stored === undefined) return () => this.#read();
    const { keep, restore } = pause.resolution;
    const { lease } = pause;
    if (keep?.reason !== this.#stored.pause?.reason || keep?.leaseUid !== this.#stored.pause?.leaseUid) {
      // Not before it is certain that the mark was taken off rather than not seen yet.
      if (keep === undefined && !current) return undefined;
      return async () => {
        await store.keep(term, keep);
        this.#stored = { pause: keep };
      };
    }
    if (!restore || !current || keep === undefined || lease === undefined) return undefined;
    return async () => {
      await store.restore(term, lease, keep.reason);
      // Our own watch has yet to show it.
      this.#nextAt = this.#options.clock.now() + retryMs;
    };
  }

  async #read(): Promise<void> {
    const { pause, store, term } = this.#options;
    const timeoutMs = Math.min(readTimeoutMs, term.remainingMs());
    const kept = await store.read({ signal: term.signal, timeoutMs });
    pause.adopt(kept);
    this.#stored = { pause: kept };
  }

  async #perform(work: () => Promise<void>): Promise<void> {
    const { clock, term, onError } = this.#options;
    try {
      await work();
    } catch (error) {
      this.#nextAt = clock.now() + retryMs;
      if (term.remainingMs() > 0) onError(error);
    }
  }
}
