// The port of maintenance as it is in a real cluster, on a simulated one.
import { connectMaintenance, type Node } from '@liberator/core';
import { resources, type Simulator, seededRandom } from '@liberator/simulator';
import type { MaintenancePort } from './maintenance-port.ts';
import { startPortSimulator, tester } from './port-simulator.ts';

const human = 'alice';
const namespace = 'default';
const main = { containers: [{ name: 'main', image: 'app:1' }] };

export async function startMaintenanceOnSimulator(): Promise<MaintenancePort> {
  const { simulator, clock, refusals, change, scale, removeSet } = await startPortSimulator(
    'maintenance port',
    namespace,
  );
  await buildStory(simulator);
  const { store } = simulator;
  const transport = simulator.transport({ user: human });
  return {
    cluster: connectMaintenance({ transport, clock, random: seededRandom(human) }),
    pass: (ms) => clock.advance(ms),
    async close() {
      await transport.close();
      await simulator.stop();
    },
    changeNode: (name, to) => change<Node>(resources.nodes, undefined, name, to),
    removeNode(name) {
      simulator.machine(name).crash();
      store.delete(resources.nodes, undefined, name, {}, tester);
    },
    scale,
    removeSet,
    protect: (app, name) =>
      void store.create(
        resources.poddisruptionbudgets,
        {
          metadata: { namespace, name },
          spec: { minAvailable: 1, selector: { matchLabels: { app } } },
        },
        tester,
      ),
    unprotect: (name) => void store.delete(resources.poddisruptionbudgets, namespace, name, {}, tester),
    refuse: (pod, message) => refusals.refuse({ resource: 'pods', name: `${pod}/eviction` }, message),
    breakDown: () => void simulator.faults.add({ match: { user: human }, effect: { kind: 'refuse' } }),
  };
}

async function buildStory(simulator: Simulator): Promise<void> {
  const { store } = simulator;
  await simulator.until(() => simulator.nodesReady());
  const cordon = (unschedulable: boolean): void =>
    void store.modify<{ spec: { unschedulable?: boolean } }>(
      resources.nodes,
      undefined,
      'node-2',
      (draft) => {
        draft.spec = { ...draft.spec, unschedulable };
        return true;
      },
      tester,
    );
  cordon(true);
  const labels = { app: 'db' };
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  store.create(
    resources.statefulsets,
    {
      metadata: { namespace, name: 'db' },
      spec: {
        replicas: 1,
        serviceName: 'db',
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: main },
        volumeClaimTemplates: [claim],
      },
    },
    tester,
  );
  store.create(
    resources.pods,
    {
      metadata: { namespace, name: 'alone', labels: { app: 'alone' } },
      spec: { ...main, nodeName: 'node-1' },
    },
    tester,
  );
  const isReady = (name: string): boolean => {
    const pod = store.find(resources.pods, namespace, name) as
      | { status?: { conditions?: { type: string; status: string }[] } }
      | undefined;
    return (
      pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
    );
  };
  await simulator.until(() => isReady('db-0') && isReady('alone'));
  cordon(false);
}
