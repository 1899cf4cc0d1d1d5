// Empties a node in good order: plan, cordon, evict, wait until what was on it is Ready elsewhere.

import { KubernetesError, MalformedAnswerError } from '../kubernetes/errors.ts';
import type { Node } from '../kubernetes/objects.ts';
import { isTransient } from '../kubernetes/retry.ts';
import type { MovingPod } from '../marks/maintenance.ts';
import { describePodBy } from '../pods/affected-pods.ts';
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../time/clock.ts';
import { counted } from '../wording/numbers.ts';
import type { MaintenanceCluster } from './cluster.ts';
import { notFound, takeoverTaintsOf } from './cordon.ts';
import { MaintenanceError } from './errors.ts';
import { isReporting, NodeHold } from './node-hold.ts';
import { type DrainRules, type PlannedPod, planDrain } from './plan.ts';
import { PodMover } from './pod-mover.ts';
import type { DrainProgress, PodState } from './progress.ts';

/** Options of {@link drain}. */
export interface DrainOptions extends DrainRules {
  /** As {@link connectMaintenance} makes it. */
  readonly cluster: MaintenanceCluster;
  /** Name of the Node. */
  readonly node: string;
  /** Who drains, for whoever wonders why the node is held: `alice@laptop`. */
  readonly by: string;
  /** How long all of it may take. Default 600,000 ms. A budget may refuse for as long as its application is unwell. */
  readonly timeoutMs?: number;
  /**
   * How long takeovers of the node stay held after a drain that was finished, unless somebody uncordons it. Default
   * 3,600,000 ms, at most 24 h. Longer spares a long repair from being taken for a death; shorter lets whatever still
   * runs there be recovered earlier. While the drain goes on it is 300,000 ms from its last sign of life.
   */
  readonly holdMs?: number;
  /** Seconds each pod gets to end. Default: what it asks for itself. */
  readonly gracePeriodSeconds?: number;
  /** How many pods other than those of StatefulSets may be on their way at once. Default 10. */
  readonly parallel?: number;
  /** Interrupts the drain: what has gone has gone, the node stays cordoned, and draining it again goes on. */
  readonly signal?: AbortSignal;
  /** Called synchronously; what it throws ends the drain. */
  readonly onProgress?: (progress: DrainProgress) => void;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** What a drain that was finished came to. */
export interface Drained {
  /** Those that went, each with where it stands: `Ready on node-2`. */
  readonly moved: readonly PodState[];
  /** Those that belong to the node. */
  readonly skipped: readonly PlannedPod[];
  /** Those that came again and again, since they tolerate cordoned nodes: they were left there. */
  readonly returned: readonly PlannedPod[];
  /** Takeovers of the node stay held for this long, unless it is uncordoned. */
  readonly holdMs: number;
}

const defaultTimeoutMs = 600_000;
const defaultHoldMs = 3_600_000;
const defaultParallel = 10;

const persistMs = 2_000;

/** A pod may be bound to the node by a scheduler that had not heard of the cordon. One that comes still later tolerates it. */
const rounds = 2;

/** As long as any mark counts. */
const longestHoldMs = 24 * 3_600_000;

/**
 * What a drain would do to each pod of a node. Changes nothing.
 *
 * @throws {@link MaintenanceError} when there is no such node.
 */
export async function previewDrain(
  options: DrainRules & Pick<DrainOptions, 'cluster' | 'node' | 'signal'>,
): Promise<readonly PlannedPod[]> {
  const { cluster, node: name, signal } = options;
  const node = await cluster.readNode(name, signal);
  if (node === undefined) throw notFound(name);
  return planFor(node, options, signal);
}

/**
 * Cordons a node and moves its pods elsewhere through the eviction API: those of StatefulSets one at a time, each Ready
 * elsewhere with its volumes before the next one goes, all others side by side. Takeovers of the node are held meanwhile.
 *
 * May be run again at any time: it goes on with what is left.
 *
 * @throws {@link MaintenanceError} for every end but the good one; its `code` says which.
 * @throws RangeError for options that make no sense.
 * @throws KubernetesError and its kin for what the API server does not allow before anything was changed. What may pass
 *   by itself is tried again.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  checked(options);
  return new Drain(options).perform();
}

class Drain {
  readonly #options: DrainOptions;
  readonly #clock: Clock;
  /** Ends whatever is under way, for whatever reason. */
  readonly #stop = new AbortController();
  readonly #hold: NodeHold;
  readonly #mover: PodMover;
  readonly #seen = new Map<string, PlannedPod>();
  #failure: unknown;
  #cordoned = false;

