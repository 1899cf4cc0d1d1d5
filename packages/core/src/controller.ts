// Wires the rooms together: watches, health, election, and what a leader does. This is what an embedder starts.
import { EventEmitter } from 'eventemitter3';
import { type Clock, type Random, sleep, systemClock, systemRandom } from './clock.ts';
import type { ControllerEvents } from './controller-events.ts';
import { checkedTimings, type ElectionTimings } from './election/election-timings.ts';
import { LeaderElector, LeadershipLostError } from './election/leader-elector.ts';
import type { LeaderTerm } from './election/leader-term.ts';
import type { LeaseStore } from './election/lease-record.ts';
import type { Fencer } from './fencing/fencer.ts';
import { Fleet, type FleetNode } from './fleet/fleet.ts';
import { type NodeProbe, Prober } from './fleet/prober.ts';
import { FleetWatches } from './fleet/watches.ts';
import { contradictionsIn } from './health/detection.ts';
import { defaultSightRules, lookAround, type SightRules, shortestSafeDeathMs } from './health/fleet-sight.ts';
import type { Lease } from './kubernetes/objects.ts';
import type { KubernetesReader } from './kubernetes/reader.ts';
import { Leadership } from './leadership.ts';
import { GlobalPause, PauseKeeper } from './pause-keeper.ts';
import { builtInGuards } from './policy/decision.ts';
import type { PauseStore } from './policy/global-pause.ts';
import type { FleetFacts, Guard } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import { describeStatus, type StatusDocument } from './status/status-document.ts';
import { StatusPublisher, type StatusStore } from './status/status-publisher.ts';
import type { TakeoverCluster } from './takeover/cluster.ts';
import { defaultReturnRules, type ReturnRules } from './takeover/return.ts';

/** Options of {@link Controller}. */
export interface ControllerOptions {
  /** For lists and watches; {@link connect} makes one. */
  readonly reader: KubernetesReader;
  /** For what a takeover reads and writes; {@link connect} makes one. */
  readonly cluster: TakeoverCluster;
  /** Must reach the API server through a connection of its own. */
  readonly leaseStore: LeaseStore;
  /** See {@link LeaderElectorOptions.minimumEpoch}. Default: a new Lease begins at 0. */
  readonly minimumEpoch?: () => Promise<number>;
  /**
   * Where a pause of everything is kept beside the election Lease; {@link connect} makes one. Absent: when the Lease is
   * deleted while no replica runs, a pause is deleted with it.
   */
  readonly pauseStore?: PauseStore;
  /** Where {@link ControllerOptions.leaseStore} keeps its Lease: the controller watches it, to know that it sees. */
  readonly election: { readonly namespace: string; readonly name: string } & ElectionTimings;
  /** Unique among all replicas and all lives of this process. */
  readonly identity: string;
  /** The first that selects a node counts for it; without any, nothing is ever done. */
  readonly policies: readonly Policy[];
  /** All fencers that policies name. */
  readonly fencers: readonly Fencer[];
  /**
   * Guards beside the built-in ones. They can hold, never override. They are asked until a takeover begins; what can stop
   * one that has begun is built in: blindness, a pause, maintenance, and marks that exclude the node.
   */
  readonly guards?: readonly Guard[];
  /** Asks a host whether anybody is there. Absent: nobody asks, and evidence stays at `suspected`. */
  readonly probe?: NodeProbe;
  /** Pause between probes of one suspect node. Default 2,000 ms. */
  readonly probeIntervalMs?: number;
  /** By what it knows that it is blind. Default {@link defaultSightRules}. */
  readonly sight?: Partial<SightRules>;
  /** How nodes that were taken over are taken in again. */
  readonly returning?: Partial<ReturnRules>;
  /** Where the leader tells what it knows, for `liberator status`. Absent: it is told nowhere. */
  readonly status?: StatusStore;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** How often health and decisions are looked at again; everything that matters is counted in whole seconds. */
const tickMs = 500;

/** A leader that did not decide for this long hangs, and must not go on leading. */
const hangsAfterMs = 5_000;

/** No request takes longer: a leader that heard nothing of the records that it asked for will hear nothing any more. */
const takingUpHangsAfterMs = 30_000;

/** How long what a leader has under way may take to end after its term; most of it is cut off at once. */
const settlesWithinMs = 10_000;

/** What is known of our own leadership while it lasts. */
interface OwnLeadership {
  readonly term: LeaderTerm;
  readonly since: number;
  readonly leading: Leadership;
  readonly publisher: StatusPublisher | undefined;
  readonly pauseKeeper: PauseKeeper | undefined;
  /** When the newest own renewal that came back through our own watch was sent. */
  renewalSeenAt: number | undefined;
  /** Whether what earlier leaders left behind has been read. */
  tookUp: boolean;
  /** When anything was last heard of reading it. */
  heardOfTakeUpAt: number;
}

/**
 * Watches nodes, elects a leader among all controllers that share an election Lease, and as the leader takes over
 * nodes that died.
 *
 * @example
 * ```ts
 * const controller = new Controller(options);
 * controller.on('takeover', ({ record, step, phase }) => console.log(record.node.name, step, phase));
 * await controller.run(signal);
 * ```
 */
export class Controller extends EventEmitter<ControllerEvents> {
  readonly #options: ControllerOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #fleet: Fleet;
  readonly #watches: FleetWatches;
  readonly #prober: Prober | undefined;
  readonly #guards: readonly Guard[];
  readonly #sightRules: SightRules;
  readonly #pause = new GlobalPause();
  #electionLease: Lease | undefined;
  #leadership: OwnLeadership | undefined;
  #missedHeartbeats = true;
  #heardMost = false;
  #lookedAt: number | undefined;
  #blind: readonly string[] = ['just started'];

