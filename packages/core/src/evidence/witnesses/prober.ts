// Asks the hosts of suspect nodes, again and again, whether anybody is there.

import type { Node } from '../../kubernetes/objects.ts';
import type { Clock, TimerHandle } from '../../time/clock.ts';
import type { NodeFact, ProbeResult } from '../fact.ts';
import type { KnownNode } from '../known-node.ts';

/** Asks one host once. Must settle within a time of its own choosing, and soon after `signal` aborts. */
export type NodeProbe = (node: Node, signal: AbortSignal) => Promise<ProbeResult>;

export interface ProberOptions {
  /** Those that may be asked, as they are known at this moment. */
  readonly nodes: () => Iterable<KnownNode>;
  readonly probe: NodeProbe;
  readonly clock: Clock;
  /** Pause between two rounds. */
  readonly intervalMs: number;
  /** What the host of the Node of this uid said. */
  readonly onAnswer: (answer: Extract<NodeFact, { kind: 'probe' }>) => void;
}

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
  readonly #options: ProberOptions;
  readonly #probe: NodeProbe;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #abort = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #probing = new Set<string>();
  /** By uid, when each node was asked last. */
  readonly #askedAt = new Map<string, number>();
  #timer: TimerHandle | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
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
    for (const { node, assessment, hostHeard } of this.#longestUnasked()) {
      if (this.#probing.size === askedAtOnce) break;
      const { uid } = node.metadata;
      if (assessment === undefined || this.#probing.has(uid)) continue;
      if (assessment.health === 'alive') {
        const askedAt = this.#askedAt.get(uid);
        const due = askedAt === undefined || now - askedAt >= baselineEveryMs;
        if (hostHeard || !due || baselines === baselinesPerRound) continue;
        baselines++;
      }
      this.#askedAt.set(uid, now);
      const running = this.#ask(node).finally(() => this.#underWay.delete(running));
      this.#underWay.add(running);
    }
    const there = new Set([...this.#options.nodes()].map(({ node }) => node.metadata.uid));
    for (const uid of this.#askedAt.keys()) if (!there.has(uid)) this.#askedAt.delete(uid);
  }

  #longestUnasked(): readonly KnownNode[] {
    const askedAt = ({ node }: KnownNode): number => this.#askedAt.get(node.metadata.uid) ?? 0;
    return [...this.#options.nodes()].toSorted((a, b) => askedAt(a) - askedAt(b));
  }

  async #ask(node: Node): Promise<void> {
    const { name, uid } = node.metadata;
    this.#probing.add(uid);
    try {
      const result = await this.#probe(node, this.#abort.signal);
      if (!this.#abort.signal.aborted) this.#options.onAnswer({ kind: 'probe', name, uid, result });
    } catch {
      // A probe that fails for a reason of its own says nothing about the host.
    } finally {
      this.#probing.delete(uid);
    }
  }
}
