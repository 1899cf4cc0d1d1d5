// Asks the hosts of suspect nodes, again and again, whether anybody is there.

import type { Node } from '../../kubernetes/objects.ts';
import type { Clock, TimerHandle } from '../../time/clock.ts';
import type { ProbeResult } from '../fact.ts';
import type { Fleet, FleetNode } from '../fleet.ts';

/** Asks one host once. Must settle within a time of its own choosing, and soon after `signal` aborts. */
export type NodeProbe = (node: Node, signal: AbortSignal) => Promise<ProbeResult>;

/** How often a node that is well is asked, until it has answered once. */
const baselineEveryMs = 60_000;

/** How many nodes that are well are asked in one round: a fleet of thousands must not be asked all at once. */
const baselinesPerRound = 8;

/** How many are asked at the same time, whatever their health: each takes a socket for as long as its host is silent. */
const askedAtOnce = 64;

/**
 * Probes each node once while it is well, to know that its host answers at all, and then while it is suspect or dead: often
 * enough to see it come back, seldom enough to go unnoticed.
 */
export class Prober {
  readonly #fleet: Fleet;
  readonly #probe: NodeProbe;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #abort = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #probing = new Set<string>();
  /** By uid, when each node was asked last. */
  readonly #askedAt = new Map<string, number>();
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
    const now = this.#clock.now();
    let baselines = 0;
    // Who has waited longest comes first, or a great outage would leave the same nodes unasked in every round.
    for (const { node, assessment } of this.#longestUnasked()) {
      if (this.#probing.size === askedAtOnce) break;
      const { uid } = node.metadata;
      if (assessment === undefined || this.#probing.has(uid)) continue;
      if (assessment.health === 'alive') {
        const askedAt = this.#askedAt.get(uid);
        const due = askedAt === undefined || now - askedAt >= baselineEveryMs;
        if (this.#fleet.heard(uid) || !due || baselines === baselinesPerRound) continue;
        baselines++;
      }
      this.#askedAt.set(uid, now);
      const running = this.#ask(node).finally(() => this.#underWay.delete(running));
      this.#underWay.add(running);
    }
    const there = new Set([...this.#fleet.nodes.values()].map(({ node }) => node.metadata.uid));
    for (const uid of this.#askedAt.keys()) if (!there.has(uid)) this.#askedAt.delete(uid);
  }

  #longestUnasked(): readonly FleetNode[] {
    const askedAt = ({ node }: FleetNode): number => this.#askedAt.get(node.metadata.uid) ?? 0;
    return [...this.#fleet.nodes.values()].toSorted((a, b) => askedAt(a) - askedAt(b));
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
