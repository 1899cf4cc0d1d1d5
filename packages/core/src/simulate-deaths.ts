// What would be decided and done if some nodes died now: the same world that a replica keeps, fed with facts in virtual time.
import type { Health } from './evidence/judgement.ts';
import type { KnownNode } from './evidence/known-node.ts';
import { defaultHeartbeatDetection } from './evidence/rules.ts';
import { defaultSightRules } from './evidence/sight.ts';
import { fencersIn } from './fencing/ladder.ts';
import { builtInGuards, type Decision } from './policy/decision.ts';
import type { Guard } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import { Evacuation } from './preflight/deaths/evacuation.ts';
import {
  holdsOf,
  type SimulatedEvent,
  type SimulatedMoment,
  type SimulatedNode,
  type SimulatedOutcome,
} from './preflight/deaths/moment.ts';
import { Schedule } from './preflight/deaths/schedule.ts';
import type {
  FencerAssumption,
  SimulateDeathsOptions,
  SimulatedDeaths,
} from './preflight/deaths/simulation.ts';
import { VirtualFleet } from './preflight/deaths/virtual-fleet.ts';
import { SimulatedTakeovers } from './simulated-takeovers.ts';
import { nextWakeAt, step } from './world.ts';
import { type Fact, type Intent, newWorld, type World } from './world-state.ts';

const defaultFencers: Readonly<Record<string, FencerAssumption>> = {
  manual: 'waits-for-human',
  none: { proof: 'none', tookMs: 0 },
};

/** As an agent has it that is told nothing else. */
const defaultProbe = { intervalMs: 2_000, timeoutMs: 3_000 } as const;

/** As the loops of a replica do. */
const lookEveryMs = 500;
const lookTogetherMs = 50;

/** A client-go candidate renews this often. */
const renewEveryMs = 2_000;

const electedAfterMs = 17_000;

/** How often to look whether anything can still change. */
const settledEveryMs = 5_000;

/**
 * What would be decided, released and placed where, and when, if nodes died now. Pure: nothing is read or written, no clock is
 * asked, and the same options give the same answer.
 *
 * It begins as a replica that has watched for some minutes, decided nothing, and leads from the moment of the deaths on: nodes
 * that Kubernetes calls Unknown are silent already, all others renew their Leases until they are killed, as much out of step as
 * they last did by their own clocks, and their hosts are known to answer probes. Whatever runs out runs from then: a death of before counts towards the budget for a whole window,
 * and marks of maintenance hold for as long as they may, as for every leader that has just begun. Nobody reboots anything,
 * and nothing that is killed comes back. Where pods go is judged as in {@link takeoverProspects}, one after another. Of nodes
 * that are not released by the end, `pods` says what would become of them if they were, after all others.
 *
 * @throws RangeError for a node to be killed that isn't there, or a fencer of which nothing is known
 */
