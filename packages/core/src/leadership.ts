// What a leader does in its term: decides about dead nodes, and carries takeovers to their end.
import { type Clock, sleep } from './clock.ts';
import type { DecisionChange } from './controller-events.ts';
import type { LeaderTerm } from './election/leader-term.ts';
import { confirmCommand } from './fencing/manual.ts';
import { takeoverIdOf } from './fleet/death-id.ts';
import type { Fleet, FleetNode } from './fleet/fleet.ts';
import { type Decision, decide, holdReasons } from './policy/decision.ts';
import type { FleetFacts, Guard, NodeFacts } from './policy/guard.ts';
import { evidence } from './policy/guards/evidence.ts';
import { Returns } from './returns.ts';
import type { StoredRecord, TakeoverCluster } from './takeover/cluster.ts';
import { eventFor } from './takeover/events.ts';
import { TakeoverExecutor, type TakeoverProgress, type TakeoverWitness } from './takeover/executor.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import type { ReturnRules } from './takeover/return.ts';
import { Returner, type ReturnProgress } from './takeover/returner.ts';
import { withoutNumbers } from './takeover/wording.ts';

export interface LeadershipOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly cluster: TakeoverCluster;
  readonly fencers: ConstructorParameters<typeof TakeoverExecutor>[0]['fencers'];
  readonly guards: readonly Guard[];
  /** Everything that guards may know beyond the node, as it is at this moment. */
  readonly fleetFacts: (dead: readonly string[]) => FleetFacts;
  readonly onDecision: (change: DecisionChange) => void;
  readonly onProgress: (progress: TakeoverProgress) => void;
  readonly returnRules: ReturnRules;
  readonly onReturn: (progress: ReturnProgress) => void;
  readonly onError: (where: string, error: unknown) => void;
}

/** Finished records beyond this many are removed, oldest first. */
const keptRecords = 50;

const retryMs = 1_000;

/** Guards that can stop a takeover which has begun; the others were asked when it did. */
const brakes: ReadonlySet<string> = new Set(['blind', 'paused', 'maintenance', 'excluded']);

