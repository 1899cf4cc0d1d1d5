// Keeps a node cordoned and takeovers of it held while it is being drained, and notices who interferes.

import { readyStatusOf } from '../evidence/node-status.ts';
import type { Node } from '../kubernetes/objects.ts';
import { isTransient } from '../kubernetes/retry.ts';
import { type MaintenanceMark, type MovingPod, readMark, writeMaintenance } from '../marks/maintenance.ts';
import { type Clock, sleep } from '../time/clock.ts';
import type { MaintenanceCluster } from './cluster.ts';
import { changeNode, markOf } from './cordon.ts';
import { MaintenanceError } from './errors.ts';
import type { DrainProgress } from './progress.ts';

/**
 * Milliseconds for which a drain that goes on, or was ended before its time, holds takeovers after its last sign of life:
 * as long as Kubernetes itself waits for a silent node before it evicts.
 */
export const drainingHoldMs: number = 300_000;

/** Several renewals may be lost before a hold runs out. */
const renewEveryMs = 30_000;
const lookEveryMs = 5_000;

export interface NodeHoldOptions {
  readonly cluster: MaintenanceCluster;
  readonly clock: Clock;
  readonly node: string;
  readonly by: string;
  readonly tell: (progress: DrainProgress) => void;
}

export class NodeHold {
  readonly #options: NodeHoldOptions;
  readonly #since: string;
  #reporting = true;
  #moving: MovingPod | undefined;

  constructor(options: NodeHoldOptions) {
    this.#options = options;
    this.#since = this.#time();
  }

  /**
   * Cordons and marks the node in one write. Returns the pod that a drain before this one left on its way.
   */
  async take(signal: AbortSignal): Promise<MovingPod | undefined> {
    const { tell, by } = this.#options;
    let before: Node | undefined;
    await this.#change(signal, (node) => {
      before = node;
      this.#moving = movingOn(node);
      return this.#mark('draining', drainingHoldMs);
    });
    const other = readMark(markOf(before));
    if (other?.phase === 'draining' && other.by !== by) {
      tell({ type: 'joined', by: other.by, since: other.since });
    }
    const wasCordoned = before?.spec?.unschedulable === true;
    tell({ type: 'cordoned', holdMs: drainingHoldMs, wasCordoned });
    return this.#moving;
  }

  /** Puts on record which StatefulSet pod is about to leave, so that whoever goes on with the drain waits for it. */
  async record(moving: MovingPod, signal: AbortSignal): Promise<void> {
    if (this.#moving?.uid === moving.uid) return;
    const before = this.#moving;
    this.#moving = moving;
    try {
      await this.#change(signal, (node) => {
        assertOurs(node);
        return this.#mark('draining', drainingHoldMs);
      });
    } catch (error) {
      this.#moving = before;
      throw error;
    }
  }

  /**
   * Renews the mark until `signal` aborts.
   *
   * @throws {@link MaintenanceError} when somebody uncordoned the node or took the mark off: they want it back.
   */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, cluster, node: name, tell } = this.#options;
    let renewedAt = clock.now();
    while (await sleep(clock, lookEveryMs, signal)) {
      try {
        const node = await cluster.readNode(name, signal);
        if (node !== undefined) this.#noteReporting(node);
        const isDue = clock.now() - renewedAt >= renewEveryMs;
        if (node !== undefined && !isDue) assertOurs(node);
        else
          await this.#change(signal, (fresh) => {
            assertOurs(fresh);
            return this.#mark('draining', drainingHoldMs);
          });
        if (isDue) renewedAt = clock.now();
      } catch (error) {
        if (signal.aborted) return;
        if (!isTransient(error)) throw error;
        tell({ type: 'trouble', error, retryInMs: lookEveryMs });
      }
    }
  }

  /** Every pod that had to go is gone: takeovers stay held for `holdMs`, for whatever is to be done to the node. */
  async finish(holdMs: number, signal: AbortSignal): Promise<void> {
    this.#moving = undefined;
    await this.#change(signal, (node) => {
      assertOurs(node);
      return this.#mark('drained', holdMs);
    });
  }

  async #change(signal: AbortSignal, text: (node: Node) => string): Promise<void> {
    await changeNode(this.#options.cluster, this.#options.node, signal, (node) => ({
      unschedulable: true,
      maintenance: text(node),
    }));
  }

  #mark(phase: MaintenanceMark['phase'], holdMs: number): string {
    const { by } = this.#options;
    const holdSeconds = Math.ceil(holdMs / 1_000);
    const moving = this.#moving && { moving: this.#moving };
    return writeMaintenance({ by, phase, since: this.#since, renewed: this.#time(), holdSeconds, ...moving });
  }

  /** Its own kubelet says so, or the node controller for want of its word. */
  #noteReporting(node: Node): void {
    const reporting = isReporting(node);
    if (reporting !== this.#reporting) this.#options.tell({ type: 'node', reporting });
    this.#reporting = reporting;
  }

  #time(): string {
    return new Date(this.#options.clock.wallTime()).toISOString();
  }
}

/** Whether Kubernetes still hears the node's kubelet. */
export function isReporting(node: Node): boolean {
  return readyStatusOf(node) !== 'Unknown';
}

/** Only of a drain that did not finish: a finished one has waited for all. */
function movingOn(node: Node): MovingPod | undefined {
  const mark = readMark(markOf(node));
  return mark?.phase === 'draining' ? mark.moving : undefined;
}

function assertOurs(node: Node): void {
  if (node.spec?.unschedulable === true && markOf(node) !== undefined) return;
  const { name } = node.metadata;
  throw new MaintenanceError(
    'LIBERATOR_UNCORDONED',
    `somebody uncordoned ${name} while it was being drained, so the drain stopped: ask who needs it, then drain it again`,
  );
}
