// The front door: a whole small Kubernetes in one object, for tests and demos.
import { type NodeProbe, sleep, systemClock, systemRandom, type Transport } from '@liberator/core';
import type { RunningPod } from './controllers/container-runtime.ts';
import { controlPlaneOf } from './controllers/control-plane.ts';
import { type Controller, type ControllerContext, isFromInside } from './controllers/controller.ts';
import { Machine } from './controllers/machine.ts';
import type { NodeSpec } from './controllers/node-spec.ts';
import { timingsWith, wholeSeconds } from './controllers/timings.ts';
import { Admission } from './faults/admission.ts';
import { Faults } from './faults/faults.ts';
import type { AuditEvent } from './http/audit.ts';
import { createApiHandler } from './http/handler.ts';
import { type HttpServer, startHttpServer } from './http/http-server.ts';
import { createInMemoryTransport } from './http/in-memory-transport.ts';
import { kubeconfigFor } from './http/kubeconfig.ts';
import type { ApiHandler } from './http/request.ts';
import { machineSpecs, type SimulatorOptions } from './simulator-options.ts';
import { createStore } from './store/memory-store.ts';
import { resources } from './store/resources.ts';
import type { ServerStore, Store } from './store/store.ts';
import type { StoreWrite } from './store/store-options.ts';
import { VirtualClock } from './time/virtual-clock.ts';

/** The StorageClass that every simulated cluster has: its volumes are attached to one node at a time. */
export const simulatedStorageClass = 'standard';
const simulatedDriver = 'csi.simulator.liberator.dev';
const admin = 'system:admin';
const defaultAuditLimit = 50_000;

/**
 * An embedded Kubernetes: API server, controllers, and machines that run kubelets and pods. Thin, but exact where
 * nodes die: what it does then, and when, was measured on real clusters, and the same tests run on both.
 *
 * Not imitated, because nothing here needs it: networks of pods and Services, probes of containers, Jobs, static pods,
 * preemption and priorities, surge and history of rollouts, finalizers that protect claims in use, field ownership.
 *
 * @example A week in which nothing may happen, in seconds, the same each time
 * ```ts
 * const clock = new VirtualClock();
 * await using cluster = await Simulator.start({ clock, random: seededRandom(42) });
 * await cluster.until(() => cluster.nodesReady());
 * await clock.advance(7 * 24 * 3_600_000);
 * ```
 *
 * @example A node dies; the StatefulSet's pod stays Terminating until somebody helps
 * ```ts
 * const clock = new VirtualClock();
 * await using cluster = await Simulator.start({ clock, random: seededRandom(1) });
 * await cluster.until(() => cluster.nodesReady());
 * cluster.machine('node-2').crash();
 * await clock.advance(3_600_000);
 * const transport = cluster.transport({ user: 'my-operator' }); // for a client on @liberator/core
 * ```
 *
 * @example On real time and over HTTP, for a program in another process
 * ```ts
 * await using cluster = await Simulator.start({ http: true, timings: { speedUp: 20 } });
 * await writeFile('kubeconfig', cluster.kubeconfig());
 * ```
 */
export class Simulator implements AsyncDisposable {
  /**
   * What goes wrong between clients and the API server. Controllers and kubelets don't go through it: to silence a
   * kubelet, cut its machine off.
   */
  readonly faults: Faults;
  /** Who refuses what, the cluster's own controllers included. */
  readonly admission: Admission = new Admission();
  readonly #options: SimulatorOptions;
  readonly #context: ControllerContext;
  readonly #store: ServerStore;
  readonly #controllers: readonly Controller[];
  readonly #machines = new Map<string, Machine>();
  readonly #tokens = new Map<string, string>();
  readonly #audit: AuditEvent[] = [];
  readonly #handler: ApiHandler;
  #server: HttpServer | undefined;
  #stopped = false;

