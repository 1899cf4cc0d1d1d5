// The cluster in memory on which core tests takeovers, held against the contract of their port.
import { endlessTerm } from '../../packages/core/src/testing/dead-node.ts';
import { ManualClock } from '../../packages/core/src/testing/manual-clock.ts';
import { type Call, MemoryCluster } from '../../packages/core/src/testing/memory-cluster.ts';
import { namespace, type TakeoverPort } from './takeover-port.ts';

const methodsOf = {
  nodes: ['setTaints', 'clearTaints', 'addToNode', 'deleteNode'],
  pods: ['deletePod'],
  configmaps: ['createRecord', 'updateRecord', 'deleteRecord'],
  events: ['publishEvent'],
} as const;

export async function startTakeoverInMemory(): Promise<TakeoverPort> {
  const clock = new ManualClock({ turns: 1 });
  const cluster = new MemoryCluster(clock);
  const ownedBy = (kind: string, name: string): object => ({
    ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: `uid-${name}`, controller: true }],
  });
  cluster.putNode({ metadata: { name: 'node-1', uid: 'n1', labels: { rack: '7' } } });
  cluster.putNode({ metadata: { name: 'node-2', uid: 'n2' } });
  cluster.renew('node-1', '2030-01-01T00:00:00.000000Z');
  cluster.putPod({
    metadata: { namespace, name: 'db-0', uid: 'db', ...ownedBy('StatefulSet', 'db') },
    spec: {
      nodeName: 'node-1',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }],
    },
  });
  cluster.putPod({
    metadata: { namespace, name: 'agent', uid: 'agent', ...ownedBy('DaemonSet', 'agent') },
    spec: { nodeName: 'node-1' },
  });
  const claim = { name: 'data-db-0', namespace, uid: 'claim', resourceVersion: '1' };
  cluster.claims.set(`${namespace}/data-db-0`, { metadata: claim, spec: { volumeName: 'pv-0' } });
  cluster.volumes.set('pv-0', { metadata: { name: 'pv-0', uid: 'pv', resourceVersion: '1' } });
  cluster.attachments.set('pv-0', {
    metadata: { name: 'attachment', uid: 'va', resourceVersion: '1' },
    spec: { nodeName: 'node-1', source: { persistentVolumeName: 'pv-0' } },
  });
  let served = 0;
  let lost: 'request' | 'answer' | undefined;
  const isAbout = (call: Call, resource: keyof typeof methodsOf): boolean =>
    methodsOf[resource].some((method) => method === call.method);
  cluster.fateOf = (call) => {
    if (!call.write) return undefined;
    const fate = isAbout(call, 'nodes') ? lost : undefined;
    if (fate !== undefined) lost = undefined;
    if (fate !== 'request') served += 1;
    if (fate === undefined) return undefined;
    return { outcome: fate === 'request' ? 'failed' : 'answer-lost' };
  };
  return {
    cluster,
    term: (epoch) => endlessTerm(clock, epoch),
    pass: (ms) => clock.advance(ms),
    close: async () => {},
    changeNode: (name, change) => cluster.changeNode(name, change),
    registerAnew: (name) => cluster.putNode({ metadata: { name, uid: `${name}-anew` } }),
    removeNode: (name) => void cluster.nodes.delete(name),
    changePod: (name, change) => cluster.changePod(`${namespace}/${name}`, change),
    addPod: (name, nodeName, spec) =>
      cluster.putPod({ metadata: { namespace, name, uid: `uid-${name}` }, spec: { ...spec, nodeName } }),
    renewLease: (node, renewTime) => cluster.renew(node, renewTime),
    scale: (set, replicas) => cluster.scale(set, replicas, namespace),
    removeSet: (set) => cluster.removeSet(set, namespace),
    terminateNamespace: () => cluster.terminateNamespace(namespace),
    putRecordObject: (id, text, annotations = {}) =>
      cluster.putRecordObject({
        metadata: {
          namespace: 'default',
          name: `liberator-takeover-${id}`,
          uid: id,
          resourceVersion: '1',
          annotations,
        },
        data: { 'record.json': text },
      }),
    annotateRecord: (id, annotations) => cluster.annotateRecord(id, annotations),
    fillUp() {
      cluster.replacementNode = undefined;
      cluster.noNodeBecause = '0/2 nodes are available: 2 Insufficient memory.';
    },
    refuse(resource, name, message) {
      const others = cluster.refuses;
      cluster.refuses = (call) =>
        isAbout(call, resource) && nameOf(call) === name ? { message } : others(call);
    },
    loseNextNodeWrite(moment) {
      lost = moment;
    },
    hang() {
      cluster.fateOf = () => ({ outcome: 'unanswered' });
    },
    writes: () => served,
  };
}

/** Of the object on a server. */
function nameOf({ method, target }: Call): string | undefined {
  return method.endsWith('Record') ? `liberator-takeover-${target}` : target.split('/').at(-1);
}
