// The port of takeovers as it is in a real cluster, on a simulated one.
import { type ConfigMap, connect, type Node, type Pod, type Transport } from '@liberator/core';
import { resources, type Simulator, seededRandom } from '@liberator/simulator';
import { endlessTerm } from '../../packages/core/src/testing/dead-node.ts';
import { startPortSimulator, tester } from './port-simulator.ts';
import { namespace, type TakeoverPort } from './takeover-port.ts';

const agent = 'agent';
const main = { containers: [{ name: 'main', image: 'app:1' }] };

export async function startTakeoverOnSimulator(): Promise<TakeoverPort> {
  const { simulator, clock, refusals, change, scale, removeSet } = await startPortSimulator(
    'takeover port',
    namespace,
  );
  await buildStory(simulator);
  const transport = simulator.transport({ user: agent });
  const { cluster } = connect({
    transport,
    leaseTransport: transport,
    namespace: 'default',
    election: { namespace: 'default', name: 'liberator' },
    identity: 'agent-1',
    clock,
    random: seededRandom('agent'),
  });
  const { store } = simulator;
  return {
    cluster,
    term: (epoch) => endlessTerm(clock, epoch),
    pass: (ms) => clock.advance(ms),
    close: () => close(simulator, transport),
    changeNode: (name, to) => change<Node>(resources.nodes, undefined, name, to),
    registerAnew(name) {
      store.delete(resources.nodes, undefined, name, {}, tester);
      store.create(resources.nodes, { metadata: { name } }, tester);
    },
    removeNode: (name) => void store.delete(resources.nodes, undefined, name, {}, tester),
    changePod: (name, to) => change<Pod>(resources.pods, namespace, name, to),
    addPod: (name, nodeName, spec) =>
      void store.create(
        resources.pods,
        { metadata: { namespace, name }, spec: { ...main, ...spec, nodeName } },
        tester,
      ),
    renewLease: (node, renewTime) =>
      change<object>(resources.leases, 'kube-node-lease', node, (lease) => ({
        ...lease,
        spec: { renewTime, holderIdentity: node, leaseDurationSeconds: 40 },
      })),
    scale,
    removeSet,
    terminateNamespace: () => void store.delete(resources.namespaces, undefined, namespace, {}, tester),
    putRecordObject: (id, text, annotations = {}) =>
      void store.create(
        resources.configmaps,
        {
          metadata: {
            namespace: 'default',
            name: `liberator-takeover-${id}`,
            labels: { 'liberator.dev/takeover': 'running' },
            annotations,
          },
          data: { 'record.json': text },
        },
        tester,
      ),
    annotateRecord: (id, annotations) =>
      change<ConfigMap>(resources.configmaps, 'default', `liberator-takeover-${id}`, (one) => ({
        ...one,
        metadata: { ...one.metadata, annotations: { ...one.metadata.annotations, ...annotations } },
      })),
    fillUp: () =>
      change<Node>(resources.nodes, undefined, 'node-2', (node) => ({
        ...node,
        spec: { ...node.spec, unschedulable: true },
      })),
    refuse: (resource, name, message) => refusals.refuse({ resource, name }, message),
    loseNextNodeWrite: (moment) =>
      void simulator.faults.add({
        match: { user: agent, resource: 'nodes', verb: ['patch', 'delete'] },
        effect: moment === 'request' ? { kind: 'refuse' } : { kind: 'drop', moment: 'after' },
        times: 1,
      }),
    hang: () => void simulator.faults.add({ match: { user: agent }, effect: { kind: 'hang' } }),
    writes: () =>
      simulator.audit().filter(({ user, verb }) => user === agent && !['get', 'list', 'watch'].includes(verb))
        .length,
  };
}

async function close(simulator: Simulator, transport: Transport): Promise<void> {
  await transport.close();
  await simulator.stop();
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
  store.create(resources.namespaces, { metadata: { name: namespace } }, tester);
  const template = (app: string): object => ({ metadata: { labels: { app } }, spec: main });
  store.create(
    resources.daemonsets,
    {
      metadata: { namespace, name: 'agent' },
      spec: { selector: { matchLabels: { app: 'agent' } }, template: template('agent') },
    },
    tester,
  );
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
        selector: { matchLabels: { app: 'db' } },
        template: template('db'),
        volumeClaimTemplates: [claim],
      },
    },
    tester,
  );
  await simulator.until(() => simulator.runningPods().some(({ name }) => name === 'db-0'));
  await simulator.until(() => store.find(resources.leases, 'kube-node-lease', 'node-1') !== undefined);
  cordon(false);
  simulator.machine('node-1').crash();
}
