// The story that takeover tests begin with: node-1 has died, with a StatefulSet's pod and others on it.

import type { TakeoverRecord } from '../takeover/record.ts';
import { RenewableTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { MemoryCluster } from './memory-cluster.ts';

const ownedBy = (kind: string, name: string): object => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: `uid-${name}`, controller: true }],
});

/** `node-1` fell silent after its renewal `r1`; `node-2` takes what is to be moved. */
export function clusterWithDeadNode(clock: Clock): MemoryCluster {
  const cluster = new MemoryCluster(clock);
  cluster.putNode({
    metadata: { name: 'node-1', uid: 'n1', labels: { rack: '7' } },
    spec: { taints: [{ key: 'team', value: 'db', effect: 'NoSchedule' }] },
    status: { nodeInfo: { bootID: 'boot-1' } },
  });
  cluster.putNode({ metadata: { name: 'node-2', uid: 'n2' } });
  cluster.renew('node-1', 'r1');
  const on = { nodeName: 'node-1' };
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }];
  cluster.putPod({
    metadata: { name: 'db-0', uid: 'db', ...ownedBy('StatefulSet', 'db') },
    spec: { ...on, volumes },
  });
  cluster.putPod({ metadata: { name: 'web-1', uid: 'web', ...ownedBy('ReplicaSet', 'web') }, spec: on });
  cluster.putPod({ metadata: { name: 'agent', uid: 'agent', ...ownedBy('DaemonSet', 'agent') }, spec: on });
  cluster.putPod({
    metadata: { name: 'static', uid: 'static', annotations: { 'kubernetes.io/config.mirror': 'x' } },
    spec: on,
  });
  const claim = { name: 'data-db-0', namespace: 'default', uid: 'claim', resourceVersion: '1' };
  cluster.claims.set('default/data-db-0', { metadata: claim, spec: { volumeName: 'pv-0' } });
  cluster.volumes.set('pv-0', { metadata: { name: 'pv-0', uid: 'pv', resourceVersion: '1' } });
  cluster.attachments.set('pv-0', {
    metadata: { name: 'attachment', uid: 'va', resourceVersion: '1' },
    spec: { nodeName: 'node-1', source: { persistentVolumeName: 'pv-0' } },
  });
  return cluster;
}

/** The record with which a leader opens that takeover. */
export function newRecord(change: Partial<TakeoverRecord> = {}): TakeoverRecord {
  return {
    version: 1,
    id: 'death',
    deathId: 'death',
    node: { name: 'node-1', uid: 'n1', bootId: 'boot-1' },
    lastHeartbeat: 'r1',
    epoch: 1,
    openedAt: '2030-01-01T00:00:00.000Z',
    evidence: 'unreachable',
    reasons: ['Lease not renewed for 25s'],
    verdicts: [],
    policy: { name: 'default', node: 'delete', proof: 'required', drivers: ['ipmi'] },
    pods: [],
    steps: {},
    ...change,
  };
}

/** A term that lasts until it is ended. */
export function endlessTerm(clock: Clock, epoch: number): RenewableTerm {
  return new RenewableTerm({
    epoch,
    identity: `leader-${epoch}`,
    clock,
    validityMs: Number.MAX_SAFE_INTEGER,
    first: { renewTime: '', sentAt: clock.now() },
    firstWallTime: clock.wallTime(),
  });
}
