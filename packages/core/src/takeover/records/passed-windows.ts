// Notes in the records which deaths have counted towards the budget for a whole window, so that no later leader begins anew.

import type { LeaderTerm } from '../../term/leader-term.ts';
import { type Clock, sleep } from '../../time/clock.ts';
import type { StoredRecord, TakeoverCluster } from '../cluster.ts';
import type { RecordBook } from './record-book.ts';

export interface PassedWindowsOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly cluster: Pick<TakeoverCluster, 'updateRecord' | 'readRecord'>;
  readonly records: Pick<RecordBook, 'put' | 'forget'>;
  readonly onError: (where: string, error: unknown) => void;
}

const retryMs = 10_000;

export class PassedWindows {
  readonly #options: PassedWindowsOptions;
  /** Ids of those that failed since all had their turn. */
  readonly #failed = new Set<string>();
  #writing: Promise<void> | undefined;

  constructor(options: PassedWindowsOptions) {
    this.#options = options;
  }

  /** Writes one at a time, in the background: nothing waits for it. */
  note(passed: readonly StoredRecord[]): void {
    if (this.#writing !== undefined) return;
    const next = this.#nextOf(passed);
    if (next === undefined) return;
    const { term, clock, onError } = this.#options;
    const write = async (): Promise<void> => {
      try {
        await this.#write(next);
      } catch (error) {
        this.#failed.add(next.record.id);
        if (term.remainingMs() > 0) onError(`takeover record ${next.record.id}`, error);
        await sleep(clock, retryMs, term.signal);
      } finally {
        this.#writing = undefined;
      }
    };
    this.#writing = write();
  }

  async settled(): Promise<void> {
    await this.#writing;
  }

  /** One that failed lets the others go first. */
  #nextOf(passed: readonly StoredRecord[]): StoredRecord | undefined {
    const next = passed.find(({ record }) => !this.#failed.has(record.id));
    if (next !== undefined) return next;
    this.#failed.clear();
    return passed[0];
  }

  async #write(stored: StoredRecord): Promise<void> {
    const { term, cluster, records } = this.#options;
    const { record } = stored;
    const saved = await cluster.updateRecord(term, stored, { ...record, windowPassed: true });
    if (saved !== 'conflict' && saved !== 'gone') {
      records.put(saved);
      return;
    }
    const current = await cluster.readRecord(term, record.id);
    if (current === undefined) records.forget(record.id);
    else records.put(current);
  }
}
