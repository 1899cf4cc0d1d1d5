// The cluster that needs nothing: Liberator's simulator in this process, served over HTTP to everybody else.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig, VersionApi } from '@kubernetes/client-node';
import { type NodeSpec, Simulator } from '@liberator/simulator';
import { createObjects, namespaceObject } from './create-objects.ts';
import { agentAccount, agentNamespace, type DemoCluster, withoutProbes } from './demo-cluster.ts';

/** Such as have a board with a number of its own, by which a fence device can tell them apart. */
export function machines(count: number): readonly NodeSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node-${index + 1}`,
    systemUUID: randomUUID(),
  }));
}

/** @param directory - Where kubeconfigs are written. */
export async function startEmbeddedCluster(directory: string): Promise<DemoCluster> {
  const simulator = await Simulator.start({ nodes: machines(3), http: true });
  try {
    const adminKubeconfig = join(directory, 'kubeconfig');
    const agentKubeconfig = join(directory, 'agent.kubeconfig');
    const user = `system:serviceaccount:${agentNamespace}:${agentAccount}`;
    writeFileSync(adminKubeconfig, simulator.kubeconfig(), { mode: 0o600 });
    writeFileSync(agentKubeconfig, simulator.kubeconfig({ user }), { mode: 0o600 });
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(adminKubeconfig);
    await createObjects(kubeConfig, [namespaceObject(agentNamespace)]);
    const { gitVersion } = await kubeConfig.makeApiClient(VersionApi).getCode();
    await simulator.until(() => simulator.nodesReady(), { limitMs: 60_000 });
    return {
      kind: 'embedded',
      version: gitVersion,
      about: 'simulated in this process',
      changedTimers: [],
      nodes: simulator.nodes.map(({ name }) => name),
      adminKubeconfig,
      agentKubeconfig,
      detection: withoutProbes,
      providesVolumes: true,
      create: (objects) => createObjects(kubeConfig, objects),
      crash: async (node) => simulator.machine(node).crash(),
      powerOn: async (node) => simulator.machine(node).powerOn(),
      nodeDeletes: async (since) =>
        simulator
          .audit()
          .filter(
            ({ verb, resource, subresource, code, time }) =>
              verb === 'delete' &&
              resource === 'nodes' &&
              subresource === undefined &&
              code === 200 &&
              time >= since.getTime(),
          ).length,
      [Symbol.asyncDispose]: () => simulator.stop(),
    };
  } catch (error) {
    await simulator.stop();
    throw error;
  }
}
