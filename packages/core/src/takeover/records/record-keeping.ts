// Keeps the records of finished takeovers few, and what they remember of people's marks young: in the background, one write
// at a time, and never before the leader has looked at its nodes.

import type { FleetNode } from '../../policy/fleet-node.ts';
import type { LeaderTerm } from '../../term/leader-term.ts';
import type { Clock } from '../../time/clock.ts';
import type { StoredRecord, TakeoverCluster } from '../cluster.ts';
import { judgeOf, pastOf } from '../node-past.ts';
import { byOrder, type TakeoverRecord } from '../record.ts';
import { isUnanswered } from '../step.ts';
import { tellsOfUnprovenDeath } from '../unproven-deaths.ts';
import type { RecordBook } from './record-book.ts';

export interface RecordKeepingOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly cluster: Pick<TakeoverCluster, 'readRecord' | 'updateRecord' | 'deleteRecord'>;
  /** By name. */
  readonly nodes: () => Pick<ReadonlyMap<string, FleetNode>, 'get' | 'has' | 'size'>;
  readonly records: RecordBook;
  /** See {@link ReturnRules.keepsakeMs}. */
  readonly keepsakeMs: number;
  readonly onError: (error: unknown) => void;
}

/** Finished records that nobody needs are removed beyond this many, those that were opened first before the others. */
const keptRecords = 50;

/** How often to look when no record has changed: nodes come and go, and keepsakes age. */
const lookEveryMs = 60_000;

/** How often the age of a keepsake is written down. What a term had not written when it ended is not counted. */
const ageStepMs = 3_600_000;

/** After a round in which something failed, and twice as long after each further one, up to the longest. */
const retryMs = 10_000;
const longestRetryMs = 600_000;

type Task = () => Promise<void>;

/** The record keeping of one term. */
export class RecordKeeping {
  readonly #options: RecordKeepingOptions;
  /** Since when each record with a keepsake is known to wait for its node, or since its age was last written down. */
  readonly #agingSince = new Map<string, number>();
  /** What was there when it was last looked at. */
  #seen: RecordBook['records'] | undefined;
  #nextLookAt = Number.NEGATIVE_INFINITY;
  #retryAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #working: Promise<void> | undefined;

  constructor(options: RecordKeepingOptions) {
    this.#options = options;
  }

  /** To be called at every look, and never waited for. */
  tend(): void {
    const { clock, term, records, nodes } = this.#options;
    const now = clock.now();
    if (this.#working !== undefined || now < this.#retryAt || term.remainingMs() <= 0) return;
    // Nodes that were never seen are not nodes that are gone.
    if (nodes().size === 0) return;
    if (records.records === this.#seen && now < this.#nextLookAt) return;
    this.#seen = records.records;
    this.#nextLookAt = now + lookEveryMs;
    const tasks = [...this.#prunings(), ...this.#agings(now)];
    if (tasks.length === 0) return;
    this.#working = this.#work(tasks).finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves once nothing is being written any more. */
  async settled(): Promise<void> {
    await this.#working;
  }

  /** What is refused for one record keeps no other from its turn. */
  async #work(tasks: readonly Task[]): Promise<void> {
    const { term, clock, onError } = this.#options;
    let failure: { readonly error: unknown } | undefined;
    for (const task of tasks) {
      if (term.remainingMs() <= 0) return;
      try {
        await task();
      } catch (error) {
        failure ??= { error };
        // With nobody there to answer, the rest is in vain.
        if (isUnanswered(error)) break;
      }
    }
    if (failure === undefined) {
      this.#failures = 0;
      return;
    }
    // Until it is tried again there are a few records too many.
    this.#retryAt = clock.now() + Math.min(longestRetryMs, retryMs * 2 ** this.#failures++);
    this.#seen = undefined;
    if (term.remainingMs() > 0) onError(failure.error);
  }

  #prunings(): readonly Task[] {
    const { cluster, term, records } = this.#options;
    const needed = this.#needed();
    return records
      .obsolete(keptRecords, ({ id }) => needed.has(id))
      .map((old) => async () => {
        const outcome = await cluster.deleteRecord(term, old);
        // Somebody wrote to it meanwhile: what it says now is looked at with the rest.
        if (outcome === 'conflict') await this.#readAgain(old);
        else records.forget(old.record.id);
      });
  }

  /**
   * Ids of those that alone tell how to take a node in again, that its death has had its takeover, or that it counts towards
   * the budget, however long its Node has been gone. There are a few a node that is there, and of nodes that are gone no
   * more than died without proof in the last window: see {@link tellsOfUnprovenDeath}.
   */
  #needed(): ReadonlySet<string> {
    const { nodes, records } = this.#options;
    const there = nodes();
    const needed = new Set<string>();
    for (const { record } of records.latestByNode().values()) {
      if (tellsOfUnprovenDeath(record)) needed.add(record.id);
    }
    for (const name of records.nodes()) {
      const deathId = there.get(name)?.deathId;
      if (deathId === undefined) continue;
      const all = records.ofNode(name);
      const past = pastOf(all);
      const marked = past.open.filter(({ record }) => record.outOfService === true);
      const ofDeath = all.findLast(({ record }) => record.deathId === deathId);
      for (const one of [judgeOf(past), ofDeath, ...marked]) if (one !== undefined) needed.add(one.record.id);
    }
    return needed;
  }

  #agings(now: number): readonly Task[] {
    const waiting = this.#options.records.all().filter(({ record }) => this.#isAging(record));
    const ids = new Set(waiting.map(({ record }) => record.id));
    for (const id of this.#agingSince.keys()) if (!ids.has(id)) this.#agingSince.delete(id);
    return waiting
      .toSorted((a, b) => byOrder(a.record, b.record))
      .flatMap((stored) => {
        const since = this.#agingSince.get(stored.record.id) ?? now;
        this.#agingSince.set(stored.record.id, since);
        return now - since < ageStepMs ? [] : [() => this.#age(stored, now, now - since)];
      });
  }

  /** Only a Node that is away can come back under another uid, which is when the keepsake would be put back. */
  #isAging({ keepsake, result, return: returned, node }: TakeoverRecord): boolean {
    if (keepsake === undefined || result === undefined || returned?.welcomed === true) return false;
    return !this.#options.nodes().has(node.name);
  }

  /** No wall clock says how old it is: it ages by what leaders saw go by, one after another. */
  async #age(stored: StoredRecord, now: number, byMs: number): Promise<void> {
    const { cluster, term, records, keepsakeMs } = this.#options;
    const { keepsake, ...rest } = stored.record;
    const keepsakeAgeMs = Math.round((stored.record.keepsakeAgeMs ?? 0) + byMs);
    const young = keepsake !== undefined && keepsakeAgeMs < keepsakeMs;
    const aged = { ...rest, ...(young && { keepsake }), keepsakeAgeMs };
    const saved = await cluster.updateRecord(term, stored, aged);
    if (saved === 'gone') records.forget(stored.record.id);
    else if (saved === 'conflict') await this.#readAgain(stored);
    else {
      this.#agingSince.set(stored.record.id, now);
      records.put(saved);
    }
  }

  async #readAgain({ record }: StoredRecord): Promise<void> {
    const { cluster, term, records } = this.#options;
    const there = await cluster.readRecord(term, record.id);
    if (there === undefined) records.forget(record.id);
    else records.put(there);
  }
}
