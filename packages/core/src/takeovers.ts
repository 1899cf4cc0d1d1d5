// The takeovers of one term: each carried to its end by itself, one at a time for each node.
import { type Clock, sleep } from './clock.ts';
import type { LeaderTerm } from './election/leader-term.ts';
import type { StoredRecord } from './takeover/cluster.ts';
import type { TakeoverExecutor, TakeoverWitness } from './takeover/executor.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import type { RecordBook } from './takeover/record-book.ts';

export interface TakeoversOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly executor: TakeoverExecutor;
  readonly witness: TakeoverWitness;
  /** What becomes of each record is put into its place here. */
  readonly records: RecordBook;
  readonly onError: (where: string, error: unknown) => void;
}

const retryMs = 1_000;

export class Takeovers {
  readonly #options: TakeoversOptions;
  /** By node name. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: TakeoversOptions) {
    this.#options = options;
  }

  /** Names of nodes that are being taken over. */
  get nodes(): readonly string[] {
    return [...this.#running.keys()];
  }

  isRunning(node: string): boolean {
    return this.#running.has(node);
  }

  /** Opens a takeover, or goes on with one that is on record, after whatever is under way for the same node. */
  start(name: string, from: TakeoverRecord | StoredRecord): void {
    const { term, clock, executor, witness, records, onError } = this.#options;
    const before = this.#running.get(name);
    const work = async (): Promise<void> => {
      await before;
      try {
        const stored = 'record' in from ? from : await executor.open(term, from);
        records.put(stored);
        records.put(await executor.run(term, stored, witness));
      } catch (error) {
        // The end of the term is everybody's business already; the next leader goes on from the record.
        if (term.remainingMs() > 0) onError(`takeover of ${name}`, error);
        await sleep(clock, retryMs, term.signal);
      } finally {
        if (this.#running.get(name) === running) this.#running.delete(name);
      }
    };
    const running = work();
    this.#running.set(name, running);
  }

  /** Resolves once nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }
}
