// The two clusters that the example runs on: one embedded in this process, or one that "npm run cluster" started.
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { createTransport, loadKubeConfig, type Transport } from '@liberator/core';
import { Simulator } from '@liberator/simulator';
import { runClusterCommand } from '../demo/cluster/cluster-command.ts';
import { createObjects, deleteObjects, type Manifest } from '../demo/cluster/create-objects.ts';
import { UsageError } from '../demo/failure.ts';

/** A cluster whose machines can be switched off and on. Disposing of it removes what was created. */
export interface MaintainedCluster extends AsyncDisposable {
  /** For people. */
  readonly about: string;
  readonly transport: Transport;
  /** Whether somebody makes volumes for claims. */
  readonly providesVolumes: boolean;
  create(objects: readonly Manifest[]): Promise<void>;
  switchOff(node: string): Promise<void>;
  switchOn(node: string): Promise<void>;
}

/** Nobody wants to watch machines boot. */
const embeddedTimings = { speedUp: 4 } as const;

/** Starts a cluster in this process, and waits until its nodes are Ready. */
export async function startEmbedded(): Promise<MaintainedCluster> {
  const simulator = await Simulator.start({ http: true, nodes: 3, timings: embeddedTimings });
  try {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(simulator.kubeconfig());
    await simulator.until(() => simulator.nodesReady(), { limitMs: 60_000 });
    return {
      about: 'three nodes, simulated in this process',
      transport: simulator.transport(),
      providesVolumes: true,
      create: (objects) => createObjects(kubeConfig, objects),
      switchOff: async (node) => simulator.machine(node).crash(),
      switchOn: async (node) => simulator.machine(node).powerOn(),
      [Symbol.asyncDispose]: () => simulator.stop(),
    };
  } catch (error) {
    await simulator.stop();
    throw error;
  }
}

/**
 * Enters a cluster that "npm run cluster" started.
 *
 * @throws UsageError for any other one, since nobody here could switch its machines off.
 */
export async function enterReal(kubeconfig: string): Promise<MaintainedCluster> {
  const home = dirname(resolve(kubeconfig));
  if (!existsSync(kubeconfig)) throw new UsageError(`there is no file ${kubeconfig}`);
  if (!existsSync(join(home, 'cluster.json'))) {
    throw new UsageError(
      'expected the kubeconfig of a cluster that "npm run cluster -- up 3" started, since its machines are ' +
        `switched off and on; found none of its files beside ${kubeconfig}`,
    );
  }
  const kubeConfig = loadKubeConfig({ path: kubeconfig });
  const transport = createTransport(kubeConfig, { purpose: 'planned-maintenance' });
  const created: Manifest[] = [];
  return {
    about: 'a real control plane',
    transport,
    providesVolumes: false,
    create: (objects) => createObjects(kubeConfig, objects, (object) => created.push(object)),
    switchOff: (node) => runClusterCommand('crash', node, home),
    switchOn: (node) => runClusterCommand('start', node, home),
    async [Symbol.asyncDispose]() {
      await deleteObjects(kubeConfig, created);
      await transport.close();
    },
  };
}
