// From connections to everything that a controller needs of Kubernetes.

import type { LeaseStore } from './election/lease-record.ts';
import { createLeaseStore } from './election/lease-store.ts';
import { probeKubelet } from './evidence/witnesses/kubelet-probe.ts';
import type { NodeProbe } from './evidence/witnesses/prober.ts';
import { KubernetesClient, readerOf } from './kubernetes/client.ts';
import type { KubernetesReader } from './kubernetes/reader.ts';
import type { Transport } from './kubernetes/transport.ts';
import type { PauseStore } from './pausing/global-pause.ts';
import { createPauseStore } from './pausing/pause-store.ts';
import type { TakeoverCluster } from './takeover/cluster.ts';
import { GuardedCluster } from './takeover/guarded-cluster.ts';
import { epochAfterRecords } from './takeover/records/takeover-records.ts';
import { type Clock, type Random, systemClock, systemRandom } from './time/clock.ts';

/** Options of {@link connect}. */
export interface ConnectOptions {
  /** For everything but the election. Stays the caller's to close. */
  readonly transport: Transport;
  /** For the election Lease alone: another one, so that bulk traffic can't delay a renewal. Stays the caller's too. */
  readonly leaseTransport: Transport;
  /** Where takeover records are kept. */
  readonly namespace: string;
  /** Where the election's Lease is. */
  readonly election: { readonly namespace: string; readonly name: string };
  /** Unique among all replicas and all lives of this process. */
  readonly identity: string;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** What {@link ControllerOptions} asks of Kubernetes. */
export interface Connection {
  /** See {@link ControllerOptions.reader}. */
  readonly reader: KubernetesReader;
  /** See {@link ControllerOptions.cluster}. */
  readonly cluster: TakeoverCluster;
  /** See {@link ControllerOptions.leaseStore}. */
  readonly leaseStore: LeaseStore;
  /** See {@link ControllerOptions.minimumEpoch}. */
  readonly minimumEpoch: () => Promise<number>;
  /** See {@link ControllerOptions.pauseStore}. */
  readonly pauseStore: PauseStore;
}

/**
 * The Kubernetes side of a controller over the given transports.
 *
 * @example
 * ```ts
 * const kubeConfig = loadKubeConfig();
 * const connection = connect({
 *   transport: createTransport(kubeConfig),
 *   leaseTransport: createTransport(kubeConfig, { purpose: 'lease' }),
 *   namespace, election, identity,
 * });
 * const controller = new Controller({ ...connection, election, identity, policies, fencers });
 * ```
 */
export function connect(options: ConnectOptions): Connection {
  const { clock = systemClock, random = systemRandom, namespace, election, identity } = options;
  const client = new KubernetesClient({ transport: options.transport, clock, random });
  const reader = readerOf(client);
  return {
    reader,
    cluster: new GuardedCluster({ client, clock, namespace, identity }),
    leaseStore: createLeaseStore({ transport: options.leaseTransport, clock, random, ...election }),
    minimumEpoch: () => epochAfterRecords(reader, namespace),
    pauseStore: createPauseStore({ client, namespace, election }),
  };
}

/**
 * Asks a node's host by connecting to its kubelet's port, from where this process runs. As far as asked for: see
 * {@link ProbeDepth}.
 *
 * @param options - `timeoutMs`: how long a host may stay silent. Default 3,000 ms.
 */
export function kubeletProbe(options: { clock?: Clock; timeoutMs?: number } = {}): NodeProbe {
  const { clock = systemClock, timeoutMs = 3_000 } = options;
  return async (node, signal, depth) =>
    (await probeKubelet(node, { clock, timeoutMs, signal, until: depth?.until })).result;
}
