// What a leader does in its term: it carries takeovers to their end, takes in who comes back, and tells people.

import type { DecisionChange } from './controller-events.ts';
import type { NotedNode } from './evidence/noted-node.ts';
import type { NodeProbe } from './evidence/witnesses/prober.ts';
import { DeviceQueue } from './fencing/device-queue.ts';
import type { Node } from './kubernetes/objects.ts';
import { LeadersWords } from './leaders-words.ts';
import type { Leading } from './leading.ts';
import type { Decision } from './policy/decision.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import { Returns } from './returning/attendance.ts';
import type { ReturnRules } from './returning/moves.ts';
import { Returner, type ReturnProgress } from './returning/returner.ts';
import type { NodeEvent, StoredRecord, TakeoverCluster, UnreadableRecord } from './takeover/cluster.ts';
import {
  TakeoverExecutor,
  type TakeoverExecutorOptions,
  type TakeoverProgress,
} from './takeover/executor.ts';
import { openingRecord } from './takeover/opening.ts';
import { PowerOn } from './takeover/power-on.ts';
import { byOrder, occupiesNode, type TakeoverRecord } from './takeover/record.ts';
import { listRecords } from './takeover/records/list-records.ts';
import { newerRecordAbout } from './takeover/records/newer-records.ts';
import { PassedWindows } from './takeover/records/passed-windows.ts';
import { RecordBook } from './takeover/records/record-book.ts';
import { RecordKeeping } from './takeover/records/record-keeping.ts';
import { noRecords } from './takeover/records/records.ts';
import { SetAside } from './takeover/records/set-aside.ts';
import { StorageBack } from './takeover/storage-back.ts';
import { Takeovers } from './takeover/takeovers.ts';
import { WorldWitness } from './takeover-witness.ts';
import type { ConfirmationChange, IgnoredConfirmation } from './telling/confirmations.ts';
import { EventRecorder } from './telling/event-recorder.ts';
import type { OmittedEvents } from './telling/omissions.ts';
import { eventFor } from './telling/takeover-events.ts';
import { type NodeTrouble, type TroubleChange, Troubles } from './telling/troubles.ts';
import type { LeaderTerm } from './term/leader-term.ts';
import type { Clock } from './time/clock.ts';
import type { Fact, Intent, TermKnowledge, World } from './world-state.ts';

export interface LeadershipOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  /** As it is at the moment of the call. */
  readonly world: () => World;
  /** What the leader does becomes known by this alone. */
  readonly inform: (fact: Fact) => void;
  readonly cluster: TakeoverCluster;
  readonly fencers: ConstructorParameters<typeof TakeoverExecutor>[0]['fencers'];
  /** See {@link TakeoverExecutorOptions.handOver}. */
  readonly handOver?: NonNullable<TakeoverExecutorOptions['handOver']>;
  /** Whose turn it is at devices that machines share. Default: one queue for this leadership. */
  readonly devices?: DeviceQueue;
  /** Asks the host of a Node that was deleted under its takeover. */
  readonly probe?: NodeProbe;
  /** How storage knows a node, as it was while the node lived. Absent: no fencer has to know. */
  readonly storageOf?: (node: Node) => NotedNode['storage'];
  readonly onDecision: (change: DecisionChange) => void;
  readonly onProgress: (progress: TakeoverProgress) => void;
  readonly returnRules: ReturnRules;
  readonly onReturn: (progress: ReturnProgress) => void;
  /** Events that had to be left out. */
  readonly onOmitted?: (omitted: OmittedEvents) => void;
  /** What fails again and again. */
  readonly onTrouble?: (change: TroubleChange) => void;
  /** What a human said of another death. */
  readonly onIgnoredConfirmation?: (change: ConfirmationChange) => void;
  readonly onSetAside: (record: UnreadableRecord) => void;
  readonly onError: (where: string, error: unknown) => void;
}

/** One leadership. Made anew for every term, so nothing of an old one survives into the next. */
export class Leadership implements Leading {
  readonly #options: LeadershipOptions;
  readonly #records: RecordBook;
  readonly #witness: WorldWitness;
  readonly #passedWindows: PassedWindows;
  readonly #takeovers: Takeovers;
  readonly #powerOn: PowerOn;
  readonly #returns: Returns;
  readonly #troubles: Troubles;
  readonly #words: LeadersWords;
  readonly #setAside: SetAside;
  readonly #keeping: RecordKeeping;
  readonly #recorder: EventRecorder;

