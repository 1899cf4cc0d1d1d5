// When each death's last takeover was undone, as one leader knows: from what is on record, by its own clock.

import { takeoverNumberOf } from '../../evidence/death-id.ts';
import type { UndoneTakeovers } from '../../policy/guard.ts';
import type { Clock } from '../../time/clock.ts';
import type { RecordBook } from './record-book.ts';

/** Of one term. A new leader counts from when it first looks: how often is on record, and when is nobody else's clock to say. */
export class Undoings {
  readonly #records: Pick<RecordBook, 'all'>;
  readonly #clock: Pick<Clock, 'now'>;
  /** By death id. */
  #known: ReadonlyMap<string, UndoneTakeovers> = new Map();

  constructor(records: Pick<RecordBook, 'all'>, clock: Pick<Clock, 'now'>) {
    this.#records = records;
    this.#clock = clock;
  }

  /** To be called at every look, so that what was undone is known of soon. */
  look(): void {
    const known = new Map<string, UndoneTakeovers>();
    for (const { record } of this.#records.all()) {
      const { deathId, result } = record;
      const count = result === 'undone' ? takeoverNumberOf(record) : 0;
      if (count <= (known.get(deathId)?.count ?? 0)) continue;
      const before = this.#known.get(deathId);
      known.set(deathId, before?.count === count ? before : { count, since: this.#clock.now() });
    }
    this.#known = known;
  }

  of(deathId: string): UndoneTakeovers | undefined {
    return this.#known.get(deathId);
  }
}
