// A machine under a node: power, network, containers and the kubelet process, each of which fails on its own.
import type { TimerHandle } from '@liberator/core';
import { generateUid } from '../store/object-names.ts';
import { between } from '../time/seeded-random.ts';
import { ContainerRuntime, type RunningPod } from './container-runtime.ts';
import type { ControllerContext } from './controller.ts';
import { Kubelet } from './kubelet.ts';
import type { NodeSpec } from './node-spec.ts';

/**
 * What somebody who knocks at the kubelet's port meets: `answered`, `refused` (the machine is up, nobody listens),
 * `silent` (no machine, or no way to it), `mute` (the connection opens and nothing follows).
 */
export type ProbeOutcome = 'answered' | 'refused' | 'silent' | 'mute';

/**
 * One machine. Its verbs are the ways in which real ones fail; each is idempotent and takes effect at once.
 *
 * What the API says of a node is an opinion; {@link Machine.runningPods} and {@link Machine.isAlive} are the truth.
 */
export class Machine {
  /** As it was put up. */
  readonly spec: NodeSpec;
  readonly #context: ControllerContext;
  readonly #runtime: ContainerRuntime;
  #bootId = '';
  #kubelet: Kubelet | undefined;
  #powered = false;
  #paused = false;
  #cut: 'everything' | 'api' | undefined;
  #booting: TimerHandle | undefined;
  #reconnecting: TimerHandle | undefined;

  /** @internal Simulators put up machines. */
  constructor(context: ControllerContext, spec: NodeSpec) {
    this.#context = context;
    this.spec = spec;
    this.#runtime = new ContainerRuntime(context.clock, spec.name);
  }

  /** The machine's and its Node's name. */
  get name(): string {
    return this.spec.name;
  }

  /** Of the current boot, or of the last one while the power is off. */
  get bootId(): string {
    return this.#bootId;
  }

  /** The pods whose containers exist on this machine, whatever the API says. Those of a paused machine will go on. */
  runningPods(): readonly RunningPod[] {
    return this.#runtime.list();
  }

  /** Whether it has power: whatever runs on it may still write. */
  isAlive(): boolean {
    return this.#powered;
  }

  /** What knocking at the kubelet's port from another machine comes to. */
  probe(): ProbeOutcome {
    if (!this.#powered || this.#cut === 'everything') return 'silent';
    if (this.#paused) return 'mute';
    return this.#kubelet === undefined ? 'refused' : 'answered';
  }

  /**
   * Switches it on: a new bootID, no containers, and the kubelet starts `bootMs` later (at once with
   * `{ bootMs: 0 }`).
   */
  powerOn(options: { readonly bootMs?: number } = {}): void {
    if (this.#powered) return;
    this.#powered = true;
    this.#bootId = generateUid(this.#context.random);
    const bootMs = options.bootMs ?? this.#context.timings.bootMs;
    if (bootMs === 0) this.startKubelet();
    else this.#booting = this.#context.clock.setTimeout(() => this.startKubelet(), bootMs);
  }

  /** Cuts the power: kubelet and containers are gone at that moment. */
  crash(): void {
    if (!this.#powered) return;
    this.#context.clock.clearTimeout(this.#booting);
    this.stopKubelet();
    this.#runtime.killAll();
    this.#powered = false;
    this.#paused = false;
  }

  /** Off and on again. */
  reboot(options: { readonly bootMs?: number } = {}): void {
    this.crash();
    this.powerOn(options);
  }

  /** Freezes it: nothing on it moves, connections to it open and stay mute; everything goes on after {@link Machine.resume}. */
  pause(): void {
    if (!this.#powered || this.#paused) return;
    this.#paused = true;
    this.#kubelet?.freeze();
  }

  /** Ends {@link Machine.pause}. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#kubelet?.thaw();
  }

  /** Ends the kubelet process; containers run on, and the port refuses connections. */
  stopKubelet(): void {
    this.#kubelet?.stop();
    this.#kubelet = undefined;
  }

  /** Starts the kubelet process: it registers the Node if there is none, and takes over the containers that it finds. */
  startKubelet(): void {
    if (!this.#powered || this.#kubelet !== undefined) return;
    this.#kubelet = new Kubelet(this.#context, {
      spec: this.spec,
      bootId: this.#bootId,
      runtime: this.#runtime,
    });
    this.#kubelet.start(this.#cut === undefined);
    if (this.#paused) this.#kubelet.freeze();
  }

  /** Whether its kubelet runs and has a way to the API server. */
  speaks(): boolean {
    return this.#cut === undefined && this.probe() === 'answered';
  }

  /**
   * Cuts it off from the API and from all other machines, or from the API alone, so that probes still reach it. Kubelet
   * and containers live on.
   */
  cut(options: { readonly from?: 'everything' | 'api' } = {}): void {
    const { from = 'everything' } = options;
    if (this.#cut === from) return;
    this.#cut = from;
    this.#context.clock.clearTimeout(this.#reconnecting);
    this.#kubelet?.disconnect();
  }

  /** Ends {@link Machine.cut}. The kubelet notices a moment later. */
  heal(): void {
    if (this.#cut === undefined) return;
    this.#cut = undefined;
    const { clock, random, timings } = this.#context;
    const delayMs = between(random, 0.5, 1.5) * timings.reconnectMs;
    this.#reconnecting = clock.setTimeout(() => this.#kubelet?.connect(), delayMs);
  }

  /** Ends everything without a trace, for the end of a simulation. */
  dispose(): void {
    this.crash();
    this.#context.clock.clearTimeout(this.#reconnecting);
  }
}