export function simulateDeaths(options: SimulateDeathsOptions): SimulatedDeaths {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulateDeathsOptions;
  readonly #killed: ReadonlySet<string>;
  readonly #killAt: number;
  readonly #quietMs: number;
  readonly #guards: readonly Guard[];
  readonly #schedule = new Schedule();
  readonly #fleet: VirtualFleet;
  readonly #evacuation: Evacuation;
  readonly #takeovers: SimulatedTakeovers;
  readonly #timeline: SimulatedMoment[] = [];
  readonly #deadAt = new Map<string, number>();
  #world: World;
  #now = 0;
  #wokeAt = Number.NEGATIVE_INFINITY;
  #lastAt = 0;
  #settled = false;
  #leaderless = false;
  /** What was found as it is, before anything died, is nobody's news. */
  #telling = false;

  constructor(options: SimulateDeathsOptions) {
    this.#options = options;
    const { cluster, policies, guards = [], probe = {}, how = 'crash' } = options;
    const sight = { ...defaultSightRules, ...options.sight };
    const fencers = { ...defaultFencers, ...options.fencers };
    check(options, fencers);
    this.#killed = new Set(options.kill);
    this.#guards = guards;
    // What was silent before must be known for dead, and what happens afterwards must not be cut off.
    this.#quietMs = sight.togetherMs + longestDetectionMs(policies) + 30_000;
    this.#killAt = this.#quietMs;
    this.#world = newWorld(
      { policies: policies.map(asIfChecked), guards: [...builtInGuards, ...guards], sight },
      0,
    );
    this.#evacuation = new Evacuation(cluster, this.#killed);
    const now = (): number => this.#now;
    this.#fleet = new VirtualFleet({
      nodes: cluster.nodes,
      leases: cluster.leases,
      killed: this.#killed,
      how,
      killAt: this.#killAt,
      heartbeatIntervalMs: sight.heartbeatIntervalMs,
      probe: probe === false ? undefined : { ...defaultProbe, ...probe },
      schedule: this.#schedule,
      now,
      tell: (fact) => this.#inform(fact),
      toAsk: () => this.#hostsToAsk(),
    });
    this.#takeovers = new SimulatedTakeovers({
      schedule: this.#schedule,
      evacuation: this.#evacuation,
      fleet: this.#fleet,
      fencers,
      confirmAfterMs: options.confirmAfterMs,
      world: () => this.#world,
      now,
      inform: (fact) => this.#inform(fact),
      tell: (event) => this.#tell(event),
    });
  }

  run(): SimulatedDeaths {
    const { paused, forMs = 1_800_000 } = this.#options;
    const end = this.#killAt + forMs;
    // Before anything else of that moment.
    this.#schedule.at(this.#killAt, () => this.#beginDying());
    this.#fleet.begin();
    this.#inform({ kind: 'watches', synced: true, stale: [] });
    this.#inform({ kind: 'pause', paused });
    this.#schedule.every(renewEveryMs, renewEveryMs, () => this.#inform({ kind: 'echo', sentAt: this.#now }));
    this.#schedule.every(lookEveryMs, lookEveryMs, () => this.#wake());
    this.#schedule.every(settledEveryMs, this.#killAt + settledEveryMs, () => {
      this.#settled = this.#isSettled();
    });
    while (!this.#settled) {
      const wakeAt = this.#wakeAt();
      const at = Math.max(this.#now, Math.min(wakeAt, this.#schedule.nextAt));
      if (at > end) break;
      this.#now = at;
      // What is heard at this moment comes before what it means.
      if (this.#schedule.nextAt <= at) this.#schedule.runNext();
      else this.#wake();
    }
    return this.#report();
  }

  #wakeAt(): number {
    const wanted = nextWakeAt(this.#world, this.#now);
    return this.#world.stirred ? wanted : Math.max(wanted, this.#wokeAt + lookTogetherMs);
  }

  #wake(): void {
    this.#wokeAt = this.#now;
    this.#inform({ kind: 'wake' });
  }

  /** With all that earlier leaders left on record. */
  #lead(): void {
    const { takeovers = [], setAside = [] } = this.#options;
    const epochs = takeovers.map(({ epoch, order }) => Math.max(epoch, order?.epoch ?? 0));
    this.#inform({ kind: 'term', epoch: epochs.reduce((most, epoch) => Math.max(most, epoch), 0) + 1 });
    this.#inform({ kind: 'echo', sentAt: this.#now });
    this.#inform({ kind: 'set-aside', records: setAside });
    this.#takeovers.takeUp(takeovers);
  }

  /**
   * Nobody leads before: a term would let holds run out, decide about what lies dead, and finish what is under way, all in
   * minutes that never were.
   */
  #beginDying(): void {
    this.#world = { ...this.#world, ledger: seenFrom(this.#world.ledger, this.#now) };
    const { leader, how = 'crash' } = this.#options;
    // Without its kubelet a container goes on.
    const survives = leader === undefined || how !== 'crash' || !this.#killed.has(leader.on);
    if (survives) this.#lead();
    this.#telling = true;
    if (this.#world.blind.length > 0) this.#tell({ kind: 'sight', blind: this.#world.blind });
    if (survives) return;
    this.#tell({ kind: 'leader', state: 'gone' });
    if (leader.others.every((node) => this.#killed.has(node))) {
      this.#leaderless = true;
      this.#tell({ kind: 'leader', state: 'never' });
      return;
    }
    this.#schedule.at(this.#now + (leader.electedAfterMs ?? electedAfterMs), () => {
      this.#tell({ kind: 'leader', state: 'elected' });
      this.#lead();
    });
  }

  /** Those whose hosts may still change what is known of them. */
  *#hostsToAsk(): Iterable<string> {
    const { nodes, unwell } = this.#world.ledger;
    for (const name of unwell) {
      const known = nodes.get(name);
      if (known?.policy === undefined) continue;
      const { detection } = known.policy;
      const { silentProbes } = detection.mode === 'poll' ? defaultHeartbeatDetection : detection;
      if (known.state.silentProbes < silentProbes) yield name;
    }
  }

  #inform(fact: Fact): void {
    const { world, intents } = step(this.#world, fact, this.#now);
    this.#world = world;
    for (const intent of intents) this.#perform(intent);
  }

  #perform(intent: Intent): void {
    switch (intent.kind) {
      case 'health': {
        const { node, from, to, assessment } = intent.change;
        const { evidence, reasons } = assessment;
        this.#tell({ kind: 'health', node, from, to, evidence, reasons });
        if (to === 'dead') this.#deadAt.set(node, this.#now);
        return;
      }
      case 'sight':
        this.#tell({ kind: 'sight', blind: intent.blind });
        return;
      case 'decided': {
        const holds = holdsOf(intent.decision);
        if (holds.length > 0) this.#tell({ kind: 'held', node: intent.node.node.metadata.name, holds });
        return;
      }
      case 'take-over':
        this.#takeovers.begin(intent.node, intent.decision);
        return;
      case 'windows-passed':
        return;
    }
  }

  #tell(event: SimulatedEvent): void {
    if (!this.#telling) return;
    const at = Math.round(this.#now - this.#killAt);
    this.#lastAt = at;
    this.#timeline.push({ ...event, at });
  }

  /** Nothing happened for long enough, and nobody knows a time at which anything will. */
  #isSettled(): boolean {
    if (this.#now - this.#killAt - this.#lastAt < this.#quietMs) return false;
    if (!this.#takeovers.isQuiet && !this.#leaderless && this.#world.blind.length === 0) return false;
    // Guards of others may change their mind at any moment.
    if (this.#guards.length > 0) return false;
    const decisions = [...(this.#world.term?.decisions.values() ?? [])];
    return this.#world.blind.length > 0 || decisions.every((one) => one.nextCheckAt === undefined);
  }

  #report(): SimulatedDeaths {
    const { nodes } = this.#options.cluster;
    const names = nodes.map(({ metadata }) => metadata.name).filter((name) => this.#isOfInterest(name));
    // Whoever was released has taken its room already; then those that wait, in their order, then the rest.
    const begun = [...this.#takeovers.all.keys()].filter((name) => names.includes(name));
    const found = [...new Set([...begun, ...names])].map((name) => this.#describe(name));
    const { blind } = this.#world;
    const needed = this.#confirmationsToSee();
    return {
      timeline: this.#timeline,
      nodes: found,
      blind,
      ...(needed !== undefined && { confirmationsToSee: needed }),
      lastAt: this.#lastAt,
      ended: this.#settled ? 'settled' : 'time',
    };
  }

  #isOfInterest(name: string): boolean {
    const health: Health | undefined = this.#world.ledger.nodes.get(name)?.health;
    return (
      this.#killed.has(name) || this.#takeovers.all.has(name) || (health !== undefined && health !== 'alive')
    );
  }

  #describe(name: string): SimulatedNode {
    const known = this.#world.ledger.nodes.get(name);
    const takeover = this.#takeovers.all.get(name);
    const decision = this.#world.term?.decisions.get(name);
    const killed = this.#killed.has(name);
    const policy =
      known?.policy ?? this.#world.ledger.gone.findLast((one) => one.node.metadata.name === name)?.policy;
    const outcome: SimulatedOutcome = takeover?.state ?? outcomeOf(this.#world, known, decision);
    const goesOn = this.#options.how === 'stop-kubelet' || !killed;
    const left = takeover?.left ?? (goesOn ? { pods: [], stays: 0 } : this.#evacuation.empty(name));
    const deadAt = this.#deadAt.get(name);
    return {
      name,
      killed,
      ...(policy && { policy: policy.name }),
      outcome,
      holds: outcome === 'held' && decision !== undefined ? holdsOf(decision) : this.#takeovers.holdsOn(name),
      ...timeOf('deadAt', deadAt, this.#killAt),
      ...timeOf('admittedAt', takeover?.admittedAt, this.#killAt),
      ...timeOf('releasedAt', takeover?.releasedAt, this.#killAt),
      ...left,
    };
  }

  /** Whoever is confirmed takes no part any more: neither among those that fell silent, nor among those that could have. */
  #confirmationsToSee(): number | undefined {
    const { blind, ledger } = this.#world;
    const { heard, silent } = ledger;
    if (blind.length === 0 || silent.size === heard || silent.size <= heard / 2) return undefined;
    return 2 * silent.size - heard;
  }
}

/** Of a node of which no takeover was begun here. */
function outcomeOf(
  { blind, term }: World,
  known: KnownNode<Policy> | undefined,
  decision: Decision | undefined,
): SimulatedOutcome {
  if (known === undefined || known.policy === undefined) return 'left-alone';
  if (known.health === 'alive' || known.health === 'returning') return known.health;
  const work = term?.work.get(known.node.metadata.name);
  if (work !== undefined) return work === 'waits' ? 'waits' : 'under-way';
  if (decision?.action === 'hold') return 'held';
  // Whoever sees, and leads, decides about every death that was not taken over already.
  return known.health === 'dead' && term !== undefined && blind.length === 0 ? 'over' : 'undecided';
}

function timeOf<K extends string>(
  key: K,
  at: number | undefined,
  zero: number,
): { readonly [P in K]?: number } {
  // What happened before is nobody's question.
  return (at === undefined || at < zero ? {} : { [key]: Math.round(at - zero) }) as {
    readonly [P in K]?: number;
  };
}

/** The ledger of one who knows all that this one knows, and has only just seen it. */
function seenFrom(ledger: World['ledger'], at: number): World['ledger'] {
  return {
    ...ledger,
    watchedSince: at,
    deaths: ledger.deaths.map((death) => ({ ...death, since: at })),
    nodes: ledger.nodes.map((known) =>
      known.maintenance === undefined
        ? known
        : known.with({ maintenance: { ...known.maintenance, seenAt: at } }),
    ),
  };
}

function longestDetectionMs(policies: readonly Policy[]): number {
  const times = policies.map(({ detection }) =>
    detection.mode === 'poll'
      ? detection.intervalMs * (detection.threshold + 3) + 60_000
      : detection.deadUnprobedAfterMs,
  );
  return Math.max(60_000, ...times);
}

function check(
  { cluster, policies, kill }: SimulateDeathsOptions,
  fencers: Readonly<Record<string, FencerAssumption>>,
): void {
  const names = new Set(cluster.nodes.map(({ metadata }) => metadata.name));
  const unknown = kill.find((name) => !names.has(name));
  if (unknown !== undefined) {
    throw new RangeError(`expected the name of a node, found ${unknown}`);
  }
  for (const { name, fencing } of policies) {
    const missing = fencersIn(fencing).find((driver) => !Object.hasOwn(fencers, driver));
    if (missing !== undefined) {
      throw new RangeError(
        `policy ${name}: expected a fencer among ${Object.keys(fencers).join(', ')}, found ${missing}`,
      );
    }
  }
}

/** Nobody asks a device in a simulation: its fencers do what they are said to do. */
function asIfChecked(policy: Policy): Policy {
  const { maxCheckAgeMs: _, ...fencing } = policy.fencing;
  return { ...policy, fencing };
}
