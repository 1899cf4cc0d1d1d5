// A record with what is not written on it yet: what several steps have to tell in a row goes into one write.

import type { LeaderTerm } from '../../term/leader-term.ts';
import type { StoredRecord } from '../cluster.ts';
import type { TakeoverRecord } from '../record.ts';
import type { RecordWriter } from './record-writer.ts';

type Change = (record: TakeoverRecord) => TakeoverRecord;

/**
 * The record of one takeover in the hands of one leader. What is noted on it is lost if that leader dies before it is
 * written, so it may be nothing but what the next one finds out by itself, without doing harm twice.
 */
export class Draft {
  readonly #term: LeaderTerm;
  readonly #writer: Pick<RecordWriter, 'save'>;
  #stored: StoredRecord;
  #record: TakeoverRecord;
  #changes: Change[] = [];
  #afterwards: ((record: TakeoverRecord) => void)[] = [];
  /** The writes under way, one after another. Never rejects. */
  #underWay: Promise<unknown> = Promise.resolve();
  #isUnderWay = false;

  constructor(term: LeaderTerm, stored: StoredRecord, writer: Pick<RecordWriter, 'save'>) {
    this.#term = term;
    this.#writer = writer;
    this.#stored = stored;
    this.#record = stored.record;
  }

  /** As it will be once all is written. */
  get record(): TakeoverRecord {
    return this.#record;
  }

  /** As it is on record. */
  get stored(): StoredRecord {
    return this.#stored;
  }

  get isWritten(): boolean {
    return this.#changes.length === 0 && !this.#isUnderWay;
  }

  /**
   * Goes into the next write.
   *
   * @param afterwards - Called with what is on record then.
   */
  note(change: Change, afterwards?: (record: TakeoverRecord) => void): void {
    this.#changes.push(change);
    this.#record = change(this.#record);
    if (afterwards !== undefined) this.#afterwards.push(afterwards);
  }

  /**
   * Writes what was noted, and `change`. What is there then may be another record: see {@link RecordWriter.save}. One write at a
   * time: what is noted while one is under way goes into the next.
   */
  async write(change?: Change, afterwards?: (record: TakeoverRecord) => void): Promise<void> {
    if (change !== undefined) this.note(change, afterwards);
    const writing = this.#underWay.then(() => this.#write());
    this.#underWay = writing.catch(() => undefined);
    await writing;
  }

  async #write(): Promise<void> {
    if (this.#changes.length === 0) return;
    const changes = this.#changes;
    const told = this.#afterwards;
    this.#changes = [];
    this.#afterwards = [];
    this.#isUnderWay = true;
    try {
      this.#stored = await this.#writer.save(this.#term, this.#stored, (record) => changed(record, changes));
    } catch (error) {
      this.#changes = [...changes, ...this.#changes];
      this.#afterwards = [...told, ...this.#afterwards];
      throw error;
    } finally {
      this.#isUnderWay = false;
    }
    this.#record = changed(this.#stored.record, this.#changes);
    for (const tell of told) tell(this.#stored.record);
  }
}

function changed(record: TakeoverRecord, changes: readonly Change[]): TakeoverRecord {
  return changes.reduce((before, change) => change(before), record);
}
