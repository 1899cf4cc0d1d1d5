// The three watches that everything rests on: Nodes, their Leases, and the election Lease itself.

import type { Lease, Node } from '../../kubernetes/objects.ts';
import type { KubernetesReader } from '../../kubernetes/reader.ts';
import { Reflector, type ReflectorHandlers } from '../../kubernetes/reflector.ts';
import { leases, nodes } from '../../kubernetes/resources.ts';
import type { Clock, Random } from '../../time/clock.ts';
import type { NodeFact } from '../fact.ts';
import { renewTimeOf } from '../renew-time.ts';
import { projectLease, projectNode } from './node-projection.ts';

export interface FleetWatchesOptions {
  readonly reader: KubernetesReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly tell: (fact: NodeFact) => void;
  readonly election: { readonly namespace: string; readonly name: string };
  /** Called for each state of the election Lease that a watch brings; undefined when it is gone. */
  readonly onElectionLease: (lease: Lease | undefined) => void;
  readonly onError: (where: string, error: unknown, retryInMs: number | undefined) => void;
}

/** Most of what a Node and a Lease weigh, and no projection keeps any of it. */
const unusedOfNodes = ['managedFields', 'images'];
const unusedOfLeases = ['managedFields'];

export class FleetWatches {
  readonly #clock: Clock;
  readonly #reflectors: ReadonlyMap<string, Reflector<Node, Node> | Reflector<Lease, Lease>>;

  constructor(options: FleetWatchesOptions) {
    const { reader, clock, random, tell, election, onElectionLease } = options;
    this.#clock = clock;
    const common = { reader, clock, random };
    const reportAs = (where: string): Pick<ReflectorHandlers<unknown>, 'onError'> => ({
      onError: (error, { willRetryInMs }) => options.onError(where, error, willRetryInMs),
    });
    const nodeReflector = new Reflector<Node, Node>({
      ...common,
      resource: nodes,
      withoutArrays: unusedOfNodes,
      project: projectNode,
      handlers: {
        ...reportAs('watch nodes'),
        onAdded: (node) => tell({ kind: 'node', node }),
        onUpdated: (_, node) => tell({ kind: 'node', node }),
        onDeleted: ({ metadata: { name } }) => tell({ kind: 'node-gone', name }),
      },
    });
    const leaseReflector: Reflector<Lease, Lease> = new Reflector<Lease, Lease>({
      ...common,
      resource: leases,
      withoutArrays: unusedOfLeases,
      namespace: 'kube-node-lease',
      project: projectLease,
      handlers: {
        ...reportAs('watch node Leases'),
        onAdded: (lease) => tell(leaseFact(lease, !leaseReflector.hasSynced)),
        onUpdated: (_, lease) => tell(leaseFact(lease, false)),
        onDeleted: ({ metadata: { name } }) => tell({ kind: 'lease-gone', name }),
      },
    });
    const electionReflector = new Reflector<Lease, Lease>({
      ...common,
      resource: leases,
      withoutArrays: unusedOfLeases,
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

function leaseFact(lease: Lease, listed: boolean): NodeFact {
  const { name } = lease.metadata;
  const renewTime = renewTimeOf(lease);
  return listed ? { kind: 'lease', name, renewTime, listed } : { kind: 'lease', name, renewTime };
}
