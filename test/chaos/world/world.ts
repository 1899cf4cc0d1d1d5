// A whole cluster with everything that may fail in it, made from a scenario; nothing in it moves by itself.
import { type Fencer, manualFencer, noneFencer, type TransportRequest } from '@liberator/core';
import { type Machine, resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { tokenRefusal } from './fencing-token.ts';
import { type AppliedWrite, Front } from './front.ts';
import { HumanTouch } from './human-touch.ts';
import { PowerSwitch } from './power-switch.ts';
import type { ProcessGate } from './process-gate.ts';
import { type Defect, election, Replica } from './replica.ts';
import type { Scenario } from './scenario.ts';
import { Trace } from './trace.ts';
import { Truth } from './truth.ts';
import type { Watched, Watcher } from './watcher.ts';
import { deployment, statefulSet } from './workloads.ts';
import { type Write, writeOf } from './writes.ts';

/** How long it takes until a replica that was killed at a switch is started anew. */
const restartMs = 20_000;

const asChaos = { user: 'chaos' };

/** The first thing that went wrong. */
export interface Violation {
  readonly invariant: string;
  readonly sentence: string;
  readonly found: string;
}

export class World implements AsyncDisposable {
  readonly scenario: Scenario;
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly simulator: Simulator;
  readonly front: Front;
  readonly truth: Truth;
  /** What people and other programs do to it. */
  readonly human: HumanTouch;
  /** The rungs of the ladder, in its order; the last one is the power switch that works. */
  readonly switches: readonly PowerSwitch[];
  readonly replicas: readonly Replica[];
  readonly #watchers: { readonly invariant: Watched<World>; readonly watcher: Watcher }[] = [];
  /** Facts that are not held against anybody, but told at the end. */
  readonly #remarks: string[] = [];
  #violation: Violation | undefined;
  #calm = false;
  #quietSince = 0;
  #killsAtSwitch = 0;

  private constructor(
    scenario: Scenario,
    made: { clock: VirtualClock; front: Front; simulator: Simulator; defect: Defect },
  ) {
    const { clock, front, simulator, defect } = made;
    const { seed, policy, switches, repairMs } = scenario;
    this.scenario = scenario;
    this.clock = clock;
    this.front = front;
    this.simulator = simulator;
    this.trace = new Trace(clock);
    this.truth = new Truth(simulator, clock);
    this.human = new HumanTouch(this);
    this.switches = switches.map(
      ({ name, takesMs, usually, timeoutMs, proof }) =>
        new PowerSwitch({
          name,
          clock,
          machine: (target) => simulator.machine(target),
          takesMs,
          usually,
          timeoutMs,
          ...(proof !== undefined && { proof }),
          onBelated: (machine) => {
            this.note(name, `${machine.name} off, as it was told before`);
            clock.setTimeout(() => this.#repair(machine), repairMs);
          },
          onOrder: (machine) => this.#ask((watcher) => watcher.ordered?.(machine, name)),
          onOff: (machine) => {
            this.note(name, `${machine.name} off`);
            this.#ask((watcher) => watcher.fenced?.(machine, name));
            clock.setTimeout(() => this.#repair(machine), repairMs);
          },
        }),
    );
    this.replicas = scenario.replicas.map(
      ({ name, clockRate, wallOffsetMs = 0 }) =>
        new Replica({
          seed,
          name,
          clockRate,
          wallOffsetMs,
          clock,
          trace: this.trace,
          transport: () => simulator.transport({ user: name }),
          probe: simulator.probe(),
          policies: [policy],
          fencers: (gate) => this.#fencers(gate, name),
          onSend: (replica, request) => this.#sent(replica, request),
          defect,
        }),
    );
  }

  static async make(
    scenario: Scenario,
    invariants: readonly Watched<World>[],
    defect: Defect = {},
  ): Promise<World> {
    const { seed, nodes, sets, deployments = [], podGcMs } = scenario;
    // Timers of one instant fire in an order drawn from the seed: every seed tries another.
    const clock = new VirtualClock({ tieBreak: seededRandom(`${seed}/order`) });
    let world: World | undefined;
    const checksToken = scenario.fencingToken && defect.tokenIgnored !== true;
    const front = new Front(
      (applied) => world?.applied(applied),
      (write, body) => (checksToken ? world?.refusal(write, body) : undefined),
    );
    const simulator = await Simulator.start({
      nodes,
      clock,
      random: seededRandom(`${seed}/simulator`),
      timings: { podGcMs },
      inFront: (server) => front.before(server),
    });
    simulator.store.create(resources.namespaces, { metadata: { name: election.namespace } }, asChaos);
    for (const set of sets) simulator.store.create(resources.statefulsets, statefulSet(set), asChaos);
    for (const one of deployments) simulator.store.create(resources.deployments, deployment(one), asChaos);
    world = new World(scenario, { clock, front, simulator, defect });
    for (const invariant of invariants) {
      world.#watchers.push({ invariant, watcher: invariant.watch(world) });
    }
    return world;
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Nothing fails any more from now on, and what failed is repaired. */
  get calm(): boolean {
    return this.#calm;
  }

  /** The one that works unless something happens to it. @throws RangeError when the policy's ladder has none. */
  get powerSwitch(): PowerSwitch {
    const last = this.switches.at(-1);
    if (last === undefined) throw new RangeError('expected a power switch in the ladder, found none');
    return last;
  }

  /** Machines of which some switch ever said without reason that they are off. */
  get liedAbout(): ReadonlySet<string> {
    return new Set(this.switches.flatMap(({ liedAbout }) => [...liedAbout]));
  }

  /** From when on nothing has been, or will be, between the replicas and the API server, as far as is known now. */
  get quietSince(): number {
    return this.#quietSince;
  }

  /** Something comes between them for this long. */
  disturbed(forMs: number): void {
    this.#quietSince = Math.max(this.#quietSince, this.clock.now() + forMs);
  }

  /** Whoever hears next what a switch came to dies before it can write that down. */
  killAtSwitch(): void {
    this.#killsAtSwitch++;
  }

  get remarks(): readonly string[] {
    return this.#remarks;
  }

  remark(text: string): void {
    this.#remarks.push(text);
    this.note('remark', text);
  }

  note(who: string, what: string): void {
    this.trace.note(who, what);
  }

  replica(name: string): Replica {
    const found = this.replicas.find((replica) => replica.name === name);
    if (found === undefined) throw new RangeError(`expected the name of a replica, found "${name}"`);
    return found;
  }

  /** Lets time pass; every invariant is asked after every event, and the first that is broken ends it. */
  async run(untilMs: number, reached: () => boolean = () => false): Promise<void> {
    // A timer, so that the clock stops there even when nothing else is due.
    let over = false;
    const timer = this.clock.setTimeout(() => {
      over = true;
    }, untilMs - this.clock.now());
    await this.clock.runUntil(
      () => {
        this.truth.observe();
        this.#ask((watcher) => watcher.check?.());
        return over || this.#violation !== undefined || reached();
      },
      { limitMs: untilMs - this.clock.now() + 1 },
    );
    this.clock.clearTimeout(timer);
  }

  /** Ends all faults, and repairs what is broken, except for a machine that is to stay off. */
  calmDown(): void {
    this.#calm = true;
    this.#quietSince = Math.min(this.#quietSince, this.clock.now());
    this.note('chaos', 'all faults end');
    this.simulator.faults.clear();
    this.#killsAtSwitch = 0;
    for (const one of this.switches) one.recover();
    this.human.putRight();
    for (const replica of this.replicas) {
      replica.link.heal();
      replica.isolated = false;
      replica.resume();
      replica.start();
    }
    for (const machine of this.simulator.nodes) {
      machine.resume();
      machine.heal();
      if (machine.name === this.scenario.staysOff) machine.crash();
      else machine.powerOn();
      machine.startKubelet();
    }
  }

  violate(violation: Violation): void {
    if (this.#violation !== undefined) return;
    this.#violation = violation;
    this.note('VIOLATION', `${violation.invariant}: ${violation.found}`);
  }

  /** Told by the front, after the server did what it did. */
  applied(applied: AppliedWrite): void {
    const { user, write, status } = applied;
    if (write.kind !== 'event' && write.kind !== 'election') {
      this.note(user, `${write.kind} ${write.name ?? ''} -> ${status}`);
    }
    this.#ask((watcher) => watcher.applied?.(applied));
  }

  /** Why the server's own fencing token refuses a write. */
  refusal(write: Write, body: string | undefined): string | undefined {
    const { truth } = this;
    const patch = body === undefined ? {} : JSON.parse(body);
    return tokenRefusal(write, patch, truth.node(write.name ?? ''), truth.electionLease);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.replicas) replica.kill();
    await this.simulator.stop();
  }

  #sent(replica: Replica, request: TransportRequest): void {
    const write = writeOf(request);
    if (write === undefined) return;
    // Only the first mark changes anything.
    const again = write.kind === 'mark-out-of-service' && this.truth.isOutOfService(write.name ?? '');
    const sent = { replica, write: again ? { ...write, kind: 'change-node' as const } : write };
    this.#ask((watcher) => watcher.sent?.(sent));
  }

  #ask(question: (watcher: Watcher) => string | undefined): void {
    for (const { invariant, watcher } of this.#watchers) {
      const found = question(watcher);
      if (found !== undefined) {
        this.violate({ invariant: invariant.name, sentence: invariant.sentence, found });
      }
    }
  }

  #killAt(fencer: string, name: string): void {
    this.#killsAtSwitch--;
    this.note('chaos', `kills ${name}, which has just heard from ${fencer}`);
    this.disturbed(restartMs);
    const replica = this.replica(name);
    replica.kill();
    this.clock.setTimeout(() => replica.start(), restartMs);
  }

  #repair(machine: Machine): void {
    if (machine.isAlive() || (this.#calm && machine.name === this.scenario.staysOff)) return;
    this.note('human', `switches ${machine.name} on`);
    machine.powerOn();
  }

  #fencers(gate: ProcessGate, replica: string): readonly Fencer[] {
    const ladder = this.switches.map(
      ({ fencer }): Fencer => ({
        ...fencer,
        fence: async (target, context) => {
          const result = await fencer.fence(target, context);
          if (this.#killsAtSwitch > 0 && !gate.dead) this.#killAt(fencer.name, replica);
          await gate.passage();
          return result;
        },
      }),
    );
    return [...ladder, manualFencer, noneFencer];
  }
}
