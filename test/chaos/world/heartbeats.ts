// When the API server was told that a node lives, by the true clock: what everybody could have seen there.
import type { Clock, Lease } from '@liberator/core';
import { resources, type Simulator } from '@liberator/simulator';

interface Heartbeat {
  readonly at: number;
  readonly renewTime: string;
}

/** The renewals of all nodes' Leases, the latest few of each. */
const kept = 40;

export class Heartbeats {
  readonly #ofNode = new Map<string, Heartbeat[]>();

  constructor(simulator: Simulator, clock: Clock) {
    simulator.store.watch(resources.leases, ({ type, object }) => {
      const { metadata, spec } = object as Lease;
      if (metadata.namespace !== 'kube-node-lease' || type === 'DELETED') return;
      const renewTime = spec?.renewTime ?? '';
      const beats = this.#ofNode.get(metadata.name) ?? [];
      if (beats.at(-1)?.renewTime === renewTime) return;
      this.#ofNode.set(metadata.name, [...beats.slice(1 - kept), { at: clock.now(), renewTime }]);
    });
  }

  /** When a node was last heard of; undefined when it never was. */
  lastAt(node: string): number | undefined {
    return this.#ofNode.get(node)?.at(-1)?.at;
  }

  /**
   * When the API server first had another heartbeat of a node than `renewTime`, which it had before; undefined while it
   * has none, or never had that one.
   */
  firstAfter(node: string, renewTime: string): number | undefined {
    const beats = this.#ofNode.get(node) ?? [];
    const at = beats.findIndex((beat) => beat.renewTime === renewTime);
    return at < 0 ? undefined : beats[at + 1]?.at;
  }
}
