// The three watches that everything rests on: Nodes, their Leases, and the election Lease itself.

import type { Lease, Node } from '../../kubernetes/objects.ts';
import type { KubernetesReader } from '../../kubernetes/reader.ts';
import { Reflector, type ReflectorHandlers } from '../../kubernetes/reflector.ts';
import { leases, nodes } from '../../kubernetes/resources.ts';
import type { Clock, Random } from '../../time/clock.ts';
import type { Fleet } from '../fleet.ts';
import { projectLease, projectNode } from './node-projection.ts';

export interface FleetWatchesOptions {
  readonly reader: KubernetesReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly fleet: Fleet;
  readonly election: { readonly namespace: string; readonly name: string };
  /** Called for each state of the election Lease that a watch brings; undefined when it is gone. */
  readonly onElectionLease: (lease: Lease | undefined) => void;
  readonly onError: (where: string, error: unknown, retryInMs: number | undefined) => void;
}

export class FleetWatches {
  readonly #clock: Clock;
  #leaseHeardAt: number | undefined;
  readonly #reflectors: ReadonlyMap<string, Reflector<Node, Node> | Reflector<Lease, Lease>>;

  constructor(options: FleetWatchesOptions) {
    const { reader, clock, random, fleet, election, onElectionLease } = options;
    this.#clock = clock;
    const common = { reader, clock, random };
    const reportAs = (where: string): Pick<ReflectorHandlers<unknown>, 'onError'> => ({
      onError: (error, { willRetryInMs }) => options.onError(where, error, willRetryInMs),
    });
    const nodeReflector = new Reflector<Node, Node>({
      ...common,
      resource: nodes,
      project: projectNode,
      handlers: {
        ...reportAs('watch nodes'),
        onAdded: (node) => fleet.nodeSeen(node),
        onUpdated: (_, node) => fleet.nodeSeen(node),
        onDeleted: (node) => fleet.nodeGone(node.metadata.name),
      },
    });
    const leaseReflector: Reflector<Lease, Lease> = new Reflector<Lease, Lease>({
      ...common,
      resource: leases,
      namespace: 'kube-node-lease',
      project: projectLease,
      handlers: {
        ...reportAs('watch node Leases'),
        onAdded: (lease) => this.#leaseSeen(fleet, lease, !leaseReflector.hasSynced),
        onUpdated: (_, lease) => this.#leaseSeen(fleet, lease, false),
        onDeleted: (lease) => fleet.leaseGone(lease.metadata.name),
      },
    });
    const electionReflector = new Reflector<Lease, Lease>({
      ...common,
      resource: leases,
      namespace: election.namespace,
      fieldSelector: `metadata.name=${election.name}`,
      project: projectLease,
      handlers: {
        ...reportAs('watch the election Lease'),
        onAdded: onElectionLease,
        onUpdated: (_, lease) => onElectionLease(lease),
        onDeleted: () => onElectionLease(undefined),
      },
    });
    this.#reflectors = new Map<string, Reflector<Node, Node> | Reflector<Lease, Lease>>([
      ['Nodes', nodeReflector],
      ['node Leases', leaseReflector],
      ['the election Lease', electionReflector],
    ]);
  }

  start(): void {
    for (const reflector of this.#reflectors.values()) reflector.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#reflectors.values()].map((reflector) => reflector.stop()));
  }

  /** When this watch last brought any node's Lease; undefined before the first. Never long ago while a node lives. */
  get leaseHeardAt(): number | undefined {
    return this.#leaseHeardAt;
  }

  #leaseSeen(fleet: Fleet, lease: Lease, listed: boolean): void {
    this.#leaseHeardAt = this.#clock.now();
    fleet.leaseSeen(lease, { listed });
  }

  get synced(): boolean {
    return [...this.#reflectors.values()].every(({ hasSynced }) => hasSynced);
  }

  /** One sentence for each watch that is synced and yet can't be trusted right now. */
  get stale(): readonly string[] {
    const now = this.#clock.now();
    return [...this.#reflectors].flatMap(([what, reflector]) =>
      reflector.hasSynced && reflector.isStale(now) ? [`the watch of ${what} is stale`] : [],
    );
  }
}
