// A leader that only observes: it decides as any other, and tells what it would do. All that it is given of the cluster is a list
// of records and a place for Events, so there is nothing that it could write.
import type { DecisionChange, ObservedTakeover } from './controller-events.ts';
import { LeadersWords } from './leaders-words.ts';
import type { Leading } from './leading.ts';
import type { Decision } from './policy/decision.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import { SupposedTakeovers } from './supposed-takeover.ts';
import type {
  NodeEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
} from './takeover/cluster.ts';
import { occupiesNode } from './takeover/record.ts';
import { listRecords } from './takeover/records/list-records.ts';
import { noRecords, openTakeoverId, type Records } from './takeover/records/records.ts';
import { WorldWitness } from './takeover-witness.ts';
import type { ConfirmationChange, IgnoredConfirmation } from './telling/confirmations.ts';
import { EventRecorder } from './telling/event-recorder.ts';
import type { OmittedEvents } from './telling/omissions.ts';
import { whyTaken } from './telling/takeover-events.ts';
import type { NodeTrouble } from './telling/troubles.ts';
import type { LeaderTerm } from './term/leader-term.ts';
import type { Clock } from './time/clock.ts';
import type { Fact, Intent, TermKnowledge, World } from './world-state.ts';

/** What whoever only observes may ask of the cluster. */
export type ObservedCluster = Pick<TakeoverCluster, 'listRecords' | 'publishEvent'>;

/** Nothing else of it can be reached through what this returns. */
export function observedCluster(cluster: TakeoverCluster): ObservedCluster {
  return {
    listRecords: (term) => cluster.listRecords(term),
    publishEvent: (term, event, write) => cluster.publishEvent(term, event, write),
  };
}

export interface ObservingOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  /** As it is at the moment of the call. */
  readonly world: () => World;
  readonly inform: (fact: Fact) => void;
  readonly cluster: ObservedCluster;
  readonly onDecision: (change: DecisionChange) => void;
  readonly onObserved: (takeover: ObservedTakeover) => void;
  readonly onOmitted: (omitted: OmittedEvents) => void;
  readonly onIgnoredConfirmation: (change: ConfirmationChange) => void;
  readonly onSetAside: (record: UnreadableRecord) => void;
  readonly onError: (where: string, error: unknown) => void;
}

/** How often it is read anew what others, who act, have on record. */
const rereadEveryMs = 60_000;

export class Observing implements Leading {
  readonly #options: ObservingOptions;
  readonly #witness: WorldWitness;
  readonly #words: LeadersWords;
  readonly #recorder: EventRecorder;
  readonly #supposed = new SupposedTakeovers();
  /** Ids of records that others wrote. */
  #others = new Set<string>();
  /** Names of nodes that others work on. */
  #occupied = new Set<string>();
  #setAside: readonly UnreadableRecord[] = [];
  #rereadAt = Number.POSITIVE_INFINITY;
  #reading: Promise<void> | undefined;

  readonly claimedTakeovers: readonly string[] = [];
  readonly verifyingTakeovers: readonly string[] = [];
  readonly troubles: ReadonlyMap<string, NodeTrouble> = new Map();

