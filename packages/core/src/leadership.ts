// What a leader does in its term: decides about dead nodes, carries takeovers to their end, and takes in who comes back.

import type { DecisionChange } from './controller-events.ts';
import { Decisions } from './decisions.ts';
import type { Fleet, FleetNode } from './evidence/fleet.ts';
import { notedOf } from './evidence/noted-node.ts';
import type { NodeProbe } from './evidence/witnesses/prober.ts';
import { FleetWitness } from './fleet-witness.ts';
import { confirmedDeadAnnotation } from './marks/confirmed.ts';
import type { Decision } from './policy/decision.ts';
import type { FleetFacts, Guard } from './policy/guard.ts';
import { Returns } from './returning/attendance.ts';
import type { ReturnRules } from './returning/moves.ts';
import { Returner, type ReturnProgress } from './returning/returner.ts';
import type {
  NodeEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
} from './takeover/cluster.ts';
import { TakeoverExecutor, type TakeoverProgress } from './takeover/executor.ts';
import { byOrder, hasProof, occupiesNode, type TakeoverRecord } from './takeover/record.ts';
import { recordedPolicyOf } from './takeover/recorded-policy.ts';
import { PassedWindows } from './takeover/records/passed-windows.ts';
import { RecordBook } from './takeover/records/record-book.ts';
import { RecordKeeping } from './takeover/records/record-keeping.ts';
import { SetAside } from './takeover/records/set-aside.ts';
import { Undoings } from './takeover/records/undoings.ts';
import { Takeovers } from './takeover/takeovers.ts';
import { type UnprovenDeaths, unprovenDeaths } from './takeover/unproven-deaths.ts';
import { Blindness } from './telling/blindness.ts';
import {
  type ConfirmationChange,
  Confirmations,
  type IgnoredConfirmation,
  ignoredConfirmation,
} from './telling/confirmations.ts';
import { EventRecorder } from './telling/event-recorder.ts';
import type { OmittedEvents } from './telling/omissions.ts';
import { eventFor } from './telling/takeover-events.ts';
import { type NodeTrouble, type TroubleChange, Troubles } from './telling/troubles.ts';
import type { LeaderTerm } from './term/leader-term.ts';
import { type Clock, sleep } from './time/clock.ts';

export interface LeadershipOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly cluster: TakeoverCluster;
  readonly fencers: ConstructorParameters<typeof TakeoverExecutor>[0]['fencers'];
  /** Asks the host of a Node that was deleted under its takeover. */
  readonly probe?: NodeProbe;
  readonly guards: readonly Guard[];
  /** Everything that guards may know beyond the node, as it is at this moment. */
  readonly fleetFacts: (dead: readonly string[]) => FleetFacts;
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

const retryMs = 1_000;

