// Nodes, Leases and policies as tests of the ledger need them.
import { defaultHeartbeatDetection } from '../evidence/rules.ts';
import type { Lease, Node } from '../kubernetes/objects.ts';
import type { Policy } from '../policy/policy.ts';

export const anyNode: Policy = {
  name: 'any',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 2, maxDeadPercent: 50 },
  fencing: { drivers: ['ipmi'], proof: 'required' },
  node: 'delete',
};

export interface NodeLike {
  readonly uid?: string;
  readonly ready?: 'True' | 'False' | 'Unknown' | 'absent';
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly bootId?: string;
}

export function nodeNamed(name: string, like: NodeLike = {}): Node {
  const { uid = `uid-${name}`, ready = 'True', labels = {}, annotations = {}, bootId = 'boot-1' } = like;
  return {
    metadata: { name, uid, resourceVersion: '1', labels, annotations },
    status: {
      ...(ready !== 'absent' && { conditions: [{ type: 'Ready', status: ready }] }),
      nodeInfo: { bootID: bootId },
    },
  };
}

export function leaseOf(node: string, renewTime: string | undefined): Lease {
  return {
    metadata: { name: node, namespace: 'kube-node-lease', uid: `lease-${node}`, resourceVersion: '1' },
    spec: { ...(renewTime !== undefined && { renewTime }) },
  };
}
