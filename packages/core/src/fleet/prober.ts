// Asks the hosts of suspect nodes, again and again, whether anybody is there.
import type { Clock, TimerHandle } from '../clock.ts';
import type { ProbeResult } from '../health/observation.ts';
import type { Node } from '../kubernetes/objects.ts';
import type { Fleet } from './fleet.ts';

/** Asks one host once. Must settle within a time of its own choosing, and soon after `signal` aborts. */
export type NodeProbe = (node: Node, signal: AbortSignal) => Promise<ProbeResult>;

/** Probes while a node is suspect or dead: often enough to see it come back, seldom enough to go unnoticed. */
export class Prober {
  readonly #fleet: Fleet;
  readonly #probe: NodeProbe;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #abort = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #probing = new Set<string>();
  #timer: TimerHandle | undefined;

  constructor(options: { fleet: Fleet; probe: NodeProbe; clock: Clock; intervalMs: number }) {
    this.#fleet = options.fleet;
    this.#probe = options.probe;
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs;
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#round();
      if (!this.#abort.signal.aborted) this.start();
    }, this.#intervalMs);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#clock.clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
  }

  #round(): void {
    for (const { node, assessment } of this.#fleet.nodes.values()) {
      if (assessment === undefined || assessment.health === 'alive') continue;
      if (this.#probing.has(node.metadata.uid)) continue;
      const running = this.#ask(node).finally(() => this.#underWay.delete(running));
      this.#underWay.add(running);
    }
  }

  async #ask(node: Node): Promise<void> {
    const { name, uid } = node.metadata;
    this.#probing.add(uid);
    try {
      const result = await this.#probe(node, this.#abort.signal);
      if (!this.#abort.signal.aborted) this.#fleet.probed(name, uid, result);
    } catch {
      // A probe that fails for a reason of its own says nothing about the host.
    } finally {
      this.#probing.delete(uid);
    }
  }
}
