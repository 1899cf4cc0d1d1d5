// What is kept of a pause, beside an election Lease in memory.

import { pausedAnnotation } from '../marks/paused.ts';
import type { KeptPause, PausableLease, PauseStore } from '../pausing/global-pause.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { MemoryLease } from './memory-lease.ts';

export class MemoryPauseStore implements PauseStore {
  readonly #lease: MemoryLease;
  readonly #comparesVersions: boolean;
  kept: KeptPause | undefined;
  /** Everything but reading is refused with this. */
  refusal: Error | undefined;
  /** Nothing can be read. */
  unreadable: Error | undefined;

  /** @param options.comparesVersions false where Leases are seen through a reader that counts versions of its own. */
  constructor(lease: MemoryLease, options: { readonly comparesVersions?: boolean } = {}) {
    this.#lease = lease;
    this.#comparesVersions = options.comparesVersions ?? true;
  }

  async read(): Promise<KeptPause | undefined> {
    if (this.unreadable !== undefined) throw this.unreadable;
    return this.kept;
  }

  async keep(term: LeaderTerm, pause: KeptPause | undefined): Promise<void> {
    term.assertValid();
    if (this.refusal !== undefined) throw this.refusal;
    this.kept = pause;
  }

  async restore(term: LeaderTerm, lease: PausableLease, reason: string): Promise<void> {
    term.assertValid();
    if (this.refusal !== undefined) throw this.refusal;
    const { uid, resourceVersion } = this.#lease.current ?? {};
    if (uid !== lease.uid || (this.#comparesVersions && resourceVersion !== lease.resourceVersion)) return;
    this.#lease.touch();
    this.#lease.annotations = { ...this.#lease.annotations, [pausedAnnotation]: reason };
  }
}
