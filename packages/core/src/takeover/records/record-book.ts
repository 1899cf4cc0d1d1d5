// The records of one term, for whoever writes to them: what they put in here, all others read.
import type { StoredRecord } from '../cluster.ts';
import type { TakeoverOrder, TakeoverRecord } from '../record.ts';
import {
  latestByNode,
  noRecords,
  obsoleteRecords,
  openTakeoverId,
  type Records,
  recordsOfNode,
  withoutRecord,
  withRecord,
} from './records.ts';

/** Who keeps the records: a world that is told of each change as of a fact. */
export interface RecordKeeper {
  readonly records: Records;
  put(stored: StoredRecord): void;
  forget(id: string): void;
}

export class RecordBook {
  readonly #keeper: RecordKeeper;
  #opened = 0;

  /** @param keeper - Default: nobody else knows what is in here. */
  constructor(keeper: RecordKeeper = new Shelf()) {
    this.#keeper = keeper;
  }

  /** Another one whenever something in here has changed. */
  get records(): Records {
    return this.#keeper.records;
  }

  /** See {@link withRecord}. */
  put(stored: StoredRecord): void {
    this.#keeper.put(stored);
  }

  forget(id: string): void {
    this.#keeper.forget(id);
  }

  get(id: string): StoredRecord | undefined {
    return this.records.stored.get(id);
  }

  all(): readonly StoredRecord[] {
    return [...this.records.stored.values()];
  }

  /** Names of nodes that have one. */
  nodes(): Iterable<string> {
    return this.records.byNode.keys();
  }

  ofNode(name: string): readonly StoredRecord[] {
    return recordsOfNode(this.records, name);
  }

  latestByNode(): ReadonlyMap<string, StoredRecord> {
    return latestByNode(this.records);
  }

  openTakeoverId(deathId: string, isTaken?: (id: string) => boolean): string | undefined {
    return openTakeoverId(this.records, deathId, isTaken);
  }

  /** For the next takeover that is opened in a term. */
  nextOrder(epoch: number): TakeoverOrder {
    return { epoch, number: this.#opened++ };
  }

  obsolete(kept: number, isNeeded: (record: TakeoverRecord) => boolean): readonly StoredRecord[] {
    return obsoleteRecords(this.records, kept, isNeeded);
  }
}

class Shelf implements RecordKeeper {
  records = noRecords;

  put(stored: StoredRecord): void {
    this.records = withRecord(this.records, stored);
  }

  forget(id: string): void {
    this.records = withoutRecord(this.records, id);
  }
}
