// Puts what becomes of a takeover on record, against everything that can come between: no answer, other writers, other leaders.
import { isDeepStrictEqual } from 'node:util';
import type { LeaderTerm } from '../../term/leader-term.ts';
import type { Clock } from '../../time/clock.ts';
import type { StoredRecord, TakeoverCluster, UnreadableRecord } from '../cluster.ts';
import { pauseInTerm, retryAfterErrorMs } from '../pause.ts';
import { nextMove, type TakeoverRecord } from '../record.ts';
import { wordsOf } from '../step.ts';

/** The most between two attempts where something refuses each: as many again would be a flood that changes nothing. */
const longestPauseMs = 5_000;

/** Thrown when the record is in other hands: a newer leader works on it, or somebody deleted it. */
export class TakeoverTakenError extends Error {
  override readonly name = 'TakeoverTakenError';
  readonly code = 'LIBERATOR_TAKEOVER_TAKEN';
}

/** Thrown when what lies under the takeover's id can't be read. It stays as it is. */
export class RecordUnreadableError extends Error {
  override readonly name = 'RecordUnreadableError';
  readonly code = 'LIBERATOR_RECORD_UNREADABLE';
  /** What lies there. */
  readonly found: UnreadableRecord;

  constructor(found: UnreadableRecord) {
    super(`record ${found.name} can't be used: ${found.problem}`);
    this.found = found;
  }
}

export interface RecordWriterOptions {
  readonly cluster: Pick<TakeoverCluster, 'createRecord' | 'readRecord' | 'readUnreadable' | 'updateRecord'>;
  readonly clock: Clock;
  /** Called with each version of a record as it is on record now. */
  readonly onSaved: (stored: StoredRecord) => void;
  /** Called with why something failed, each time, before it is tried again. */
  readonly onRetry: (record: TakeoverRecord, detail: string) => void;
}

export class RecordWriter {
  readonly #options: RecordWriterOptions;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /**
   * Puts a new one there, or reads the one that somebody put there before.
   *
   * @throws {@link RecordUnreadableError} when something else lies under its id.
   */
  async open(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord> {
    const { cluster } = this.#options;
    const created = await cluster.createRecord(term, record);
    if (created !== 'exists') return created;
    const existing = await cluster.readRecord(term, record.id);
    if (existing === undefined) throw await this.#whyMissing(term, record);
    return existing;
  }

  /**
   * Writes what `change` makes of the record, conditional on what was read. After a conflict it makes the same of what is
   * there instead: a return writes what it knows of the node into the same record, and so may people. What is there is
   * returned unchanged when it is at another point by now, as after a write of ours whose answer was lost: the caller goes
   * on from that.
   */
  async save(
    term: LeaderTerm,
    opened: StoredRecord,
    change: (record: TakeoverRecord) => TakeoverRecord,
  ): Promise<StoredRecord> {
    const { cluster, clock, onSaved, onRetry } = this.#options;
    const { id } = opened.record;
    let seen = opened;
    let pauseMs = retryAfterErrorMs;
    for (;;) {
      const changed = { ...change(seen.record), epoch: term.epoch, leader: term.identity };
      const read = seen;
      const saved = await this.#retrying(term, changed, () => cluster.updateRecord(term, read, changed));
      if (saved !== 'conflict' && saved !== 'gone') {
        onSaved(saved);
        return saved;
      }
      const current = await this.#retrying(term, changed, () => cluster.readRecord(term, id));
      if (current === undefined) throw await this.#whyMissing(term, changed);
      if (current.record.epoch > term.epoch) {
        term.assertValid();
        throw new TakeoverTakenError(`record ${id} belongs to term ${current.record.epoch} now`);
      }
      onSaved(current);
      if (!isDeepStrictEqual(nextMove(current.record), nextMove(opened.record))) return current;
      if (current.resourceVersion === seen.resourceVersion) {
        // Nobody has written to it, so this is no race that the next write would win.
        onRetry(changed, `record ${id} can't be written, though nobody else writes to it`);
        await pauseInTerm(clock, term, pauseMs);
        pauseMs = Math.min(longestPauseMs, 2 * pauseMs);
      }
      seen = current;
    }
  }

  /** Somebody deleted it, or made something of it that is no record. */
  async #whyMissing(term: LeaderTerm, record: TakeoverRecord): Promise<Error> {
    const found = await this.#retrying(term, record, () =>
      this.#options.cluster.readUnreadable(term, record.id),
    );
    return found === undefined
      ? new TakeoverTakenError(`record ${record.id} was deleted`)
      : new RecordUnreadableError(found);
  }

  async #retrying<T>(term: LeaderTerm, record: TakeoverRecord, attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        term.assertValid();
        this.#options.onRetry(record, wordsOf(error));
        await pauseInTerm(this.#options.clock, term, retryAfterErrorMs);
      }
    }
  }
}
