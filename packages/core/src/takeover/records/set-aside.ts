// Records that can't be used: they stop nothing but themselves, are told, and stay as they are until somebody mends them. The
// look for that also finds those that somebody else has put there since the term began.

import type { FleetNode } from '../../policy/fleet-node.ts';
import type { LeaderTerm } from '../../term/leader-term.ts';
import type { Clock } from '../../time/clock.ts';
import type { NodeEvent, StoredRecord, TakeoverCluster, UnreadableRecord } from '../cluster.ts';
import { byOrder } from '../record.ts';
import { recordIdIn, recordName } from './names.ts';
import type { RecordBook } from './record-book.ts';

export interface SetAsideOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly cluster: Pick<TakeoverCluster, 'listRecords' | 'readRecord' | 'readUnreadable'>;
  readonly nodeNamed: (name: string) => FleetNode | undefined;
  readonly records: RecordBook;
  readonly publish: (event: NodeEvent) => void;
  /** Called once for each, and again when something else is wrong with it. */
  readonly onSetAside: (record: UnreadableRecord) => void;
  /** All of them, whenever there are others than before. */
  readonly onChange: (all: readonly UnreadableRecord[]) => void;
  /** Whether a takeover is under way under this id: its record is ours, and known once the API server has answered. */
  readonly isUnderWay: (id: string) => boolean;
  /** Somebody mended one, or put one there. */
  readonly onReadable: (stored: StoredRecord) => void;
  readonly onError: (error: unknown) => void;
}

/** How often to look whether somebody has mended or removed what was set aside. */
const lookAgainMs = 60_000;

/**
 * How often to look where nothing is set aside. Records come from others, too: out of a backup, by hand, or as the last write
 * of an earlier leader that was long on its way. Nobody waits for them, and each look reads all there are.
 */
const lookForOthersMs = 600_000;

/** What one leader has set aside in its term. */
export class SetAside {
  readonly #options: SetAsideOptions;
  /** By the name of the object that holds it. */
  readonly #found = new Map<string, UnreadableRecord>();
  /** Those that an Event on their node has told of. */
  readonly #told = new Set<string>();
  #lookAgainAt: number;
  #looking: Promise<void> | undefined;

  constructor(options: SetAsideOptions) {
    this.#options = options;
    this.#lookAgainAt = options.clock.now() + lookForOthersMs;
  }

  get all(): readonly UnreadableRecord[] {
    return [...this.#found.values()];
  }

  /** Whether one lies under this takeover id. */
  has(id: string): boolean {
    return this.#found.has(recordName(id));
  }

  add(found: UnreadableRecord): void {
    const { clock, records, onSetAside } = this.#options;
    const known = this.#found.get(found.name);
    this.#found.set(found.name, found);
    this.#options.onChange(this.all);
    this.#lookAgainAt = Math.min(this.#lookAgainAt, clock.now() + lookAgainMs);
    // It may have been a record once, in this very term.
    for (const { record } of records.all())
      if (recordName(record.id) === found.name) records.forget(record.id);
    if (known?.problem === found.problem && known.kind === found.kind) return;
    this.#told.delete(found.name);
    onSetAside(found);
  }

  /** To be called at every look: tells of them on their nodes, and sees now and then what others did to the records. */
  attend(): void {
    const { clock, term } = this.#options;
    for (const found of this.#found.values()) this.#tell(found);
    if (this.#looking !== undefined || clock.now() < this.#lookAgainAt || term.remainingMs() <= 0) return;
    this.#lookAgainAt = clock.now() + (this.#found.size === 0 ? lookForOthersMs : lookAgainMs);
    this.#looking = this.#lookAgain().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Resolves once nothing is being looked at any more. */
  async settled(): Promise<void> {
    await this.#looking;
  }

  #tell({ name, node, problem, kind }: UnreadableRecord): void {
    const there = this.#options.nodeNamed(node ?? '');
    if (there === undefined || this.#told.has(name)) return;
    this.#told.add(name);
    const advice =
      kind === 'newer'
        ? 'the node is not taken over while it is there: run the version that wrote it, or delete it'
        : 'it is left as it is: repair it, or delete it once nothing of it is needed';
    this.#options.publish({
      type: 'Warning',
      reason: 'RecordSetAside',
      message: `record ${name} of a takeover of this node is set aside: ${problem}; ${advice}`,
      node: { name: there.node.metadata.name, uid: there.node.metadata.uid },
    });
  }

  async #lookAgain(): Promise<void> {
    const { cluster, term, records: book, isUnderWay, onReadable, onError } = this.#options;
    try {
      const { records, unreadable } = await cluster.listRecords(term);
      const before = [...this.#found.keys()];
      const still = new Set(unreadable.map(({ name }) => name));
      for (const name of before) {
        if (still.has(name)) continue;
        // What lacks the label of records is in no list of them, and in the way of one all the same, or one once more.
        const id = recordIdIn(name);
        if (id !== undefined && (await cluster.readUnreadable(term, id)) !== undefined) continue;
        const listed = records.find(({ record }) => recordName(record.id) === name);
        const mended = listed ?? (id === undefined ? undefined : await cluster.readRecord(term, id));
        this.#found.delete(name);
        this.#options.onChange(this.all);
        this.#told.delete(name);
        if (mended !== undefined) onReadable(mended);
      }
      for (const one of unreadable) this.add(one);
      for (const stored of records.toSorted((a, b) => byOrder(a.record, b.record))) {
        const { id } = stored.record;
        // One of ours that was pruned since the list was made comes back like this, and is pruned once more.
        if (book.get(id) === undefined && !isUnderWay(id)) onReadable(stored);
      }
    } catch (error) {
      if (term.remainingMs() > 0) onError(error);
    }
  }
}
