// One replica of the real controller, with a process, a clock and a network of its own that can fail.
import {
  type Clock,
  type Connection,
  Controller,
  type ControllerOptions,
  connect,
  type LeaderTerm,
  type NodeProbe,
  type Transport,
  type TransportRequest,
} from '@liberator/core';
import { seededRandom } from '@liberator/simulator';
import { Link, LinkedTransport, recording } from './link.ts';
import { ProcessClock } from './process-clock.ts';
import { ProcessGate } from './process-gate.ts';
import type { Trace } from './trace.ts';

export const election: { readonly namespace: string; readonly name: string } = {
  namespace: 'liberator',
  name: 'liberator',
};

/** Everything that a mutation may exchange before a controller is made of it. */
type Parts = ControllerOptions;

export interface ReplicaOptions {
  readonly seed: number;
  readonly name: string;
  readonly clockRate: number;
  /** How wrong the wall clock of its machine is from the start. */
  readonly wallOffsetMs: number;
  readonly clock: Clock;
  readonly trace: Trace;
  readonly transport: () => Transport;
  readonly probe: NodeProbe;
  readonly policies: ControllerOptions['policies'];
  readonly fencers: (gate: ProcessGate) => ControllerOptions['fencers'];
  readonly onSend: (replica: Replica, request: TransportRequest) => void;
  /** What deliberate defects make of the transports and of the parts; the identity when there is none. */
  readonly defect: Defect;
}

/** One place in a source file of core, as it would read with a defect in it. */
export interface Edit {
  /** From `packages/core/src/` on. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** How a deliberate defect is built in: around the real parts, or into their source. */
export interface Defect {
  /** Made before anything of core is loaded, hence in a thread of its own. */
  readonly edits?: readonly Edit[];
  /** The API server has a fencing token that lets everything through. */
  readonly tokenIgnored?: true;
  readonly transport?: (transport: Transport) => Transport;
  readonly parts?: (parts: Parts, replica: string) => Parts;
}

/** How long it takes until a process that ended is started anew. */
const restartMs = 2_000;

interface Life {
  readonly gate: ProcessGate;
  readonly clock: ProcessClock;
  readonly controller: Controller;
  readonly stop: AbortController;
  readonly transports: readonly Transport[];
}

export class Replica {
  readonly name: string;
  readonly link: Link = new Link();
  readonly #options: ReplicaOptions;
  #life: Life | undefined;
  #lives = 0;
  #frozen = false;
  /** Of its machine, so that it outlives the process. */
  #wallOffsetMs: number;
  /** Whether it sees no host either while its link is cut. */
  isolated = false;

  constructor(options: ReplicaOptions) {
    this.name = options.name;
    this.#wallOffsetMs = options.wallOffsetMs;
    this.#options = options;
  }

  get clockRate(): number {
    return this.#options.clockRate;
  }

  get controller(): Controller | undefined {
    return this.#life?.controller;
  }

  /** Runs, or could at any moment: one in a frozen machine can't. */
  get running(): boolean {
    return this.#life !== undefined && !this.#frozen;
  }

  get paused(): boolean {
    return this.#life !== undefined && !this.#life.gate.open;
  }

  get leading(): LeaderTerm | undefined {
    return this.#life?.controller.leading;
  }

  /** The reasons of its own for which it sees nothing. */
  get blind(): readonly string[] {
    return this.#life?.controller.blind ?? [];
  }

  start(): void {
    if (this.#life !== undefined) return;
    const { seed, name, clockRate, clock: base, policies } = this.#options;
    const identity = `${name}-${++this.#lives}`;
    const gate = new ProcessGate(base);
    const clock = new ProcessClock(base, gate, clockRate);
    clock.jumpWallTime(this.#wallOffsetMs);
    const random = seededRandom(`${seed}/${identity}`);
    const transports = [this.#transport(gate), this.#transport(gate)] as const;
    const connection: Connection = connect({
      transport: transports[0],
      leaseTransport: transports[1],
      namespace: election.namespace,
      election,
      identity,
      clock,
      random,
    });
    const parts: Parts = {
      ...connection,
      election,
      identity,
      policies,
      fencers: this.#options.fencers(gate),
      probe: this.#probe(gate),
      clock,
      random,
    };
    const controller = new Controller(this.#options.defect.parts?.(parts, name) ?? parts);
    const life: Life = { gate, clock, controller, stop: new AbortController(), transports };
    this.#life = life;
    this.#listen(controller);
    this.#note(`starts as ${identity}`);
    controller.run(life.stop.signal).then(
      () => this.#ended(life, 'done'),
      (error: unknown) => this.#ended(life, error instanceof Error ? error.message : String(error)),
    );
  }

  /** Asks it to end; it hands over first, and is started anew afterwards. */
  restart(): void {
    this.#life?.gate.run(() => this.#life?.stop.abort());
  }

  /** Ends it without a word. */
  kill(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#life = undefined;
    this.#frozen = false;
    life.gate.kill();
    for (const transport of life.transports) void transport.close();
  }

  /** Nothing of it runs until {@link resume}; with `frozen` its monotonic clock stands still meanwhile, too. */
  pause(frozen: boolean): void {
    if (this.#life === undefined) return;
    this.#life.gate.shut();
    if (frozen) this.#life.clock.freeze();
    this.#frozen ||= frozen;
  }

  resume(): void {
    this.#life?.clock.thaw();
    this.#frozen = false;
    this.#life?.gate.reopen();
  }

  jumpWallTime(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.#life?.clock.jumpWallTime(byMs);
  }

  #ended(life: Life, reason: string): void {
    if (this.#life !== life) return;
    this.#note(`ends: ${reason}`);
    this.kill();
    this.#options.clock.setTimeout(() => this.start(), restartMs);
  }

  #transport(gate: ProcessGate): Transport {
    const { transport, defect, onSend } = this.#options;
    const inner = recording(transport(), (request) => onSend(this, request));
    return new LinkedTransport({ inner: defect.transport?.(inner) ?? inner, link: this.link, gate });
  }

  #probe(gate: ProcessGate): NodeProbe {
    return async (node, signal) => {
      const answer = await this.#options.probe(node, signal);
      await gate.passage();
      return this.isolated && answer !== 'failed' ? 'silent' : answer;
    };
  }

  #listen(controller: Controller): void {
    controller.on('leadership', ({ leader, epoch }) =>
      this.#note(epoch === undefined ? `sees ${leader || 'nobody'} lead` : `leads, epoch ${epoch}`),
    );
    controller.on('sight', ({ blind }) => this.#note(blind.length ? `blind: ${blind.join('; ')}` : 'sees'));
    controller.on('health', ({ node, from, to, assessment }) =>
      this.#note(`${node} ${from} -> ${to} (${assessment.reasons.join('; ')})`),
    );
    controller.on('decision', ({ node, decision }) => this.#note(`${node} decision: ${decision.action}`));
    controller.on('takeover', ({ record, step, phase, detail }) =>
      this.#note(`takeover ${record.id} of ${record.node.name}: ${step} ${phase} ${detail}`),
    );
    controller.on('return', ({ node, move, detail }) => this.#note(`return of ${node}: ${move} ${detail}`));
    controller.on('error', ({ where, error }) =>
      this.#note(`error in ${where}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  #note(what: string): void {
    this.#options.trace.note(this.name, what);
  }
}
