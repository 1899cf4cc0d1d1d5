// Where an example plays: on a cluster in this process whose time flies, or on a real control plane. Both look alike.
import type { Clock, NodeProbe, Random, Transport } from '@liberator/core';
import type { DemoCluster } from '../demo/cluster/demo-cluster.ts';

/** A cluster for one example. Disposing of it takes back whatever the example did to it. */
export interface Place
  extends AsyncDisposable,
    Pick<
      DemoCluster,
      | 'kind'
      | 'version'
      | 'about'
      | 'changedTimers'
      | 'providesVolumes'
      | 'create'
      | 'crash'
      | 'powerOn'
      | 'nodeDeletes'
    > {
  /** Whoever takes part in the example takes its time from here, so that it keeps pace with the cluster. */
  readonly clock: Clock;
  readonly random: Random;
  /** Asks a node's host whether anybody is there. */
  readonly probe: NodeProbe;
  /** A connection of its own, as somebody who may do everything; it ends with the place. */
  connection(purpose: string): Transport;
  /**
   * Lets time pass until `reached` holds.
   *
   * @param what - Completes "waited 3 minutes in vain until ...".
   * @throws DemoFailure when it takes longer than that; the reason of the example's signal when it aborts.
   */
  until(what: string, reached: () => boolean | Promise<boolean>): Promise<void>;
  /** Lets time pass until all of these have settled, however they do, and however the example ends. */
  allSettled(promises: readonly Promise<unknown>[]): Promise<void>;
}

/** On either kind of place, longer than anything that goes well. */
export const patienceMs = 180_000;