  constructor(options: DrainOptions) {
    const { cluster, node, by, onProgress, clock = systemClock, random = systemRandom } = options;
    const { signal } = this.#stop;
    const tell = (progress: DrainProgress): void => onProgress?.(progress);
    this.#options = options;
    this.#clock = clock;
    this.#hold = new NodeHold({ cluster, clock, node, by, tell });
    this.#mover = new PodMover({
      cluster,
      clock,
      random,
      node,
      gracePeriodSeconds: options.gracePeriodSeconds,
      signal,
      tell,
      record: async (pod) => {
        const { namespace, name, uid, statefulSet, volumes } = pod;
        if (statefulSet !== undefined) {
          await this.#hold.record({ namespace, name, uid, statefulSet, volumes }, signal);
        }
      },
    });
  }

  async perform(): Promise<Drained> {
    const { signal, timeoutMs = defaultTimeoutMs, holdMs = defaultHoldMs } = this.#options;
    const onAbort = (): void => this.#fail(this.#interrupted());
    const timer = this.#clock.setTimeout(() => this.#fail(this.#timedOut(timeoutMs)), timeoutMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    try {
      await this.#unlessStopped(() => this.#prepare());
      const returned = await this.#keepingHold(() => this.#unlessStopped(() => this.#empty()));
      await this.#unlessStopped(() => this.#persist(() => this.#hold.finish(holdMs, this.#stop.signal)));
      const skipped = [...this.#seen.values()].filter(({ action }) => action === 'skip');
      return { moved: this.#mover.states, skipped, returned, holdMs };
    } finally {
      this.#clock.clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      this.#stop.abort();
    }
  }

  /** Looks before it touches: whatever speaks against the drain leaves the node as it was. */
  async #prepare(): Promise<void> {
    const { cluster, node: name } = this.#options;
    const { signal } = this.#stop;
    const node = await cluster.readNode(name, signal);
    if (node === undefined) throw notFound(name);
    if (takeoverTaintsOf(node).length > 0) {
      throw busy(`${name} is being taken over, so there is nothing to drain: wait until it has returned`);
    }
    if (!isReporting(node)) {
      throw busy(
        `${name} has stopped reporting (Ready is Unknown), so nobody would stop its containers: leave it to a ` +
          `takeover, which a cordon or a drain that was begun may hold: "liberator uncordon ${name}" lets it go on`,
      );
    }
    this.#admit(await planFor(node, this.#options, signal));
    // From the first byte on: an answer that never comes says nothing of what was done.
    this.#cordoned = true;
    const moving = await this.#persist(() => this.#hold.take(signal));
    // Still on the node: it is asked to go in its turn, as if nobody had asked before.
    if (moving !== undefined && !this.#seen.has(moving.uid)) this.#seen.set(moving.uid, leftBefore(moving));
  }

  /** Returns the pods that came all the same, since they tolerate cordoned nodes. */
  async #empty(): Promise<readonly PlannedPod[]> {
    for (let round = 0; ; round++) {
      this.#admit(await this.#persist(() => this.#plan()));
      const moved = new Set(this.#mover.states.map(({ pod }) => pod.uid));
      const going = [...this.#seen.values()].filter(
        ({ uid, action }) => action !== 'skip' && !moved.has(uid),
      );
      if (going.length === 0 || round === rounds) {
        if (this.#mover.denied.length > 0) throw this.#denied();
        return going;
      }
      await this.#move(going);
      if (this.#stop.signal.aborted) return [];
    }
  }

  async #plan(): Promise<readonly PlannedPod[]> {
    const { cluster, node: name } = this.#options;
    const node = await cluster.readNode(name, this.#stop.signal);
    if (node === undefined) throw notFound(name);
    return planFor(node, this.#options, this.#stop.signal);
  }

  async #move(pods: readonly PlannedPod[]): Promise<void> {
    const { parallel = defaultParallel } = this.#options;
    // Whatever is on its way already has to arrive before the next one leaves.
    const ofSets = pods
      .filter(({ statefulSet }) => statefulSet !== undefined)
      .toSorted((a, b) => Number(a.action === 'evict') - Number(b.action === 'evict'));
    const others = pods.filter(({ statefulSet }) => statefulSet === undefined);
    const lanes = [this.#mover.move(ofSets, 1), this.#mover.move(others, parallel)];
    await Promise.all(lanes.map((lane) => lane.catch((error: unknown) => this.#fail(error))));
  }

  /** Takes in pods that were not known yet, unless something would be lost with one of them. */
  #admit(plan: readonly PlannedPod[]): void {
    const fresh = plan.filter(({ uid }) => !this.#seen.has(uid));
    if (fresh.length > 0 || this.#seen.size === 0)
      this.#options.onProgress?.({ type: 'planned', pods: fresh });
    const refused = fresh.filter(({ action }) => action === 'refuse');
    if (refused.length > 0) throw this.#refused(refused);
    for (const pod of fresh) this.#seen.set(pod.uid, pod);
  }

  async #keepingHold<T>(act: () => Promise<T>): Promise<T> {
    const keep = new AbortController();
    const onStop = (): void => keep.abort();
    this.#stop.signal.addEventListener('abort', onStop, { once: true });
    const keeping = this.#hold.keep(keep.signal).catch((error: unknown) => this.#fail(error));
    try {
      return await act();
    } finally {
      this.#stop.signal.removeEventListener('abort', onStop);
      keep.abort();
      await keeping;
    }
  }

  /** Once the node is cordoned, a server in trouble is no reason to stop half-way. */
  async #persist<T>(act: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (this.#stop.signal.aborted || !isTransient(error)) throw error;
        this.#options.onProgress?.({ type: 'trouble', error, retryInMs: persistMs });
        await sleep(this.#clock, persistMs, this.#stop.signal);
      }
    }
  }

  /** The first reason to stop is the one that is told; what fails because of it is not. */
  async #unlessStopped<T>(act: () => Promise<T>): Promise<T> {
    if (this.#stop.signal.aborted) throw this.#failure;
    const done = await act().catch((error: unknown) => {
      this.#fail(error);
      throw this.#failure;
    });
    // Whoever was stopped half-way may well have returned as if all were done.
    if (this.#stop.signal.aborted) throw this.#failure;
    return done;
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    // Whoever hears of it has to know that the node is cordoned, whatever it was.
    this.#failure = this.#cordoned && isAnswer(error) ? this.#broken(error) : error;
    this.#stop.abort();
  }

  #refused(pods: readonly PlannedPod[]): MaintenanceError {
    const state = this.#cordoned ? 'it is cordoned already' : 'nothing was done';
    return new MaintenanceError(
      'LIBERATOR_DRAIN_REFUSED',
      `something would be lost with ${counted(pods.length, 'pod')} of ${this.#options.node}, so ${state}`,
      {
        pods: pods.map((pod) => ({ pod, phase: 'waiting', detail: pod.reason })),
        cordoned: this.#cordoned,
      },
    );
  }

  #denied(): MaintenanceError {
    const { denied } = this.#mover;
    const uids = new Set(denied.map(({ pod }) => pod.uid));
    const pods = this.#left().filter(({ pod }) => uids.has(pod.uid));
    const message = `${counted(denied.length, 'pod')} of ${this.#options.node} may not go, all others have moved`;
    return new MaintenanceError('LIBERATOR_DRAIN_DENIED', message, {
      pods,
      cordoned: this.#cordoned,
      cause: denied[0]?.error,
    });
  }

  #broken(error: Error): MaintenanceError {
    const left = this.#left();
    const message = `the drain of ${this.#options.node} stopped, ${standing(left)}: ${error.message}`;
    return new MaintenanceError('LIBERATOR_DRAIN_FAILED', message, {
      pods: left,
      cordoned: this.#cordoned,
      cause: error,
    });
  }

  #timedOut(timeoutMs: number): MaintenanceError {
    const left = this.#left();
    const message = `${this.#options.node} was not drained within ${timeoutMs / 1_000} s: ${standing(left)}`;
    return new MaintenanceError('LIBERATOR_DRAIN_TIMEOUT', message, { pods: left, cordoned: this.#cordoned });
  }

  #interrupted(): MaintenanceError {
    const left = this.#left();
    const message = `the drain of ${this.#options.node} was interrupted: ${standing(left)}`;
    return new MaintenanceError('LIBERATOR_DRAIN_INTERRUPTED', message, {
      pods: left,
      cordoned: this.#cordoned,
    });
  }

  #left(): readonly PodState[] {
    return this.#mover.states.filter(({ phase }) => phase !== 'done');
  }
}

async function planFor(
  node: Node,
  options: DrainRules & Pick<DrainOptions, 'cluster'>,
  signal?: AbortSignal,
): Promise<readonly PlannedPod[]> {
  const { cluster } = options;
  const { name, labels } = node.metadata;
  const reads = {
    readClaim: (namespace: string, claim: string) => cluster.readClaim(namespace, claim, signal),
    readVolume: (volume: string) => cluster.readVolume(volume, signal),
  };
  const pods = await cluster.listPodsOn(name, signal);
  const candidates = await Promise.all(
    pods.map(async (pod) => ({ pod, volumes: (await describePodBy(reads, pod)).volumes })),
  );
  const hostname = labels?.['kubernetes.io/hostname'] ?? name;
  return planDrain({ name, hostname }, candidates, options);
}

/** A pod that another drain asked to go, and which may not be Ready elsewhere yet. */
function leftBefore(moving: MovingPod): PlannedPod {
  const reason = 'a drain before this one asked it to go';
  return { ...moving, action: 'await', reason, awaits: 'elsewhere' };
}

function checked({ timeoutMs = 1, holdMs = 0, gracePeriodSeconds = 0, parallel = 1 }: DrainOptions): void {
  const check = (fine: boolean, name: string, expected: string, found: number): void => {
    if (!fine) throw new RangeError(`expected ${name} to be ${expected}, found ${found}`);
  };
  check(timeoutMs > 0, 'timeoutMs', 'more than 0', timeoutMs);
  check(holdMs >= 0 && holdMs <= longestHoldMs, 'holdMs', 'from 0 to 24 h', holdMs);
  check(
    Number.isInteger(gracePeriodSeconds) && gracePeriodSeconds >= 0,
    'gracePeriodSeconds',
    'a whole number, 0 or more',
    gracePeriodSeconds,
  );
  check(Number.isInteger(parallel) && parallel >= 1, 'parallel', 'a whole number, 1 or more', parallel);
}

function isAnswer(error: unknown): error is Error {
  return error instanceof KubernetesError || error instanceof MalformedAnswerError;
}

function busy(message: string): MaintenanceError {
  return new MaintenanceError('LIBERATOR_NODE_BUSY', message);
}

function standing(left: readonly PodState[]): string {
  if (left.length === 0) return 'no pod was on its way';
  return `${counted(left.length, 'pod')} had still to go`;
}
