// Asks hosts whether anybody is there, no more at once than there are slots, and never one of them twice at the same time.
import type { Node } from '../../kubernetes/objects.ts';
import type { ProbeResult } from '../fact.ts';

/** How deep a probe goes. */
export interface ProbeDepth {
  /**
   * `host`: an accepted connection is answer enough, since the kernel of the host gave it; for nodes that are well, whose
   * kubelets nobody doubts. `kubelet`: goes on to see who is there. Default `kubelet`.
   */
  readonly until: 'host' | 'kubelet';
}

/**
 * Asks one host once. Must settle within a time of its own choosing, and soon after `signal` aborts. A probe that knows no
 * depths asks the whole question each time.
 */
export type NodeProbe = (node: Node, signal: AbortSignal, depth?: ProbeDepth) => Promise<ProbeResult>;

/** Why a host is asked. Each has slots of its own: the many dead take none from the few who may be dying. */
export type Occasion = 'suspect' | 'dead' | 'baseline';

export interface HostAskerOptions {
  readonly probe: NodeProbe;
  /** Called for each answer, with how deep the question was, until {@link HostAsker.stop}. */
  readonly onAnswer: (node: Node, result: ProbeResult, depth: ProbeDepth) => void;
  /** How many are asked at the same time: each takes a socket for as long as its host is silent. */
  readonly slots: Readonly<Record<Occasion, number>>;
}

export class HostAsker {
  readonly #options: HostAskerOptions;
  readonly #abort = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  /** By uid. */
  readonly #asking = new Map<string, Occasion>();

  constructor(options: HostAskerOptions) {
    this.#options = options;
  }

  /** Whether this host is being asked at the moment. */
  isAsking(uid: string): boolean {
    return this.#asking.has(uid);
  }

  /** How many more may be asked for this reason. */
  freeSlots(occasion: Occasion): number {
    let taken = 0;
    for (const other of this.#asking.values()) if (other === occasion) taken++;
    return this.#options.slots[occasion] - taken;
  }

  ask(node: Node, occasion: Occasion): void {
    if (this.#abort.signal.aborted) return;
    const running = this.#ask(node, occasion).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  /** Ends what is under way and waits for it; no answer is handed out any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#underWay);
  }

  async #ask(node: Node, occasion: Occasion): Promise<void> {
    const { uid } = node.metadata;
    const { signal } = this.#abort;
    this.#asking.set(uid, occasion);
    try {
      const until = occasion === 'baseline' ? 'host' : 'kubelet';
      const result = await this.#options.probe(node, signal, { until });
      if (!signal.aborted) this.#options.onAnswer(node, result, { until });
    } catch {
      // A probe that fails for a reason of its own says nothing about the host.
    } finally {
      this.#asking.delete(uid);
    }
  }
}