  private constructor(options: SimulatorOptions) {
    const { clock = systemClock, random = systemRandom } = options;
    const timings = timingsWith(options.timings);
    this.#options = options;
    this.#store = createStore({
      clock,
      random,
      tolerationSeconds: wholeSeconds(timings.defaultTolerationMs),
      admitDeletion: (type, object, context) => this.admission.checkDeletion(type, object, context),
      onWrite: (write) => this.#auditWrite(write),
    });
    this.#context = { store: this.#store, clock, random, timings, report: options.onError ?? warn };
    this.#controllers = controlPlaneOf(this.#context);
    const server = createApiHandler({
      store: this.#store,
      clock,
      onAudit: (event) => this.#note(event),
      ...(options.authorize === undefined ? {} : { authorize: options.authorize }),
    });
    this.faults = new Faults({ clock, random, currentVersion: () => this.#store.resourceVersion() });
    this.#handler = this.faults.wrap(options.inFront?.(server) ?? server);
  }

  /**
   * Starts a cluster. Its machines are on from the first moment; their nodes become Ready as time passes, see
   * {@link Simulator.nodesReady}.
   *
   * @throws RangeError for timings or nodes that make no sense.
   */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const specs = machineSpecs(options.nodes ?? 3);
    const simulator = new Simulator(options);
    simulator.#installStorage();
    for (const controller of simulator.#controllers) controller.start();
    for (const spec of specs) simulator.addMachine(spec);
    await simulator.#listen();
    return simulator;
  }

  /** The objects, past the API server: for tests that set things up and look at them. */
  get store(): Store {
    return this.#store;
  }

  /** All machines, in the order in which they came. */
  get nodes(): readonly Machine[] {
    return [...this.#machines.values()];
  }

  /**
   * One machine, to crash it or to cut it off.
   *
   * @throws RangeError when there is no machine of that name.
   */
  machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine !== undefined) return machine;
    const known = [...this.#machines.keys()].join(', ');
    throw new RangeError(`expected the name of a machine (${known}), found "${name}"`);
  }

  /** Puts up one more machine and switches it on. */
  addMachine(spec: NodeSpec): Machine {
    if (this.#machines.has(spec.name)) {
      throw new RangeError(`expected a new name, found "${spec.name}", which another machine has`);
    }
    const address = `10.0.${this.#machines.size >> 8}.${this.#machines.size & 255}`;
    const machine = new Machine(this.#context, { address, ...spec });
    this.#machines.set(spec.name, machine);
    machine.powerOn({ bootMs: 0 });
    return machine;
  }

  /** Every pod whose containers exist on some machine, whatever the API says: two of one name are a split brain. */
  runningPods(): readonly RunningPod[] {
    return this.nodes.flatMap((machine) => machine.runningPods());
  }

  /** Whether every machine that has power has a Node that is Ready and carries no taint that says otherwise. */
  nodesReady(): boolean {
    return this.nodes
      .filter((machine) => machine.isAlive())
      .every((machine) => {
        const node = this.#store.find(resources.nodes, undefined, machine.name) as
          | {
              spec?: { taints?: { key: string }[] };
              status?: { conditions?: { type: string; status: string }[] };
            }
          | undefined;
        const ready = node?.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
        const tainted = node?.spec?.taints?.some((taint) => taint.key === 'node.kubernetes.io/not-ready');
        return ready === true && tainted !== true;
      });
  }

  /**
   * Lets time pass until `reached` holds; resolves with the milliseconds that it took. With a `VirtualClock` this
   * drives it, otherwise it looks again every few milliseconds.
   *
   * @param options - `limitMs`, default 10 minutes: when to give up.
   * @throws Error when it doesn't hold within the limit.
   */
  async until(reached: () => boolean, options: { readonly limitMs?: number } = {}): Promise<number> {
    const { limitMs = 600_000 } = options;
    const { clock } = this.#context;
    if (clock instanceof VirtualClock) return clock.runUntil(reached, { limitMs });
    const start = clock.now();
    while (!reached()) {
      if (clock.now() - start > limitMs) {
        throw new Error(
          `expected the condition to hold within ${limitMs} ms, found that it still does not: ${reached}`,
        );
      }
      await sleep(clock, 5);
    }
    return clock.now() - start;
  }

  /**
   * Knocks at machines as a controller's probe would from outside the cluster's nodes: silent and mute ones take
   * `timeoutMs` (default 3000) to be found so.
   */
  probe(options: { readonly timeoutMs?: number } = {}): NodeProbe {
    const { timeoutMs = 3_000 } = options;
    return async (node, signal) => {
      const machine = this.#machines.get(node.metadata.name);
      if (machine === undefined) return 'failed';
      const atOnce = machine.probe();
      if (atOnce === 'answered' || atOnce === 'refused') return atOnce;
      if (!(await sleep(this.#context.clock, timeoutMs, signal))) return 'failed';
      return machine.probe();
    };
  }

  /** A way to the API in memory, with an identity of its own; it works on virtual time, too. */
  transport(options: { readonly user?: string; readonly userAgent?: string } = {}): Transport {
    return createInMemoryTransport(this.#handler, { user: admin, ...options });
  }

  /** Where the API is served, such as `http://127.0.0.1:40123`. @throws Error when it isn't. */
  get url(): string {
    return this.#listening().url;
  }

  /** The HTTP front, which can refuse connections for a while. @throws Error when there is none. */
  get httpServer(): HttpServer {
    return this.#listening();
  }

  /** The text of a kubeconfig file for the HTTP front, with an identity of its own. @throws Error when there is none. */
  kubeconfig(options: { readonly user?: string } = {}): string {
    const { user = admin } = options;
    const token = `simulated-${Buffer.from(user).toString('base64url')}`;
    this.#tokens.set(token, user);
    return kubeconfigFor(this.url, token);
  }

  /**
   * Who asked for what, oldest first: requests to the API whatever came of them, and the writes of controllers and
   * kubelets. Only the latest are kept.
   */
  audit(): readonly AuditEvent[] {
    return [...this.#audit];
  }

  /**
   * Brings the API server to forget all changes so far, as a real one does with time: whoever goes on watching from
   * before gets 410 and has to list anew.
   */
  forgetHistory(): void {
    this.#store.compact();
  }

  /** Ends everything. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const machine of this.#machines.values()) machine.dispose();
    for (const controller of this.#controllers) controller.stop();
    await this.#server?.close();
  }

  /** The same as {@link Simulator.stop}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #listen(): Promise<void> {
    const { http = false } = this.#options;
    if (http === false) return;
    const port = http === true ? undefined : http.port;
    this.#server = await startHttpServer({
      handler: this.#handler,
      tokens: this.#tokens,
      ...(port === undefined ? {} : { port }),
    });
  }

  #listening(): HttpServer {
    if (this.#server !== undefined) return this.#server;
    throw new Error(
      'expected a simulator that serves HTTP, found one in memory only: start it with { http: true }',
    );
  }

  #installStorage(): void {
    const context = { user: admin, fromInside: true };
    const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    this.#store.create(
      resources.csidrivers,
      { metadata: { name: simulatedDriver }, spec: { attachRequired: true } },
      context,
    );
    this.#store.create(
      resources.storageclasses,
      { metadata: { name: simulatedStorageClass, annotations: isDefault }, provisioner: simulatedDriver },
      context,
    );
  }

  #auditWrite({ verb, type, subresource, object, context }: StoreWrite): void {
    // What comes through the API server is in the records already, with its outcome.
    if (!isFromInside(context)) return;
    const { namespace, name } = object.metadata;
    this.#note({
      time: this.#context?.clock.wallTime() ?? 0,
      user: context.user,
      verb,
      group: type.group,
      resource: type.plural,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      name,
      code: verb === 'create' ? 201 : 200,
    });
  }

  #note(event: AuditEvent): void {
    const { auditLimit = defaultAuditLimit } = this.#options;
    this.#audit.push(event);
    // Cut rarely, and by half: removing from the front each time costs as much as there is.
    if (this.#audit.length > auditLimit * 2) this.#audit.splice(0, this.#audit.length - auditLimit);
  }
}

function warn(error: unknown, where: string): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${where}: ${reason}`, { type: 'SimulatorWarning' });
}
