// Brings facts in, has intents performed, and elects who may: watches, probes, the world and a leader. This is what an embedder starts.
import { EventEmitter } from 'eventemitter3';
import type { ControllerEvents } from './controller-events.ts';
import { type ControllerOptions, checkOptions } from './controller-options.ts';
import { Drill } from './drilling/drill.ts';
import { canBeDrilled, defaultDrillRules } from './drilling/drill-rules.ts';
import { checkedTimings } from './election/election-timings.ts';
import { LeaderElector, LeadershipLostError } from './election/leader-elector.ts';
import type { KnownNode } from './evidence/known-node.ts';
import { defaultSightRules, type SightRules } from './evidence/sight.ts';
import { Prober } from './evidence/witnesses/prober.ts';
import { FleetWatches } from './evidence/witnesses/watches.ts';
import { DeviceQueue } from './fencing/device-queue.ts';
import { type HeardNode, StorageClients } from './fencing/drivers/storage-clients.ts';
import { fencersIn } from './fencing/ladder.ts';
import { HandOver } from './hand-over.ts';
import { type JournalEntry, type JournalHead, journalVersion } from './journal-format.ts';
import { journalSnapshot } from './journal-snapshot.ts';
import { LeadersLoop, tickMs } from './leaders-loop.ts';
import { Leadership } from './leadership.ts';
import type { Leading } from './leading.ts';
import { Observing, observedCluster } from './observing.ts';
import type { PauseStore } from './pausing/global-pause.ts';
import { GlobalPause, PauseKeeper } from './pausing/pause-keeper.ts';
import { builtInGuards } from './policy/decision.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import type { Policy } from './policy/policy.ts';
import { defaultReturnRules } from './returning/moves.ts';
import type { UnreadableRecord } from './takeover/cluster.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { fencedNow } from './takeover-witness.ts';
import { describeStatus, type StatusDocument } from './telling/status-document.ts';
import { StatusPublisher } from './telling/status-publisher.ts';
import type { LeaderTerm } from './term/leader-term.ts';
import { type Clock, type Random, sleep, systemClock, systemRandom } from './time/clock.ts';
import { WorldLoop } from './world-loop.ts';
import type { Fact, Intent, World } from './world-state.ts';

