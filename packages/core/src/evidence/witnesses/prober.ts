// Decides whose hosts are asked and when: those that are suspect or dead again and again, the others once.
import type { Node } from '../../kubernetes/objects.ts';
import type { Clock, TimerHandle } from '../../time/clock.ts';
import type { NodeFact } from '../fact.ts';
import type { KnownNode } from '../known-node.ts';
import { HostAsker, type NodeProbe } from './host-asker.ts';

export type { NodeProbe } from './host-asker.ts';

export interface ProberOptions {
  /** Those that are not well, as they are known at this moment. */
  readonly unwell: () => Iterable<KnownNode>;
  /** Those whose host has not been heard yet. In a fleet that is well, and known for a while, there are none of either. */
  readonly unheard: () => Iterable<KnownNode>;
  readonly probe: NodeProbe;
  readonly clock: Clock;
  /** Pause between two rounds. */
  readonly intervalMs: number;
  /** What the host of the Node of this uid said. */
  readonly onAnswer: (answer: Extract<NodeFact, { kind: 'probe' }>) => void;
}

/** How often a node that is well is asked, until it has answered once. */
const baselineEveryMs = 60_000;

/**
 * How many nodes that are well and were never asked are asked in one round. 5,000 are through within 50 s, at a
 * hundred a second; each is a connection and no more.
 */
const firstBaselinesPerRound = 200;
/** How many of those that gave no answer are asked once more: behind a firewall that drops, that would be the whole fleet. */
const repeatedBaselinesPerRound = 8;
/** A round's baselines are spread over so many moments. */
const dripsPerRound = 8;

const slots = { suspect: 256, dead: 64, baseline: 128 } as const;

/**
 * Probes each node once while it is well, to know that its host answers at all, and then while it is suspect or dead: often
 * enough to see it come back, seldom enough to go unnoticed.
 */
export class Prober {
  readonly #options: Pick<ProberOptions, 'unwell' | 'unheard'>;
  readonly #asker: HostAsker;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  /** By uid, when each node was asked last. */
  readonly #askedAt = new Map<string, number>();
  #baselines: Node[] = [];
  #timer: TimerHandle | undefined;
  #dripTimer: TimerHandle | undefined;
  #isStopped = false;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#intervalMs = options.intervalMs;
    this.#asker = new HostAsker({
      probe: options.probe,
      slots,
      onAnswer: ({ metadata: { name, uid } }, result, { until }) =>
        options.onAnswer({ kind: 'probe', name, uid, result, ...(until === 'host' && { hostOnly: true }) }),
    });
  }

  start(): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#round();
      if (!this.#isStopped) this.start();
    }, this.#intervalMs);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#clock.clearTimeout(this.#timer);
    this.#clock.clearTimeout(this.#dripTimer);
    await this.#asker.stop();
  }

  #round(): void {
    const suspect: KnownNode[] = [];
    const dead: KnownNode[] = [];
    const well: KnownNode[] = [];
    const mayBeAsked = new Set<string>();
    const sort = (nodes: Iterable<KnownNode>): void => {
      for (const known of nodes) {
        const { assessment, node } = known;
        const { uid } = node.metadata;
        if (assessment === undefined || mayBeAsked.has(uid)) continue;
        mayBeAsked.add(uid);
        if (this.#asker.isAsking(uid)) continue;
        (assessment.health === 'alive' ? well : assessment.health === 'dead' ? dead : suspect).push(known);
      }
    };
    sort(this.#options.unwell());
    sort(this.#options.unheard());
    this.#askLongestUnasked(suspect, 'suspect');
    this.#askLongestUnasked(dead, 'dead');
    this.#baselines = this.#dueBaselines(well.filter(({ hostHeard }) => !hostHeard));
    this.#clock.clearTimeout(this.#dripTimer);
    this.#drip(Math.ceil(this.#baselines.length / dripsPerRound));
    for (const uid of this.#askedAt.keys()) if (!mayBeAsked.has(uid)) this.#askedAt.delete(uid);
  }

  /** Who has waited longest comes first, or a great outage would leave the same nodes unasked in every round. */
  #askLongestUnasked(nodes: KnownNode[], occasion: 'suspect' | 'dead'): void {
    const askedAt = ({ node }: KnownNode): number => this.#askedAt.get(node.metadata.uid) ?? 0;
    nodes.sort((a, b) => askedAt(a) - askedAt(b));
    for (const { node } of nodes.slice(0, this.#asker.freeSlots(occasion))) {
      this.#askedAt.set(node.metadata.uid, this.#clock.now());
      this.#asker.ask(node, occasion);
    }
  }

  #dueBaselines(well: readonly KnownNode[]): Node[] {
    const now = this.#clock.now();
    const first: Node[] = [];
    const again: Node[] = [];
    for (const { node } of well) {
      const askedAt = this.#askedAt.get(node.metadata.uid);
      if (askedAt === undefined) first.push(node);
      else if (now - askedAt >= baselineEveryMs) again.push(node);
      if (first.length === firstBaselinesPerRound) break;
    }
    return [...first, ...again.slice(0, repeatedBaselinesPerRound)];
  }

  /** A fleet of thousands must not be asked all at once. */
  #drip(atOnce: number): void {
    for (const node of this.#baselines.splice(0, Math.min(atOnce, this.#asker.freeSlots('baseline')))) {
      this.#askedAt.set(node.metadata.uid, this.#clock.now());
      this.#asker.ask(node, 'baseline');
    }
    if (this.#baselines.length === 0) return;
    this.#dripTimer = this.#clock.setTimeout(() => this.#drip(atOnce), this.#intervalMs / dripsPerRound);
  }
}
