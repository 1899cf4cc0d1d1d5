// Every takeover record known in one term, and the questions that are asked of all of them together.
import { takeoverIdOf, takeoverNumberOf } from '../../evidence/death-id.ts';
import type { StoredRecord } from '../cluster.ts';
import { byOrder, occupiesNode, type TakeoverOrder, type TakeoverRecord, tookNothing } from '../record.ts';

export class RecordBook {
  /** By takeover id. */
  readonly #stored = new Map<string, StoredRecord>();
  readonly #byNode = new Index();
  readonly #byDeath = new Index();
  #opened = 0;
  #changes = 0;

  /** Grows whenever something in here changes. */
  get changes(): number {
    return this.#changes;
  }

  /** In place of what was known under its id, unless that was newer: two who write one record may both put it here. */
  put(stored: StoredRecord): void {
    const { id, node, deathId } = stored.record;
    const known = this.#stored.get(id);
    if (known !== undefined && isOlder(stored, known)) return;
    this.forget(id);
    this.#stored.set(id, stored);
    this.#byNode.add(node.name, id);
    this.#byDeath.add(deathId, id);
    this.#changes++;
  }

  forget(id: string): void {
    const known = this.#stored.get(id);
    if (known === undefined) return;
    this.#stored.delete(id);
    this.#byNode.remove(known.record.node.name, id);
    this.#byDeath.remove(known.record.deathId, id);
    this.#changes++;
  }

  get(id: string): StoredRecord | undefined {
    return this.#stored.get(id);
  }

  all(): readonly StoredRecord[] {
    return [...this.#stored.values()];
  }

  /** Those whose takeovers go on, in the order in which they were opened. */
  running(): readonly StoredRecord[] {
    return this.all()
      .filter(({ record }) => record.result === undefined)
      .toSorted((a, b) => byOrder(a.record, b.record));
  }

  /** Names of nodes that have one. */
  nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  /** Those of a node, in the order in which they were opened. */
  ofNode(name: string): readonly StoredRecord[] {
    return this.#those(this.#byNode.get(name)).toSorted((a, b) => byOrder(a.record, b.record));
  }

  /** The record of each node that was opened last. */
  latestByNode(): ReadonlyMap<string, StoredRecord> {
    const latest = new Map<string, StoredRecord>();
    for (const stored of this.#stored.values()) {
      const { name } = stored.record.node;
      const known = latest.get(name);
      if (known === undefined || byOrder(known.record, stored.record) < 0) latest.set(name, stored);
    }
    return latest;
  }

  /**
   * The id for a takeover of this death, or undefined when it has had one that was not undone.
   *
   * @param isTaken - Whether something lies under an id that is no record in here.
   */
  openTakeoverId(deathId: string, isTaken: (id: string) => boolean = () => false): string | undefined {
    let undone = 0;
    for (const { record } of this.#those(this.#byDeath.get(deathId))) {
      if (occupiesNode(record)) return record.id;
      if (record.result !== 'undone') return undefined;
      undone = Math.max(undone, takeoverNumberOf(record));
    }
    // Earlier ones may be pruned by now: the next one goes by the last.
    while (isTaken(takeoverIdOf(deathId, undone))) undone++;
    return takeoverIdOf(deathId, undone);
  }

  /** The takeover of the same death that was opened after this one, if there is one: this record could not be read then. */
  successorOf(record: TakeoverRecord): string | undefined {
    const successor = this.ofNode(record.node.name).find(
      ({ record: one }) => one.deathId === record.deathId && byOrder(one, record) > 0 && !tookNothing(one),
    );
    return successor?.record.id;
  }

  /** The takeover of a later death of the same node that took a pod of this uid along, if there is one. */
  laterWith(record: TakeoverRecord, podUid: string): string | undefined {
    const later = this.ofNode(record.node.name).find(
      ({ record: one }) =>
        byOrder(one, record) > 0 && !tookNothing(one) && one.pods.some(({ uid }) => uid === podUid),
    );
    return later?.record.id;
  }

  /** For the next takeover that is opened in a term. */
  nextOrder(epoch: number): TakeoverOrder {
    return { epoch, number: this.#opened++ };
  }

  /** Finished records that nobody needs any more, beyond the `kept` newest; the oldest first. */
  obsolete(kept: number, isNeeded: (record: TakeoverRecord) => boolean): readonly StoredRecord[] {
    const finished = this.all().filter(({ record }) => record.result !== undefined && !isNeeded(record));
    if (finished.length <= kept) return [];
    return finished.toSorted((a, b) => byOrder(a.record, b.record)).slice(0, finished.length - kept);
  }

  #those(ids: Iterable<string>): StoredRecord[] {
    return [...ids].flatMap((id) => this.#stored.get(id) ?? []);
  }
}

/** Ids by something that several may have in common. */
class Index {
  readonly #ids = new Map<string, Set<string>>();

  keys(): Iterable<string> {
    return this.#ids.keys();
  }

  get(key: string): Iterable<string> {
    return this.#ids.get(key) ?? [];
  }

  add(key: string, id: string): void {
    const ids = this.#ids.get(key) ?? new Set();
    this.#ids.set(key, ids.add(id));
  }

  remove(key: string, id: string): void {
    const ids = this.#ids.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#ids.delete(key);
  }
}

/**
 * Versions of one object are numbers that only grow, which Kubernetes has always held and promises since 1.35. Where they
 * are anything else, the one that comes last counts.
 */
function isOlder({ resourceVersion: one }: StoredRecord, { resourceVersion: other }: StoredRecord): boolean {
  const numbers = /^\d+$/;
  return numbers.test(one) && numbers.test(other) && BigInt(one) < BigInt(other);
}