  constructor(options: ObservingOptions) {
    this.#options = options;
    const { term, clock, cluster, world, inform, onError } = options;
    inform({ kind: 'term', epoch: term.epoch });
    const now = (): number => clock.now();
    this.#witness = new WorldWitness({ world, now });
    this.#recorder = new EventRecorder({
      cluster,
      clock,
      term,
      onError: (error) => onError('events', error),
      onOmitted: options.onOmitted,
    });
    this.#words = new LeadersWords({
      world,
      now,
      publish: (event) => this.publish(event),
      isUndecided: (node) => this.isUndecided(node),
      onDecision: options.onDecision,
      onIgnoredConfirmation: options.onIgnoredConfirmation,
    });
  }

  publish(event: NodeEvent): void {
    this.#recorder.publish({ ...event, message: `observing only: ${event.message}` });
  }

  get supposedTakeovers(): readonly string[] {
    return this.#supposed.nodes;
  }

  get decisions(): ReadonlyMap<string, Decision> {
    return this.#knowledge?.decisions ?? new Map();
  }

  get recordsSetAside(): readonly UnreadableRecord[] {
    return this.#setAside;
  }

  holdsOn(node: FleetNode): readonly string[] {
    return this.#witness.holdsOn(node);
  }

  isUndecided({ deathId }: FleetNode): boolean {
    return openTakeoverId(this.#records, deathId) !== undefined;
  }

  ignoredConfirmationOn(node: FleetNode): IgnoredConfirmation | undefined {
    return this.#words.ignoredConfirmationOn(node);
  }

  /** What others did, or do, is known to it as to any leader; it goes on with nothing of that. */
  async takeUp(): Promise<void> {
    const listing = await listRecords(this.#options);
    if (listing !== undefined) this.#note(listing);
  }

  perform(intent: Intent): void {
    const { term, clock, inform } = this.#options;
    if (term.remainingMs() <= 0) return;
    if (intent.kind === 'decided') this.#words.decided(intent);
    if (intent.kind === 'health') {
      const over = this.#supposed.seen(intent);
      if (over !== undefined) inform(over);
    }
    if (intent.kind !== 'take-over' || this.#knowledge === undefined) return;
    const openedAt = new Date(clock.wallTime()).toISOString();
    for (const fact of this.#supposed.begin(intent, this.#knowledge, openedAt)) inform(fact);
    this.#tellTakeover(intent);
  }

  /** Nothing was taken over, so nobody is taken in again; but others may have gone on meanwhile. */
  attendReturns(): void {
    const { term, clock, cluster, onError } = this.#options;
    if (this.#reading !== undefined || clock.now() < this.#rereadAt || term.remainingMs() <= 0) return;
    this.#rereadAt = clock.now() + rereadEveryMs;
    this.#reading = cluster
      .listRecords(term)
      .then((listing) => {
        if (term.remainingMs() > 0) this.#note(listing);
      })
      .catch((error: unknown) => {
        if (term.remainingMs() > 0) onError('takeover records', error);
      })
      .finally(() => {
        this.#reading = undefined;
      });
  }

  tell(blind: readonly string[]): void {
    if (this.#options.term.remainingMs() > 0) this.#words.look(blind);
  }

  async settled(): Promise<void> {
    await this.#reading;
  }

  get #knowledge(): TermKnowledge | undefined {
    return this.#options.world().term;
  }

  get #records(): Records {
    return this.#knowledge?.records ?? noRecords;
  }

  #note({ records, unreadable }: RecordListing): void {
    const { clock, inform, onSetAside } = this.#options;
    this.#rereadAt = clock.now() + rereadEveryMs;
    for (const stored of records) this.#noteRecord(stored);
    const there = new Set(records.map(({ record }) => record.id));
    for (const id of without(this.#others, there)) inform({ kind: 'record-gone', id });
    this.#others = there;
    this.#noteWork(records);
    const before = new Set(this.#setAside.map(({ name }) => name));
    if (unreadable.length + before.size > 0) inform({ kind: 'set-aside', records: unreadable });
    this.#setAside = unreadable;
    for (const one of unreadable) if (!before.has(one.name)) onSetAside(one);
  }

  #noteRecord(stored: StoredRecord): void {
    const { inform } = this.#options;
    const { id } = stored.record;
    if (this.#records.stored.get(id)?.resourceVersion === stored.resourceVersion) return;
    const supposed = this.#supposed.replacedBy(stored, this.#records);
    if (supposed !== undefined && supposed !== id) inform({ kind: 'record-gone', id: supposed });
    inform({ kind: 'record', stored });
  }

  /** Whoever is taken over by others takes no place among ours, and is not taken over once more. */
  #noteWork(records: readonly StoredRecord[]): void {
    const { inform } = this.#options;
    const occupied = new Set(
      records.flatMap(({ record }) => (occupiesNode(record) ? [record.node.name] : [])),
    );
    for (const node of without(occupied, this.#occupied)) inform({ kind: 'work', node, state: 'waits' });
    for (const node of without(this.#occupied, occupied)) inform({ kind: 'work', node, state: 'over' });
    this.#occupied = occupied;
  }

  #tellTakeover({ node, decision }: Extract<Intent, { kind: 'take-over' }>): void {
    const { name, uid } = node.node.metadata;
    const { deathId, policy, assessment } = node;
    const reasons = assessment?.reasons ?? [];
    this.#options.onObserved({ node: name, uid, deathId, policy: policy?.name ?? '', reasons, decision });
    const why = whyTaken(assessment?.hungSince === undefined ? {} : { hung: true });
    const message = `would be taken over by policy ${policy?.name}: ${why}: ${reasons.join(', ')} (death ${deathId})`;
    this.publish({ type: 'Warning', reason: 'WouldTakeOver', message, node: { name, uid } });
  }
}

function without(some: ReadonlySet<string>, others: ReadonlySet<string>): readonly string[] {
  return [...some].filter((one) => !others.has(one));
}