/** One leadership. Made anew for every term, so nothing of an old one survives into the next. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #executor: TakeoverExecutor;
  readonly #returns: Returns;
  /** Every record known in this term, by takeover id. */
  readonly #records = new Map<string, StoredRecord>();
  /** Takeovers under way, by node name: one at a time each. */
  readonly #running = new Map<string, Promise<void>>();
  readonly #told = new Map<string, string>();
  /** The last decision about each node that one is due about. */
  readonly #decisions = new Map<string, Decision>();

  constructor(options: LeadershipOptions) {
    this.#options = options;
    const { term, cluster, clock, fleet, fencers, onError } = options;
    this.#executor = new TakeoverExecutor({
      cluster,
      clock,
      fencers,
      onProgress: (progress) => this.#progressed(progress),
    });
    this.#returns = new Returns({
      term,
      clock,
      fleet,
      onError,
      records: this.#records,
      isBusy: (name) => this.#running.has(name),
      returner: new Returner({
        cluster,
        clock,
        rules: options.returnRules,
        onProgress: options.onReturn,
        publish: (event) => this.#publish(event),
      }),
    });
  }

  get runningTakeovers(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** The last decision about each node that is dead, by name. */
  get decisions(): ReadonlyMap<string, Decision> {
    return this.#decisions;
  }

  /** What would hold a takeover of this node even if it died now: marks that people and other controllers put on it. */
  holdsOn(node: FleetNode): readonly string[] {
    return brakingReasons(
      this.#decide(node, { ...this.#options.fleetFacts([]), blind: [], paused: undefined }),
    );
  }

  /** Reads what earlier leaders left behind, goes on with it, and prunes what is old. */
  async takeUp(): Promise<void> {
    const { term, onError } = this.#options;
    const stored = await this.#listRecords();
    for (const one of stored) this.#records.set(one.record.id, one);
    for (const one of stored) if (one.record.result === undefined) this.#start(one.record.node.name, one);
    try {
      await this.#prune(stored);
    } catch (error) {
      // The next leader tries again; until then there are a few records too many.
      if (term.remainingMs() > 0) onError('takeover records', error);
    }
  }

  /** Tries until the term ends, and then there is nothing to go on with. */
  async #listRecords(): Promise<readonly StoredRecord[]> {
    const { term, clock, cluster } = this.#options;
    for (;;) {
      try {
        return await cluster.listRecords(term);
      } catch (error) {
        if (term.signal.aborted || term.remainingMs() <= 0) return [];
        this.#options.onError('takeover records', error);
        await sleep(clock, retryMs, term.signal);
      }
    }
  }

  /** Decides about every node that is dead, or would be if its host were not up, and acts where the policy says so. */
  evaluate(): void {
    if (this.#options.term.remainingMs() <= 0) return;
    const candidates = [...this.#options.fleet.nodes.values()].filter(
      (node) => isCandidate(node) && this.#openTakeoverId(node) !== undefined,
    );
    const dead = candidates.filter(({ health }) => health === 'dead').map(({ node }) => node.metadata.name);
    const facts = this.#options.fleetFacts([...new Set([...dead, ...this.#running.keys()])]);
    for (const node of candidates) {
      const { name } = node.node.metadata;
      if (this.#running.has(name)) continue;
      const decision = this.#decide(node, facts);
      if (decision === undefined) continue;
      this.#decisions.set(name, decision);
      this.#tell(node, decision);
      if (decision.action === 'act' && node.health === 'dead')
        this.#start(name, this.#newRecord(node, decision));
    }
    for (const name of this.#told.keys()) {
      if (candidates.some(({ node }) => node.metadata.name === name)) continue;
      this.#told.delete(name);
      this.#decisions.delete(name);
    }
  }

  /** See {@link Returns.attend}. */
  attendReturns(): void {
    this.#returns.attend();
  }

  /** Resolves once nothing of this term does anything any more. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
    await this.#returns.settled();
  }

  #decide(node: FleetNode, fleet: FleetFacts): Decision | undefined {
    const { policy, assessment } = node;
    if (policy === undefined || assessment === undefined) return undefined;
    const now = this.#options.clock.now();
    return decide({ node: factsOf(node), assessment, policy, fleet, now }, this.#options.guards);
  }

  /** The id for a takeover of this death, or undefined when it has had one that was not undone. */
  #openTakeoverId(node: FleetNode): string | undefined {
    for (let undone = 0; ; undone++) {
      const id = takeoverIdOf(node.deathId, undone);
      const record = this.#records.get(id)?.record;
      if (record === undefined || record.result === undefined) return id;
      if (record.result !== 'undone') return undefined;
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
      id: this.#openTakeoverId(node) ?? node.deathId,
      deathId: node.deathId,
      node: { name, uid, bootId: node.node.status?.nodeInfo?.bootID ?? '' },
      lastHeartbeat: node.state.renewTime ?? '',
      epoch: term.epoch,
      leader: term.identity,
      openedAt: new Date(clock.wallTime()).toISOString(),
      evidence: assessment.evidence,
      reasons: assessment.reasons,
      verdicts: decision.verdicts,
      policy: {
        name: policy.name,
        node: policy.node,
        proof: policy.fencing.proof,
        drivers: policy.fencing.drivers,
      },
      pods: [],
      steps: {},
    };
  }

  #start(name: string, from: TakeoverRecord | StoredRecord): void {
    const { term, onError } = this.#options;
    const before = this.#running.get(name);
    const work = async (): Promise<void> => {
      await before;
      try {
        const stored = 'record' in from ? from : await this.#executor.open(term, from);
        this.#records.set(stored.record.id, stored);
        const closed = await this.#executor.run(term, stored, this.#witness);
        this.#records.set(closed.record.id, closed);
      } catch (error) {
        // The end of the term is everybody's business already; the next leader goes on from the record.
        if (term.remainingMs() > 0) onError(`takeover of ${name}`, error);
        await sleep(this.#options.clock, retryMs, term.signal);
      } finally {
        if (this.#running.get(name) === running) this.#running.delete(name);
      }
    };
    const running = work();
    this.#running.set(name, running);
  }

  readonly #witness: TakeoverWitness = {
    lifeSign: (record) => {
      const node = this.#options.fleet.nodes.get(record.node.name);
      if (node === undefined) return undefined;
      if (node.node.metadata.uid !== record.node.uid) return 'a new Node has taken its name';
      const { assessment, state } = node;
      // A Lease that the cache doesn't show yet, as in a new leader's first moments, is no sign of anything.
      const renewed = state.renewTime !== undefined && state.renewTime !== record.lastHeartbeat;
      if (renewed) return 'its Lease is renewed again';
      // A human who vouches for the death outweighs a host that still answers.
      return assessment?.hostUp && assessment.evidence !== 'proven'
        ? assessment.reasons.join(', ')
        : undefined;
    },
    holds: (record) => {
      const node = this.#ofRecord(record);
      if (node === undefined) return this.#options.fleetFacts([]).blind;
      const reasons = [...brakingReasons(this.#decide(node, this.#options.fleetFacts([record.node.name])))];
      // After a time of blindness the evidence starts from nothing, for a node under takeover as for any other.
      if (node.policy === undefined) reasons.push('no policy selects the node any more');
      else if (node.assessment?.health !== 'dead')
        reasons.push('waiting for evidence that the node is still dead');
      return reasons;
    },
  };

  #ofRecord(record: TakeoverRecord): FleetNode | undefined {
    const node = this.#options.fleet.nodes.get(record.node.name);
    return node?.node.metadata.uid === record.node.uid ? node : undefined;
  }

  #tell(node: FleetNode, decision: Decision): void {
    const { name, uid } = node.node.metadata;
    const reasons = holdReasons(decision);
    const words = `${decision.action}: ${reasons.map(withoutNumbers).join('; ')}`;
    if (this.#told.get(name) === words) return;
    this.#told.set(name, words);
    this.#options.onDecision({ node: name, uid, deathId: node.deathId, decision });
    if (decision.action === 'hold') {
      const held = `not taken over: ${reasons.join('; ')}`;
      const message = wantsProof(decision)
        ? `${held}. Once you have made sure that it is off: ${confirmCommand(name, node.deathId)}`
        : held;
      this.#publish({ type: 'Warning', reason: 'TakeoverHeld', message, node: { name, uid } });
    }
  }

  #progressed(progress: TakeoverProgress): void {
    this.#options.onProgress(progress);
    const event = eventFor(progress);
    if (event !== undefined) this.#publish(event);
  }

  /** Events are for people: losing one must not delay or fail what it tells about. */
  #publish(event: Parameters<TakeoverCluster['publishEvent']>[1]): void {
    const { term, cluster, onError } = this.#options;
    if (term.remainingMs() <= 0) return;
    cluster.publishEvent(term, event).catch((error: unknown) => {
      if (term.remainingMs() > 0) onError('events', error);
    });
  }

  async #prune(stored: readonly StoredRecord[]): Promise<void> {
    const finished = stored
      .filter(({ record }) => record.result !== undefined && !this.#isWaitedFor(record))
      .toSorted((a, b) => (a.record.closedAt ?? '').localeCompare(b.record.closedAt ?? ''));
    for (const old of finished.slice(0, Math.max(0, finished.length - keptRecords))) {
      await this.#options.cluster.deleteRecord(this.#options.term, old);
    }
  }

  /** A Node that was kept bears our taints until it has returned, and only its record tells how to take them off. */
  #isWaitedFor({ node, policy, result, return: returned }: TakeoverRecord): boolean {
    const { nodes } = this.#options.fleet;
    if (policy.node === 'delete' || result === 'undone' || returned?.welcomed === true) return false;
    return nodes.size === 0 || nodes.has(node.name);
  }
}

/** A hanging node is one too: the evidence guard holds it, and somebody has to be told why and what can be done. */
function isCandidate({ health, assessment }: FleetNode): boolean {
  if (health === 'dead') return true;
  return health === 'suspect' && assessment?.hostUp === true && assessment.silentSince !== undefined;
}

/** Whether a human who vouches for the death would change anything: no word of theirs opens a budget, or ends a pause. */
function wantsProof({ verdicts }: Decision): boolean {
  return verdicts.some(({ guard, verdict }) => guard === evidence.name && verdict.outcome === 'hold');
}

function brakingReasons(decision: Decision | undefined): readonly string[] {
  const verdicts = (decision?.verdicts ?? []).filter(({ guard }) => brakes.has(guard));
  return verdicts.flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
  );
}

function factsOf({ node, maintenance }: FleetNode): NodeFacts {
  const { name, uid, labels, annotations } = node.metadata;
  return {
    name,
    uid,
    labels: labels ?? {},
    annotations: annotations ?? {},
    taints: node.spec?.taints ?? [],
    ...(maintenance && { maintenance }),
  };
}
