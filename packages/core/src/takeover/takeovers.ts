// The takeovers of one term: each carried to its end by itself, and for each node one at a time that works on it.

import type { LeaderTerm } from '../term/leader-term.ts';
import { type Clock, sleep } from '../time/clock.ts';
import type { StoredRecord, UnreadableRecord } from './cluster.ts';
import type { TakeoverExecutor } from './executor.ts';
import { occupiesNode, type TakeoverRecord, waitsForProof } from './record.ts';
import type { RecordBook } from './records/record-book.ts';
import { RecordUnreadableError } from './records/record-writer.ts';
import { wordsOf } from './step.ts';
import type { TakeoverWitness } from './witness.ts';

export interface TakeoversOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly executor: TakeoverExecutor;
  readonly witness: TakeoverWitness;
  /** What becomes of each record is put into its place here. */
  readonly records: RecordBook;
  /** Told what fails, and that it no longer does. */
  readonly troubles: {
    failed(node: TakeoverRecord['node'], act: 'claim', error: string): void;
    over(node: string): void;
  };
  /** A record turned out to be none. */
  readonly onUnreadable: (found: UnreadableRecord) => void;
  /** What works on a node is another than before; `waits`: only for a proof, or for a brake to be released. */
  readonly onWork: (node: string, state: 'works' | 'waits' | 'over') => void;
  readonly onError: (where: string, error: unknown) => void;
}

const retryMs = 1_000;

/** One takeover under way. Once its node is removed or kept it only watches, and another may work on that node. */
interface Running {
  readonly node: string;
  /** Whether it works on its node still. */
  occupies: boolean;
  /** Whether it waits for a proof, which may take a human's time: nobody else waits for that. */
  waits: boolean;
  /** Whether a brake holds it, which may be a human's as well. */
  isHeld: boolean;
  /** Resolves once it doesn't any more. */
  readonly freed: Promise<void>;
  readonly free: () => void;
  over: Promise<void>;
}

export class Takeovers {
  readonly #options: TakeoversOptions;
  /** By record id. */
  readonly #running = new Map<string, Running>();
  /** The same by node: there may be as many who ask about one as there are takeovers. */
  readonly #byNode = new Map<string, Set<Running>>();
  /** What was last told of each node that is worked on. */
  readonly #told = new Map<string, 'works' | 'waits'>();

  constructor(options: TakeoversOptions) {
    this.#options = options;
  }

  /** Names of nodes that are being worked on. */
  get nodes(): readonly string[] {
    return [
      ...new Set([...this.#running.values()].flatMap(({ node, occupies }) => (occupies ? [node] : []))),
    ];
  }

  /** Names of nodes whose pods are still waited for, while nobody works on them any more. */
  get verifying(): readonly string[] {
    const nodes = [...this.#running.values()].flatMap(({ node, occupies }) => (occupies ? [] : [node]));
    return [...new Set(nodes)];
  }

  /** Whether a node is being worked on. */
  isOccupied(node: string): boolean {
    return this.#occupying(node).length > 0;
  }

  /** Whether the takeover under this id is under way, on record yet or not. */
  has(id: string): boolean {
    return this.#running.has(id);
  }

  /** To be called with each version of a record that is on record: a node becomes free when its takeover only watches. */
  noted({ record }: StoredRecord): void {
    const running = this.#running.get(record.id);
    if (running === undefined) return;
    running.waits = waitsForProof(record);
    if (!occupiesNode(record)) running.free();
    this.#tellWork(running.node);
  }

  /** To be called when brakes begin to hold a takeover, and when it works on: meanwhile it does nothing, for as long as it takes. */
  held(id: string, isHeld: boolean): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.isHeld = isHeld;
    this.#tellWork(running.node);
  }

  /** Opens a takeover, or goes on with one that is on record, after whatever works on the same node. */
  start(name: string, from: TakeoverRecord | StoredRecord): void {
    const { term, clock, executor, witness, records, troubles, onError } = this.#options;
    const id = 'record' in from ? from.record.id : from.id;
    const same = this.#running.get(id);
    const before = this.#occupying(name);
    const running = newlyRunning(name, !('record' in from) || occupiesNode(from.record));
    const work = async (): Promise<void> => {
      await same?.over;
      if (running.occupies) await Promise.all(before.map(({ freed }) => freed));
      try {
        const stored = 'record' in from ? from : await executor.open(term, from);
        records.put(stored);
        this.noted(stored);
        troubles.over(name);
        records.put(await executor.run(term, stored, witness));
      } catch (error) {
        if (error instanceof RecordUnreadableError) {
          this.#options.onUnreadable(error.found);
          return;
        }
        // The end of the term is everybody's business already; the next leader goes on from the record.
        if (term.remainingMs() > 0) {
          onError(`takeover of ${name}`, error);
          const { node } = 'record' in from ? from.record : from;
          troubles.failed(node, 'claim', wordsOf(error));
        }
        await sleep(clock, retryMs, term.signal);
      } finally {
        running.free();
        this.#end(id, running);
        this.#tellWork(name);
      }
    };
    if (same !== undefined) this.#end(id, same);
    this.#running.set(id, running);
    this.#byNode.set(name, (this.#byNode.get(name) ?? new Set()).add(running));
    this.#tellWork(name);
    running.over = work();
  }

  #end(id: string, running: Running): void {
    if (this.#running.get(id) === running) this.#running.delete(id);
    const others = this.#byNode.get(running.node);
    others?.delete(running);
    if (others?.size === 0) this.#byNode.delete(running.node);
  }

  #occupying(node: string): readonly Running[] {
    return [...(this.#byNode.get(node) ?? [])].filter(({ occupies }) => occupies);
  }

  #tellWork(name: string): void {
    const occupying = this.#occupying(name);
    const waits = occupying.every((running) => running.waits || running.isHeld);
    const state = occupying.length === 0 ? 'over' : waits ? 'waits' : 'works';
    if ((this.#told.get(name) ?? 'over') === state) return;
    if (state === 'over') this.#told.delete(name);
    else this.#told.set(name, state);
    this.#options.onWork(name, state);
  }

  /** Resolves once nothing is under way any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map(({ over }) => over));
  }
}

function newlyRunning(node: string, occupies: boolean): Running {
  const { promise, resolve } = Promise.withResolvers<void>();
  const running: Running = {
    node,
    occupies,
    waits: false,
    isHeld: false,
    freed: promise,
    free: () => {
      running.occupies = false;
      resolve();
    },
    over: Promise.resolve(),
  };
  if (!occupies) resolve();
  return running;
}