/** A leader that did not decide for this long hangs, and must not go on leading. */
const hangsAfterMs = 5_000;

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
  readonly #loop: WorldLoop;
  readonly #watches: FleetWatches;
  readonly #prober: Prober | undefined;
  readonly #storage: StorageClients | undefined;
  readonly #sightRules: SightRules;
  readonly #pause = new GlobalPause();
  readonly #devices = new DeviceQueue();
  readonly #handOver: HandOver | undefined;
  /** Whether the last term ended cleanly because we handed over, so that this replica may stand for election again. */
  #hasHandedOver = false;
  /** Rejects when the world could not be told something: then this replica must not go on. */
  readonly #broken = Promise.withResolvers<never>();
  #renewTime: string | undefined;
  #leadership: LeadersLoop | undefined;
  #drilling: Drill | undefined;
  #lookedAt: number | undefined;

  /** @throws RangeError for policies that name a fencer which isn't there, or for timings that don't fit. */
  constructor(options: ControllerOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#sightRules = { ...defaultSightRules, ...options.sight };
    checkOptions(options, this.#sightRules);
    this.#broken.promise.catch(() => {});
    this.#loop = new WorldLoop({
      rules: {
        policies: options.policies,
        guards: [...builtInGuards, ...(options.guards ?? [])],
        sight: this.#sightRules,
      },
      clock: this.#clock,
      wakesEveryMs: tickMs,
      perform: (intent) => this.#perform(intent),
      ...(options.onFact && { onFact: (fact, at) => this.#noteFact(fact, at) }),
      onRefused: ({ kind }, error) => this.#failed(`fact ${kind}`, error),
      onFailure: (error) => {
        if (this.#leadership === undefined) this.#broken.reject(error);
        else this.#leadership.fail(error);
      },
    });
    const { self } = options;
    this.#handOver =
      self &&
      new HandOver({
        self,
        clock: this.#clock,
        ownNode: () => this.#loop.world.ledger.nodes.get(self.nodeName),
        patienceMs: 2 * checkedTimings(options.election).leaseDurationMs,
        onError: (error) => this.#failed('hand-over', error),
      });
    this.#watches = new FleetWatches({
      reader: options.reader,
      clock: this.#clock,
      random: this.#random,
      tell: (fact) => this.#loop.tell(fact),
      election: options.election,
      onElectionLease: (lease) => {
        this.#renewTime = lease?.spec?.renewTime;
        this.#pause.leaseSeen(lease?.metadata);
        this.#notePause();
        this.#leadership?.leaseSeen(this.#renewTime);
      },
      onError: (where, error, retryInMs) => this.#failed(where, error, retryInMs),
    });
    this.#storage = this.#storageClients(options);
    this.#prober =
      options.probe &&
      new Prober({
        unwell: () => this.#those(({ unwell }) => unwell),
        unheard: () => this.#those(({ hostsUnheard }) => hostsUnheard),
        probe: options.probe,
        clock: this.#clock,
        intervalMs: options.probeIntervalMs ?? 2_000,
        onAnswer: (answer) => this.#loop.tell(answer),
      });
  }

  /** Only for fencers that need it, and only where they may be asked. */
  #storageClients({ fencers, mode, reader }: ControllerOptions): StorageClients | undefined {
    if (mode === 'observe' || fencers.every(({ notes }) => notes !== 'storage-clients')) return undefined;
    const heard = ({ node, health }: FleetNode): HeardNode => ({
      node,
      isHeard: health !== 'suspect' && health !== 'dead',
    });
    const nodes = (): World['ledger']['nodes'] => this.#loop.world.ledger.nodes;
    return new StorageClients({
      reader,
      clock: this.#clock,
      random: this.#random,
      nodeNamed: (name) => {
        const node = nodes().get(name);
        return node && heard(node);
      },
      nodes: function* () {
        for (const node of nodes().values()) yield heard(node);
      },
      onError: (error, retryInMs) => this.#failed('watch CSIAddonsNodes', error, retryInMs),
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

  /**
   * What is known of all nodes at this moment, by name. A copy: nothing in it changes later, and each call makes a new one, which
   * costs what the fleet is.
   */
  get fleet(): { readonly nodes: ReadonlyMap<string, FleetNode> } {
    return { nodes: new Map(this.#loop.world.ledger.nodes) };
  }

  /** Why nothing may be decided now; empty when we see. */
  get blind(): readonly string[] {
    return this.#loop.world.blind;
  }

  /**
   * When this replica last looked around, on its {@link Clock}: a healthy one does twice a second while it runs. As the
   * leader, when it last came to the end of deciding, so that one which no longer decides shows itself by it.
   */
  get lookedAt(): number | undefined {
    return this.#lookedAt;
  }

  /** Nodes that this replica is taking over: it works on them, from the claim until they are removed or kept. */
  get takeoversUnderWay(): readonly string[] {
    return this.#leadership?.leading.claimedTakeovers ?? [];
  }

  /** Nodes that were taken over while pods of theirs are still waited for. Nothing keeps them from coming back meanwhile. */
  get takeoversVerifying(): readonly string[] {
    return this.#leadership?.leading.verifyingTakeovers ?? [];
  }

  /** While we lead: what lies where records of takeovers lie and can't be used. It is left as it is. */
  get recordsSetAside(): readonly UnreadableRecord[] {
    return this.#leadership?.leading.recordsSetAside ?? [];
  }

  /** While we lead: for how many nodes each fencer was not ready when it was last asked, by the fencer's name. */
  get fencersNotReady(): ReadonlyMap<string, number> {
    return this.#drilling?.notReady() ?? new Map();
  }

  /** Names of the fencers that policies name and that can be asked whether they could fence. */
  get checkableFencers(): readonly string[] {
    const { fencers, policies, drill } = this.#options;
    if (drill === false) return [];
    const named = new Set(policies.flatMap(({ fencing }) => fencersIn(fencing)));
    return fencers.filter((one) => named.has(one.name) && canBeDrilled(one)).map(({ name }) => name);
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
    this.#loop.start();
    this.#watches.start();
    this.#prober?.start();
    this.#storage?.start();
    const ticking = Promise.race([this.#tick(stop.signal), this.#broken.promise]);
    // Nobody may stand for election who can't look; it is thrown below.
    ticking.catch(() => stop.abort());
    try {
      const elector = this.#elector();
      while (await this.#standForElection(elector, stop.signal));
    } finally {
      signal.removeEventListener('abort', onAbort);
      stop.abort();
      this.#loop.stop();
      await Promise.all([ticking, this.#prober?.stop(), this.#storage?.stop(), this.#watches.stop()]);
    }
  }

  /** Resolves to whether to stand again: when it has handed over, and nothing of its term is left. */
  async #standForElection(elector: LeaderElector, signal: AbortSignal): Promise<boolean> {
    this.#hasHandedOver = false;
    try {
      await elector.run((term, resign) => this.#lead(term, resign), signal);
      return false;
    } catch (error) {
      if (error instanceof LeadershipLostError && this.#hasHandedOver && !signal.aborted) return true;
      throw error;
    }
  }

  /**
   * How a journal begins that is written from this moment on.
   *
   * @param about - `program`: the version of what writes it. `part`: which file of this life it is, from 1 on; all but the first
   *   have to begin with what is known by then.
   */
  journalHead(about: { readonly program: string; readonly part: number }): JournalHead {
    const { identity, mode = 'act' } = this.#options;
    const { rules, ledger } = this.#loop.world;
    return {
      liberator: 'journal',
      version: journalVersion,
      ...about,
      identity,
      at: this.#clock.now(),
      wall: new Date(this.#clock.wallTime()).toISOString(),
      since: ledger.watchedSince,
      mode,
      policies: rules.policies,
      sight: rules.sight,
      guards: rules.guards.map(({ name }) => name),
    };
  }

  /**
   * Everything that is known at this moment, as entries of a journal. They are made as they are asked for, and are those of the
   * moment of the call however long that takes.
   */
  journalSnapshot(): Iterable<JournalEntry> {
    return journalSnapshot(this.#loop.world, this.#clock.now());
  }

  #noteFact(fact: Fact, at: number): void {
    try {
      this.#options.onFact?.(fact, at);
    } catch (error) {
      this.#failed('journal', error);
    }
  }

  /** What nobody can ever say yes to would hold for ever. */
  /** A pause is a matter of those who act: who only observes keeps none. */
  get #pauseStore(): PauseStore | undefined {
    return this.#options.mode === 'observe' ? undefined : this.#options.pauseStore;
  }

  #those(names: (ledger: World['ledger']) => Iterable<string>): readonly KnownNode<Policy>[] {
    const { ledger } = this.#loop.world;
    return [...names(ledger)].flatMap((name) => ledger.nodes.get(name) ?? []);
  }

  #elector(): LeaderElector {
    const { leaseStore, identity, election, minimumEpoch } = this.#options;
    const pauseStore = this.#pauseStore;
    return new LeaderElector({
      ...election,
      ...(minimumEpoch && { minimumEpoch }),
      newLeaseAnnotations: async () => {
        this.#pause.adopt(await pauseStore?.read());
        this.#notePause();
        return this.#pause.marks();
      },
      workIsAlive: () => this.#clock.now() - (this.#lookedAt ?? Number.NEGATIVE_INFINITY) < hangsAfterMs,
      // A watch that was filled and went stale is another matter: nobody may see any better, and somebody has to lead to
      // tell why nothing is done.
      mayLead: () => this.#watches.synced && this.#handOver?.mayLead() !== false,
      store: leaseStore,
      identity,
      clock: this.#clock,
      random: this.#random,
      onNewLeader: (leader) => {
        if (leader !== identity && leader !== '') this.#handOver?.sawLeader();
        if (leader !== identity) this.#tell('leadership', { identity, leader });
      },
      onError: (error) => this.#failed('election', error),
    });
  }

  async #lead(term: LeaderTerm, resign: (reason: string) => void): Promise<void> {
    let handsOver = false;
    const loop = this.#leadersLoop(term, (reason) => {
      handsOver = true;
      this.#tell('leadership', { identity: term.identity, leader: '', handedOver: reason });
      resign(reason);
    });
    this.#leadership = loop;
    this.#tell('leadership', { identity: term.identity, leader: term.identity, epoch: term.epoch });
    let failure: unknown;
    try {
      await loop.run();
    } catch (error) {
      failure = error;
      if (!term.signal.aborted) this.#failed('leading', error);
      // Before anything is waited for: whoever decides no more must not keep others from deciding.
      resign(`what the leader does failed: ${error instanceof Error ? error.message : String(error)}`);
      throw error;
    } finally {
      await loop.settled(failure);
      this.#hasHandedOver = handsOver && failure === undefined;
      this.#leadership = undefined;
      this.#drilling = undefined;
      this.#loop.tell({ kind: 'term-over' });
    }
  }

  #leadersLoop(term: LeaderTerm, makeWay: (reason: string) => void): LeadersLoop {
    const leading =
      this.#options.mode === 'observe'
        ? this.#observing(term)
        : this.#leadingIn(term, () => loop.heardOfTrouble(), makeWay);
    const publisher = this.#statusPublisher(term);
    const drill = this.#drill(term, leading);
    this.#drilling = drill;
    const loop = new LeadersLoop({
      term,
      clock: this.#clock,
      leading,
      publisher,
      pauseKeeper: this.#pauseKeeper(term),
      drill,
      inform: (fact) => this.#loop.tell(fact),
      look: () => this.#look(),
      attend: ({ tookUp }) => {
        if (tookUp) leading.attendReturns();
        if (tookUp) drill?.attend();
        leading.tell(this.blind);
        publisher?.offer(() => this.#describeStatus(term, leading, drill));
      },
      onAlive: () => this.#noteAlive(),
    });
    return loop;
  }

  #observing(term: LeaderTerm): Leading {
    return new Observing({
      term,
      clock: this.#clock,
      world: () => this.#loop.world,
      inform: (fact) => this.#loop.tell(fact),
      cluster: observedCluster(this.#options.cluster),
      onDecision: (change) => this.#tell('decision', change),
      onObserved: (takeover) => this.#tell('observed', takeover),
      onOmitted: (omitted) => this.#tell('omitted', omitted),
      onIgnoredConfirmation: (change) => this.#tell('confirmation', change),
      onSetAside: (record) => this.#tell('setAside', record),
      onError: (where, error) => this.#failed(where, error),
    });
  }

  /** Announced first, so that it is on record and told before nothing of this term can be written any more. */
  async #handsOver(
    { node }: TakeoverRecord,
    first: boolean,
    makeWay: (reason: string) => void,
  ): Promise<string | undefined> {
    if (node.name !== this.#handOver?.nodeName || !(await this.#handOver.isDue())) return undefined;
    const reason = `this replica runs on ${node.name}, which is to be fenced, and another one is ready to lead: it hands over first`;
    if (!first) makeWay(reason);
    return reason;
  }

  #leadingIn(term: LeaderTerm, onTrouble: () => void, makeWay: (reason: string) => void): Leading {
    const { cluster, fencers, probe } = this.#options;
    const storage = this.#storage;
    return new Leadership({
      term,
      clock: this.#clock,
      world: () => this.#loop.world,
      inform: (fact) => this.#loop.tell(fact),
      cluster,
      fencers,
      devices: this.#devices,
      ...(this.#handOver && { handOver: (record, first) => this.#handsOver(record, first, makeWay) }),
      ...(probe && { probe }),
      ...(storage && { storageOf: (node) => storage.of(node) }),
      onDecision: (change) => this.#tell('decision', change),
      onProgress: (progress) => this.#tell('takeover', progress),
      returnRules: { ...defaultReturnRules, ...this.#options.returning },
      onReturn: (progress) => this.#tell('return', progress),
      onOmitted: (omitted) => this.#tell('omitted', omitted),
      onTrouble: (change) => this.#tell('trouble', change),
      onIgnoredConfirmation: (change) => this.#tell('confirmation', change),
      onSetAside: (record) => this.#tell('setAside', record),
      onError: (where, error) => {
        onTrouble();
        this.#failed(where, error);
      },
    });
  }

  /** It asks and tells, whether its leader acts or only observes. */
  #drill(term: LeaderTerm, leading: Leading): Drill | undefined {
    const { drill, fencers } = this.#options;
    if (drill === false) return undefined;
    return new Drill({
      term,
      clock: this.#clock,
      rules: { ...defaultDrillRules, ...drill },
      fencers,
      nodes: () => this.#loop.world.ledger.nodes,
      unwell: () => this.#loop.world.ledger.unwell,
      atWork: () => fencedNow(this.#loop.world),
      devices: this.#devices,
      publish: (event) => leading.publish(event),
      onChecked: (checked) => {
        const { node, uid, fencer, check } = checked;
        const { outcome, detail } = check;
        this.#loop.tell({ kind: 'fence-check', node, uid, fencer, outcome, detail });
        this.#tell('fenceCheck', checked);
      },
    });
  }

  #noteAlive(): void {
    this.#lookedAt = this.#clock.now();
  }

  #statusPublisher(term: LeaderTerm): StatusPublisher | undefined {
    const { status } = this.#options;
    const onError = (error: unknown): void => this.#failed('status', error);
    return status && new StatusPublisher({ store: status, term, clock: this.#clock, onError });
  }

  #pauseKeeper(term: LeaderTerm): PauseKeeper | undefined {
    const store = this.#pauseStore;
    const onError = (error: unknown): void => this.#failed('pause', error);
    return store && new PauseKeeper({ pause: this.#pause, store, term, clock: this.#clock, onError });
  }

  #describeStatus(term: LeaderTerm, leading: Leading, drill: Drill | undefined): StatusDocument {
    const { decisions, claimedTakeovers, troubles } = leading;
    const { blind, paused, ledger } = this.#loop.world;
    const nodes = ledger.nodes.values();
    return describeStatus(
      {
        term,
        nodes,
        decisions,
        takeovers: claimedTakeovers,
        ...(this.#options.mode === 'observe' && { supposed: leading.supposedTakeovers }),
        troubles,
        blind,
        paused,
        setAside: leading.recordsSetAside,
        drill: drill?.describe(),
        holdsOn: (node) => leading.holdsOn(node),
        isUndecided: (node) => leading.isUndecided(node),
        ignoredConfirmationOn: (node) => leading.ignoredConfirmationOn(node),
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
      this.#handOver?.look();
      this.#noteAlive();
    } while (await sleep(this.#clock, tickMs, signal));
  }

  #look(): void {
    // At every look, since a watch may bring a renewal back before its own answer has arrived.
    this.#leadership?.leaseSeen(this.#renewTime);
    const { synced, stale } = this.#watches;
    const known = this.#loop.world.watches;
    if (synced !== known.synced || stale.join() !== known.stale.join())
      this.#loop.tell({ kind: 'watches', synced, stale });
    this.#notePause();
    this.#loop.wake();
  }

  #notePause(): void {
    const { paused } = this.#pause;
    if (paused !== this.#loop.world.paused) this.#loop.tell({ kind: 'pause', paused });
  }

  #perform(intent: Intent): void {
    if (intent.kind === 'health') this.#tell('health', intent.change);
    if (intent.kind === 'sight') this.#tell('sight', { blind: intent.blind });
    else this.#leadership?.perform(intent);
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