/** One leadership. Made anew for every term, so nothing of an old one survives into the next. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #records = new RecordBook();
  readonly #undoings: Undoings;
  readonly #passedWindows: PassedWindows;
  /** By death, when a takeover of it was opened in this term: there are no more of them than takeovers. */
  readonly #takenOverAt = new Map<string, number>();
  /** Deaths that somebody vouched for in a takeover of this term. */
  readonly #proven = new Set<string>();
  readonly #decisions: Decisions;
  readonly #takeovers: Takeovers;
  readonly #returns: Returns;
  readonly #troubles: Troubles;
  readonly #blindness: Blindness;
  readonly #confirmations: Confirmations;
  readonly #setAside: SetAside;
  readonly #keeping: RecordKeeping;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const { term, cluster, clock, fleet, fencers, guards, fleetFacts, onError } = options;
    const recorder = new EventRecorder({
      cluster,
      clock,
      term,
      onError: (error) => onError('events', error),
      ...(options.onOmitted && { onOmitted: options.onOmitted }),
    });
    this.#undoings = new Undoings(this.#records, clock);
    this.#passedWindows = new PassedWindows({ term, clock, cluster, records: this.#records, onError });
    const publish = (event: NodeEvent): void => recorder.publish(event);
    const now = (): number => clock.now();
    this.#troubles = new Troubles({ now, publish, onChange: (change) => options.onTrouble?.(change) });
    this.#blindness = new Blindness({ now, publish });
    this.#confirmations = new Confirmations({
      publish,
      onIgnored: (change) => options.onIgnoredConfirmation?.(change),
    });
    this.#setAside = new SetAside({
      term,
      clock,
      cluster,
      fleet,
      records: this.#records,
      publish: (event) => recorder.publish(event),
      onSetAside: options.onSetAside,
      isUnderWay: (id) => this.#takeovers.has(id),
      onReadable: (stored) => this.#takeOn(stored),
      onError: (error) => onError('takeover records', error),
    });
    this.#keeping = new RecordKeeping({
      term,
      clock,
      cluster,
      fleet,
      records: this.#records,
      keepsakeMs: options.returnRules.keepsakeMs,
      onError: (error) => onError('takeover records', error),
    });
    this.#decisions = new Decisions({
      clock,
      fleet,
      guards,
      fleetFacts,
      underWay: () => this.#takeovers.nodes,
      working: () => this.#takeovers.working,
      newerRecordOf: (node, deathId) => this.#setAside.newerRecordOf(node, deathId),
      isOpen: (deathId) => this.#records.openTakeoverId(deathId) !== undefined,
      undone: (deathId) => this.#undoings.of(deathId),
      unproven: () => this.#unproven(),
      onDecision: options.onDecision,
      publish,
    });
    this.#takeovers = new Takeovers({
      term,
      clock,
      onError,
      records: this.#records,
      troubles: this.#troubles,
      onUnreadable: (found) => this.#setAside.add(found),
      witness: new FleetWitness({ fleet, fleetFacts, decisions: this.#decisions, records: this.#records }),
      executor: new TakeoverExecutor({
        cluster,
        clock,
        fencers,
        ...(options.probe && { probe: options.probe }),
        onSaved: (stored) => {
          this.#records.put(stored);
          this.#takeovers.noted(stored);
        },
        onProgress: (progress) => {
          const { record } = progress;
          if (hasProof(record)) this.#proven.add(record.deathId);
          options.onProgress(progress);
          const event = eventFor(progress);
          if (event !== undefined) publish(event);
          this.#noteTrouble(progress);
        },
      }),
    });
    this.#returns = new Returns({
      term,
      clock,
      fleet,
      onError,
      records: this.#records,
      troubles: this.#troubles,
      isBusy: (name) =>
        this.#takeovers.isOccupied(name) || this.#setAside.newerRecordAbout(name) !== undefined,
      returner: new Returner({
        cluster,
        clock,
        rules: options.returnRules,
        onProgress: options.onReturn,
        publish,
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
    const claimed = new Set(
      this.#records
        .running()
        .filter(({ record }) => occupiesNode(record))
        .map(({ record }) => record.node.name),
    );
    return this.runningTakeovers.filter((name) => claimed.has(name));
  }

  /** What fails again and again, by the node's name. */
  get troubles(): ReadonlyMap<string, NodeTrouble> {
    return this.#troubles.told;
  }

  /** The last decision about each node that is dead, by name. */
  get decisions(): ReadonlyMap<string, Decision> {
    return this.#decisions.latest;
  }

  /** See {@link Decisions.holdsOn}. */
  holdsOn(node: FleetNode): readonly string[] {
    return this.#decisions.holdsOn(node);
  }

  /** What lies where records lie and can't be used. */
  get recordsSetAside(): readonly UnreadableRecord[] {
    return this.#setAside.all;
  }

  /** Reads what earlier leaders left behind, and goes on with it. */
  async takeUp(): Promise<void> {
    const { records, unreadable } = await this.#listRecords();
    for (const one of unreadable) this.#setAside.add(one);
    for (const one of records.toSorted((a, b) => byOrder(a.record, b.record))) this.#takeOn(one);
  }

  /** Decides about every node that is dead, or would be if its host were not up, and acts where the policy says so. */
  evaluate(): void {
    if (this.#options.term.remainingMs() <= 0) return;
    this.#undoings.look();
    for (const { node, decision } of this.#decisions.evaluate()) {
      this.#takenOverAt.set(node.deathId, this.#options.clock.now());
      this.#takeovers.start(node.node.metadata.name, this.#newRecord(node, decision));
    }
  }

  #unproven(): UnprovenDeaths {
    const { fleet, clock } = this.#options;
    const { nodes, deaths, watchedSince } = fleet;
    const unproven = unprovenDeaths({
      nodes,
      deaths,
      watchedSince,
      records: this.#records.latestByNode().values(),
      isProven: (deathId) => this.#proven.has(deathId),
      takenOverAt: (deathId) => this.#takenOverAt.get(deathId),
      now: clock.now(),
    });
    this.#passedWindows.note(unproven.passed);
    return unproven;
  }

  /** See {@link Returns.attend}. */
  attendReturns(): void {
    this.#returns.attend();
    this.#setAside.attend();
    this.#keeping.tend();
  }

  /**
   * Tells what nobody would learn otherwise: who is silent while nothing can be decided, what fails again and again, and
   * which word of a human counts for nothing. To be called at each look.
   */
  tell(blind: readonly string[]): void {
    const { fleet, term } = this.#options;
    if (term.remainingMs() <= 0) return;
    this.#troubles.sweep();
    const nodes = [...fleet.nodes.values()];
    this.#blindness.look(blind, () => nodes.filter((node) => this.isUndecided(node)));
    const marked = nodes.filter(
      ({ node }) => node.metadata.annotations?.[confirmedDeadAnnotation] !== undefined,
    );
    this.#confirmations.look(marked.map((node) => [node, this.ignoredConfirmationOn(node)]));
  }

  /** Its death, if it is one, has no takeover: one that has tells by itself what it waits for. */
  isUndecided({ node, deathId }: FleetNode): boolean {
    if (this.#takeovers.isOccupied(node.metadata.name)) return false;
    return this.#records.openTakeoverId(deathId) !== undefined;
  }

  /** A human's word on this node from which nothing follows. */
  ignoredConfirmationOn(node: FleetNode): IgnoredConfirmation | undefined {
    const records = this.#records.ofNode(node.node.metadata.name);
    return ignoredConfirmation(
      node,
      records.map(({ record }) => record),
    );
  }

  #noteTrouble({ record, step, phase, detail }: TakeoverProgress): void {
    const { name } = record.node;
    if (phase === 'retrying' && step !== 'policy') this.#troubles.failed(record.node, step, detail);
    // A step that failed waits, too, with the same words.
    else if (phase !== 'waiting' || this.#troubles.lastDetail(name) !== detail) this.#troubles.over(name);
  }

  /** Resolves once nothing of this term does anything any more. */
  async settled(): Promise<void> {
    await this.#takeovers.settled();
    await this.#returns.settled();
    await Promise.all([this.#passedWindows.settled(), this.#setAside.settled(), this.#keeping.settled()]);
  }

  #takeOn(stored: StoredRecord): void {
    this.#records.put(stored);
    if (stored.record.result === undefined) this.#takeovers.start(stored.record.node.name, stored);
  }

  /** Tries until the term ends, and then there is nothing to go on with. */
  async #listRecords(): Promise<RecordListing> {
    const { term, clock, cluster } = this.#options;
    for (;;) {
      try {
        return await cluster.listRecords(term);
      } catch (error) {
        if (term.signal.aborted || term.remainingMs() <= 0) return { records: [], unreadable: [] };
        this.#options.onError('takeover records', error);
        await sleep(clock, retryMs, term.signal);
      }
    }
  }

  #newRecord(node: FleetNode, decision: Decision): TakeoverRecord {
    const { term, clock } = this.#options;
    const { policy, assessment } = node;
    if (policy === undefined || assessment === undefined)
      throw new TypeError('a node without policy was decided on');
    const { name, uid } = node.node.metadata;
    return {
      version: 1,
      id: this.#records.openTakeoverId(node.deathId, (id) => this.#setAside.has(id)) ?? node.deathId,
      deathId: node.deathId,
      node: { name, uid, bootId: node.node.status?.nodeInfo?.bootID ?? '' },
      noted: notedOf(node.node),
      order: this.#records.nextOrder(term.epoch),
      lastHeartbeat: node.state.renewTime ?? '',
      epoch: term.epoch,
      leader: term.identity,
      openedAt: new Date(clock.wallTime()).toISOString(),
      evidence: assessment.evidence,
      reasons: assessment.reasons,
      verdicts: decision.verdicts,
      policy: recordedPolicyOf(policy),
      pods: [],
      steps: {},
      outOfService: false,
    };
  }
}