  /** @throws RangeError for policies that name a fencer which isn't there, or for timings that don't fit. */
  constructor(options: ControllerOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#guards = [...builtInGuards, ...(options.guards ?? [])];
    this.#sightRules = { ...defaultSightRules, ...options.sight };
    const fencers = new Set(options.fencers.map(({ name }) => name));
    for (const policy of options.policies) {
      const missing = policy.fencing.drivers.find((driver) => !fencers.has(driver));
      if (missing !== undefined) {
        throw new RangeError(
          `policy ${policy.name}: expected a fencer among ${[...fencers].join(', ') || 'none'}, found ${missing}`,
        );
      }
      const [problem] = contradictionsIn(policy.detection, shortestSafeDeathMs(this.#sightRules));
      if (problem !== undefined) throw new RangeError(`policy ${policy.name}: ${problem}`);
    }
    this.#checkSight();
    this.#fleet = new Fleet({
      clock: this.#clock,
      policies: options.policies,
      onHealthChange: (change) => this.#tell('health', change),
    });
    this.#watches = new FleetWatches({
      reader: options.reader,
      clock: this.#clock,
      random: this.#random,
      fleet: this.#fleet,
      election: options.election,
      onElectionLease: (lease) => {
        this.#electionLease = lease;
        this.#pause.leaseSeen(lease?.metadata);
        this.#noteRenewalEcho();
      },
      onError: (where, error, retryInMs) => this.#failed(where, error, retryInMs),
    });
    this.#prober =
      options.probe &&
      new Prober({
        fleet: this.#fleet,
        probe: options.probe,
        clock: this.#clock,
        intervalMs: options.probeIntervalMs ?? 2_000,
      });
  }

  /** Every cache is filled: this replica could lead. */
  get ready(): boolean {
    return this.#watches.synced;
  }

  /** Our term, while we lead and it is valid at this moment. */
  get leading(): LeaderTerm | undefined {
    const term = this.#leadership?.term;
    return term !== undefined && term.remainingMs() > 0 ? term : undefined;
  }

  /** What is known of all nodes, by name. */
  get fleet(): { readonly nodes: ReadonlyMap<string, FleetNode> } {
    return this.#fleet;
  }

  /** Why nothing may be decided now; empty when we see. */
  get blind(): readonly string[] {
    return this.#blind;
  }

  /**
   * When this replica last looked around, on its {@link Clock}: a healthy one does twice a second while it runs. As the
   * leader, when it last came to the end of deciding, so that one which no longer decides shows itself by it.
   */
  get lookedAt(): number | undefined {
    return this.#lookedAt;
  }

  /** Nodes that are being taken over by this replica. */
  get takeoversUnderWay(): readonly string[] {
    return this.#leadership?.leading.runningTakeovers ?? [];
  }

  /**
   * Runs until `signal` aborts: then leadership is handed over, and everything has stopped when it resolves.
   *
   * @throws {@link LeadershipLostError} when leadership was lost. The process should end and be started anew, which is
   *   the one way to be sure that nothing of the old term is still under way.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    this.#watches.start();
    this.#prober?.start();
    const ticking = this.#tick(stop.signal);
    // Nobody may stand for election who can't look; it is thrown below.
    ticking.catch(() => stop.abort());
    try {
      await this.#elector().run((term, resign) => this.#lead(term, resign), stop.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      stop.abort();
      await Promise.all([ticking, this.#prober?.stop(), this.#watches.stop()]);
    }
  }

  #checkSight(): void {
    const { renewalEchoMs, togetherMs } = this.#sightRules;
    const { retryPeriodMs } = checkedTimings(this.#options.election);
    if (!(renewalEchoMs > retryPeriodMs)) {
      throw new RangeError(
        `expected renewalEchoMs above retryPeriodMs (${retryPeriodMs}), or a leader is blind between two renewals; ` +
          `found ${renewalEchoMs}`,
      );
    }
    if (!(togetherMs >= 0)) throw new RangeError(`expected togetherMs of at least 0, found ${togetherMs}`);
  }

  #elector(): LeaderElector {
    const { leaseStore, identity, election, minimumEpoch, pauseStore } = this.#options;
    return new LeaderElector({
      ...election,
      ...(minimumEpoch && { minimumEpoch }),
      newLeaseAnnotations: async () => {
        this.#pause.adopt(await pauseStore?.read());
        return this.#pause.marks();
      },
      workIsAlive: () => this.#clock.now() - (this.#lookedAt ?? Number.NEGATIVE_INFINITY) < hangsAfterMs,
      // A watch that was filled and went stale is another matter: nobody may see any better, and somebody has to lead to
      // tell why nothing is done.
      mayLead: () => this.#watches.synced,
      store: leaseStore,
      identity,
      clock: this.#clock,
      random: this.#random,
      onNewLeader: (leader) => {
        if (leader !== identity) this.#tell('leadership', { identity, leader });
      },
      onError: (error) => this.#failed('election', error),
    });
  }

  async #lead(term: LeaderTerm, resign: (reason: string) => void): Promise<void> {
    const own = this.#beginLeading(term);
    this.#leadership = own;
    this.#tell('leadership', { identity: term.identity, leader: term.identity, epoch: term.epoch });
    const takingUp = own.leading.takeUp();
    let failure: unknown;
    try {
      await this.#decide(own, takingUp);
    } catch (error) {
      failure = error;
      if (!term.signal.aborted) this.#failed('leading', error);
      // Before anything is waited for: whoever decides no more must not keep others from deciding.
      resign(`what the leader does failed: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    } finally {
      await this.#settled(own, takingUp, failure);
      this.#leadership = undefined;
    }
  }

  #beginLeading(term: LeaderTerm): OwnLeadership {
    const { cluster, fencers } = this.#options;
    const now = this.#clock.now();
    const leading = new Leadership({
      term,
      clock: this.#clock,
      fleet: this.#fleet,
      cluster,
      fencers,
      guards: this.#guards,
      fleetFacts: (dead) => this.#fleetFacts(dead),
      onDecision: (change) => this.#tell('decision', change),
      onProgress: (progress) => this.#tell('takeover', progress),
      returnRules: { ...defaultReturnRules, ...this.#options.returning },
      onReturn: (progress) => this.#tell('return', progress),
      onError: (where, error) => {
        own.heardOfTakeUpAt = this.#clock.now();
        this.#failed(where, error);
      },
    });
    const own: OwnLeadership = {
      term,
      since: now,
      renewalSeenAt: undefined,
      tookUp: false,
      heardOfTakeUpAt: now,
      leading,
      publisher: this.#statusPublisher(term),
      pauseKeeper: this.#pauseKeeper(term),
    };
    return own;
  }

  /** Decides, look by look, until the term ends; whatever fails in it is thrown. */
  async #decide(own: OwnLeadership, takingUp: Promise<void>): Promise<void> {
    const takenUp = takingUp.then(() => {
      own.tookUp = true;
    });
    const rounds = async (): Promise<void> => {
      // Mostly all is read at once, and then there is nothing to be said of it.
      own.pauseKeeper?.attend({ current: false });
      const read = Promise.all([takenUp, own.pauseKeeper?.settled()]);
      await Promise.race([read, sleep(this.#clock, tickMs, own.term.signal)]);
      do this.#decideOnce(own);
      while (await sleep(this.#clock, tickMs, own.term.signal));
    };
    const deciding = rounds();
    await Promise.race([deciding, takenUp.then(() => deciding)]);
  }

  /** One look of a leader, and what follows from it. Only one that came to its end shows that this replica is alive. */
  #decideOnce(own: OwnLeadership): void {
    const { term, leading, publisher, pauseKeeper } = own;
    if (term.signal.aborted) return;
    if (!own.tookUp && this.#clock.now() - own.heardOfTakeUpAt > takingUpHangsAfterMs) {
      throw new Error(
        `the records of earlier takeovers were neither read nor refused for ${takingUpHangsAfterMs} ms`,
      );
    }
    pauseKeeper?.attend({ current: own.renewalSeenAt !== undefined });
    this.#look();
    if (this.#blind.length === 0) leading.evaluate();
    if (own.tookUp) leading.attendReturns();
    publisher?.offer(() => this.#describeStatus(term, leading));
    this.#lookedAt = this.#clock.now();
  }

  /**
   * Waits for what is under way, but not for ever: nothing of it can write any more.
   *
   * @throws {@link LeadershipLostError} when it took too long; then the Lease had better run out by itself.
   */
  async #settled(
    { leading, publisher, pauseKeeper }: OwnLeadership,
    takingUp: Promise<void>,
    cause: unknown,
  ): Promise<void> {
    const settled = async (): Promise<void> => {
      // What it failed with is known already.
      await takingUp.catch(() => {});
      await Promise.all([leading.settled(), publisher?.settled(), pauseKeeper?.settled()]);
    };
    const over = new AbortController();
    const late = sleep(this.#clock, settlesWithinMs, over.signal);
    const inTime = await Promise.race([settled().then(() => true), late.then(() => false)]);
    over.abort();
    if (!inTime) {
      throw new LeadershipLostError(
        `expected what was under way to end within ${settlesWithinMs} ms of the term, found that it goes on`,
        { cause },
      );
    }
  }

  #statusPublisher(term: LeaderTerm): StatusPublisher | undefined {
    const { status } = this.#options;
    const onError = (error: unknown): void => this.#failed('status', error);
    return status && new StatusPublisher({ store: status, term, clock: this.#clock, onError });
  }

  #pauseKeeper(term: LeaderTerm): PauseKeeper | undefined {
    const { pauseStore: store } = this.#options;
    const onError = (error: unknown): void => this.#failed('pause', error);
    return store && new PauseKeeper({ pause: this.#pause, store, term, clock: this.#clock, onError });
  }

  #describeStatus(term: LeaderTerm, leading: Leadership): StatusDocument {
    const { decisions, runningTakeovers } = leading;
    const { blind, paused } = this.#fleetFacts([]);
    const nodes = this.#fleet.nodes.values();
    return describeStatus(
      {
        term,
        nodes,
        decisions,
        takeovers: runningTakeovers,
        blind,
        paused,
        holdsOn: (node) => leading.holdsOn(node),
      },
      this.#clock,
    );
  }

  /**
   * Every replica looks, so that a new leader has seen what the old one saw. A leader does so in the loop that decides, and
   * there alone: whether it is alive must not be vouched for by another one.
   */
  async #tick(signal: AbortSignal): Promise<void> {
    do {
      if (this.#leadership !== undefined) continue;
      this.#look();
      this.#lookedAt = this.#clock.now();
    } while (await sleep(this.#clock, tickMs, signal));
  }

  #look(): void {
    this.#noteRenewalEcho();
    const sight = lookAround(
      {
        synced: this.#watches.synced,
        stale: this.#watches.stale,
        leading: this.#leadership && {
          since: this.#leadership.since,
          renewalSeenAt: this.#leadership.renewalSeenAt,
          unread: unreadOf(this.#leadership),
        },
        ...this.#fleet.hearing,
        heardMost: this.#heardMost,
      },
      this.#clock.now(),
      this.#sightRules,
    );
    const blind = sight.blind.length > 0;
    this.#heardMost = sight.heardMost;
    this.#missedHeartbeats ||= sight.missedHeartbeats;
    if (!blind && this.#missedHeartbeats) {
      this.#missedHeartbeats = false;
      this.#fleet.sightRegained();
    }
    this.#fleet.assess({ blind });
    const before = this.#blind;
    this.#blind = sight.blind;
    if (sight.blind.join() !== before.join()) this.#tell('sight', { blind: sight.blind });
  }

  /** Asked at every look, since a watch may bring a renewal back before its own answer has arrived. */
  #noteRenewalEcho(): void {
    const own = this.#leadership;
    const seen = this.#electionLease?.spec?.renewTime;
    const renewal = own?.term.renewals.findLast(({ renewTime }) => renewTime === seen);
    if (own !== undefined && renewal !== undefined) own.renewalSeenAt = renewal.sentAt;
  }

  #fleetFacts(dead: readonly string[]): FleetFacts {
    return {
      nodes: this.#fleet.nodes.size,
      dead,
      blind: this.#blind,
      paused: this.#pause.paused,
    };
  }

  #failed(where: string, error: unknown, retryInMs?: number): void {
    this.#tell('error', retryInMs === undefined ? { where, error } : { where, error, retryInMs });
  }

  /** A listener that throws must neither stop us nor keep other listeners from being called. */
  #tell<E extends keyof ControllerEvents>(event: E, ...args: Parameters<ControllerEvents[E]>): void {
    for (const listener of this.listeners(event)) {
      // Only if it was registered with `once`, which calling a listener by hand does not see to.
      this.removeListener(event, listener, undefined, true);
      try {
        (listener as (...args: Parameters<ControllerEvents[E]>) => void)(...args);
      } catch (error) {
        if (event !== 'error') this.#failed('listener', error);
      }
    }
  }
}

/** What a leader must know before it decides anything. */
function unreadOf({ tookUp, pauseKeeper }: OwnLeadership): readonly string[] {
  const unread: string[] = [];
  if (!tookUp) unread.push('the records of earlier takeovers have not been read yet');
  if (pauseKeeper?.known === false) unread.push('whether everything is paused has not been read yet');
  return unread;
}
