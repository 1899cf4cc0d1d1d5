// Every takeover record known in one term, and the questions that are asked of all of them together.
import { takeoverIdOf } from '../fleet/death-id.ts';
import type { StoredRecord } from './cluster.ts';
import { isAfter, occupiesNode, type TakeoverOrder, type TakeoverRecord, tookNothing } from './record.ts';

export class RecordBook {
  /** By takeover id. */
  readonly #stored = new Map<string, StoredRecord>();
  #opened = 0;

  /** In place of what was known under its id. */
  put(stored: StoredRecord): void {
    this.#stored.set(stored.record.id, stored);
  }

  forget(id: string): void {
    this.#stored.delete(id);
  }

  get(id: string): StoredRecord | undefined {
    return this.#stored.get(id);
  }

  all(): readonly StoredRecord[] {
    return [...this.#stored.values()];
  }

  /** Those whose takeovers go on. */
  running(): readonly StoredRecord[] {
    return this.all().filter(({ record }) => record.result === undefined);
  }

  /** The newest record of each node: what became of the ones before no longer matters. */
  latestByNode(): ReadonlyMap<string, StoredRecord> {
    const latest = new Map<string, StoredRecord>();
    for (const stored of this.#stored.values()) {
      const { node, openedAt } = stored.record;
      if ((latest.get(node.name)?.record.openedAt ?? '') < openedAt) latest.set(node.name, stored);
    }
    return latest;
  }

  /** The id for a takeover of this death, or undefined when it has had one that was not undone. */
  openTakeoverId(deathId: string): string | undefined {
    for (let undone = 0; ; undone++) {
      const id = takeoverIdOf(deathId, undone);
      const record = this.#stored.get(id)?.record;
      if (record === undefined || occupiesNode(record)) return id;
      if (record.result !== 'undone') return undefined;
    }
  }

  /** The takeover of a later death of the same node that took a pod of this uid along, if there is one. */
  laterWith(record: TakeoverRecord, podUid: string): string | undefined {
    const later = this.all().find(
      ({ record: one }) =>
        one.node.name === record.node.name &&
        one.id !== record.id &&
        isAfter(one, record) &&
        !tookNothing(one) &&
        one.pods.some(({ uid }) => uid === podUid),
    );
    return later?.record.id;
  }

  /** For the next takeover that is opened in a term. */
  nextOrder(epoch: number): TakeoverOrder {
    return { epoch, number: this.#opened++ };
  }

  /** Finished records that nobody needs any more, beyond the `kept` newest. */
  obsolete(kept: number, isNeeded: (record: TakeoverRecord) => boolean): readonly StoredRecord[] {
    const finished = this.all()
      .filter(({ record }) => record.result !== undefined && !isNeeded(record))
      .toSorted((a, b) => (a.record.closedAt ?? '').localeCompare(b.record.closedAt ?? ''));
    return finished.slice(0, Math.max(0, finished.length - kept));
  }
}