  /** It takes over, and supposes nothing. */
  readonly supposedTakeovers: readonly string[] = [];

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const { term, cluster, clock, fencers, world, inform, onError } = options;
    inform({ kind: 'term', epoch: term.epoch });
    const knowledge = (): TermKnowledge | undefined => world().term;
    const nodeNamed = (name: string): FleetNode | undefined => world().ledger.nodes.get(name);
    this.#records = new RecordBook({
      get records() {
        return knowledge()?.records ?? noRecords;
      },
      put: (stored) => inform({ kind: 'record', stored }),
      forget: (id) => inform({ kind: 'record-gone', id }),
    });
    this.#witness = new WorldWitness({ world, now: () => clock.now() });
    const recorder = new EventRecorder({
      cluster,
      clock,
      term,
      onError: (error) => onError('events', error),
      ...(options.onOmitted && { onOmitted: options.onOmitted }),
    });
    this.#passedWindows = new PassedWindows({ term, clock, cluster, records: this.#records, onError });
    this.#recorder = recorder;
    const publish = (event: NodeEvent): void => this.publish(event);
    const now = (): number => clock.now();
    this.#troubles = new Troubles({ now, publish, onChange: (change) => options.onTrouble?.(change) });
    this.#words = new LeadersWords({
      world,
      now,
      publish,
      isUndecided: (node) => this.isUndecided(node),
      onDecision: options.onDecision,
      onIgnoredConfirmation: (change) => options.onIgnoredConfirmation?.(change),
    });
    this.#setAside = new SetAside({
      term,
      clock,
      cluster,
      nodeNamed,
      records: this.#records,
      publish,
      onChange: (records) => inform({ kind: 'set-aside', records }),
      onSetAside: options.onSetAside,
      isUnderWay: (id) => this.#takeovers.has(id),
      onReadable: (stored) => this.#takeOn(stored),
      onError: (error) => onError('takeover records', error),
    });
    this.#keeping = new RecordKeeping({
      term,
      clock,
      cluster,
      nodes: () => world().ledger.nodes,
      records: this.#records,
      keepsakeMs: options.returnRules.keepsakeMs,
      onError: (error) => onError('takeover records', error),
    });
    const onProgress = (progress: TakeoverProgress): void => {
      options.onProgress(progress);
      const event = eventFor(progress);
      if (event !== undefined) publish(event);
      this.#noteTrouble(progress);
    };
    const { devices = new DeviceQueue() } = options;
    const named = new Map(fencers.map((fencer) => [fencer.name, fencer]));
    this.#takeovers = new Takeovers({
      term,
      clock,
      onError,
      records: this.#records,
      troubles: this.#troubles,
      onUnreadable: (found) => this.#setAside.add(found),
      witness: this.#witness,
      onWork: (node, state) => inform({ kind: 'work', node, state }),
      executor: new TakeoverExecutor({
        cluster,
        clock,
        fencers,
        devices,
        ...(options.handOver && { handOver: options.handOver }),
        ...(options.probe && { probe: options.probe }),
        onSaved: (stored) => {
          this.#records.put(stored);
          this.#takeovers.noted(stored);
        },
        onHeld: (id, isHeld) => this.#takeovers.held(id, isHeld),
        onProgress,
      }),
    });
    this.#powerOn = new PowerOn({
      term,
      clock,
      cluster,
      records: this.#records,
      fencers: named,
      devices,
      onProgress,
      onError,
    });
    this.#returns = new Returns({
      term,
      clock,
      nodeNamed,
      onError,
      records: this.#records,
      troubles: this.#troubles,
      isBusy: (name) =>
        this.#takeovers.isOccupied(name) || newerRecordAbout(this.#setAside.all, name) !== undefined,
      returner: new Returner({
        cluster,
        clock,
        rules: options.returnRules,
        onProgress: options.onReturn,
        publish,
        storage: new StorageBack({
          clock,
          fencers: named,
          devices,
          ...(cluster.customResources && { resources: cluster.customResources }),
        }),
      }),
    });
  }

  /** Names of nodes that are being worked on. */
  get runningTakeovers(): readonly string[] {
    return this.#takeovers.nodes;
  }

  /** Names of nodes that are removed or kept, while pods of theirs are still waited for. */
  get verifyingTakeovers(): readonly string[] {
    return this.#takeovers.verifying;
  }

  /** Those of them that are on record. */
  get claimedTakeovers(): readonly string[] {
    const isClaimed = ({ record }: StoredRecord): boolean => occupiesNode(record);
    return this.runningTakeovers.filter((name) => this.#records.ofNode(name).some(isClaimed));
  }

  /** What fails again and again, by the node's name. */
  get troubles(): ReadonlyMap<string, NodeTrouble> {
    return this.#troubles.told;
  }

  /** The last decision about each node that is dead, by name. */
  get decisions(): ReadonlyMap<string, Decision> {
    return this.#options.world().term?.decisions ?? new Map();
  }

  /** See {@link WorldWitness.holdsOn}. */
  holdsOn(node: FleetNode): readonly string[] {
    return this.#witness.holdsOn(node);
  }

  /** What lies where records lie and can't be used. */
  get recordsSetAside(): readonly UnreadableRecord[] {
    return this.#setAside.all;
  }

  /** Reads what earlier leaders left behind, and goes on with it. */
  async takeUp(): Promise<void> {
    const { records, unreadable } = (await listRecords(this.#options)) ?? { records: [], unreadable: [] };
    for (const one of unreadable) this.#setAside.add(one);
    for (const one of records.toSorted((a, b) => byOrder(a.record, b.record))) this.#takeOn(one);
  }

  /** Does what the world asks a leader to do. */
  perform(intent: Intent): void {
    if (this.#options.term.remainingMs() <= 0) return;
    if (intent.kind === 'windows-passed') this.#passedWindows.note(intent.records);
    if (intent.kind === 'decided') this.#words.decided(intent);
    if (intent.kind === 'take-over') {
      const { node, decision } = intent;
      this.#takeovers.start(node.node.metadata.name, this.#newRecord(node, decision));
    }
  }

  /** See {@link Returns.attend}. */
  attendReturns(): void {
    this.#powerOn.attend();
    this.#returns.attend();
    this.#setAside.attend();
    this.#keeping.tend();
  }

  /**
   * Tells what nobody would learn otherwise: who is silent while nothing can be decided, what fails again and again, and
   * which word of a human counts for nothing. To be called at each look.
   */
  tell(blind: readonly string[]): void {
    if (this.#options.term.remainingMs() <= 0) return;
    this.#troubles.sweep();
    this.#words.look(blind);
  }

  publish(event: NodeEvent): void {
    this.#recorder.publish(event);
  }

  /** Its death, if it is one, has no takeover: one that has tells by itself what it waits for. */
  isUndecided({ node, deathId }: FleetNode): boolean {
    if (this.#takeovers.isOccupied(node.metadata.name)) return false;
    return this.#records.openTakeoverId(deathId) !== undefined;
  }

  /** A human's word on this node from which nothing follows. */
  ignoredConfirmationOn(node: FleetNode): IgnoredConfirmation | undefined {
    return this.#words.ignoredConfirmationOn(node);
  }

  #noteTrouble({ record, step, phase, detail }: TakeoverProgress): void {
    const { name } = record.node;
    // That has an end of its own, which is told.
    if (step === 'power-on') return;
    if (phase === 'retrying' && step !== 'policy') this.#troubles.failed(record.node, step, detail);
    // A step that failed waits, too, with the same words.
    else if (phase !== 'waiting' || this.#troubles.lastDetail(name) !== detail) this.#troubles.over(name);
  }

  /** Resolves once nothing of this term does anything any more. */
  async settled(): Promise<void> {
    await this.#takeovers.settled();
    await this.#powerOn.settled();
    await this.#returns.settled();
    await Promise.all([this.#passedWindows.settled(), this.#setAside.settled(), this.#keeping.settled()]);
  }

  #takeOn(stored: StoredRecord): void {
    this.#records.put(stored);
    if (stored.record.result === undefined) this.#takeovers.start(stored.record.node.name, stored);
  }

  #newRecord(node: FleetNode, decision: Decision): TakeoverRecord {
    const { term, clock } = this.#options;
    const { deathId } = node;
    const opening = {
      id: this.#records.openTakeoverId(deathId, (id) => this.#setAside.has(id)) ?? deathId,
      order: this.#records.nextOrder(term.epoch),
      epoch: term.epoch,
      openedAt: new Date(clock.wallTime()).toISOString(),
      storage: this.#options.storageOf?.(node.node),
    };
    return { ...openingRecord(node, decision, opening), leader: term.identity, outOfService: false };
  }
}
