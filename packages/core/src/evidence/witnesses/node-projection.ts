// Cuts Nodes and Leases down to what is used: a Node of a busy cluster carries 5 to 20 kB, nearly all of it images.

import type { Condition, Lease, Node } from '../../kubernetes/objects.ts';
import { renewTimeOf } from '../renew-time.ts';

export function projectNode(node: Node): Node {
  const { name, uid, resourceVersion, labels, annotations } = node.metadata;
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const internal = node.status?.addresses?.filter(({ type }) => type === 'InternalIP');
  const { machineID, systemUUID } = node.status?.nodeInfo ?? {};
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: {
      ...(node.spec?.taints && { taints: node.spec.taints }),
      ...(node.spec?.unschedulable && { unschedulable: true }),
      ...(node.spec?.providerID && { providerID: node.spec.providerID }),
    },
    status: {
      ...(ready && { conditions: [projectReady(ready)] }),
      ...(internal && { addresses: internal }),
      ...(port !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
      nodeInfo: {
        bootID: node.status?.nodeInfo?.bootID ?? '',
        ...(machineID && { machineID }),
        ...(systemUUID && { systemUUID }),
      },
    },
  };
}

function projectReady({ type, status, reason, lastHeartbeatTime, lastTransitionTime }: Condition): Condition {
  return {
    type,
    status,
    ...(reason !== undefined && { reason }),
    ...(lastHeartbeatTime !== undefined && { lastHeartbeatTime }),
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
  };
}

export function projectLease(lease: Lease): Lease {
  const { name, namespace, uid, resourceVersion, annotations } = lease.metadata;
  const { holderIdentity, leaseTransitions } = lease.spec ?? {};
  const renewTime = renewTimeOf(lease);
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      ...(namespace !== undefined && { namespace }),
      ...(annotations && { annotations }),
    },
    spec: {
      ...(holderIdentity !== undefined && { holderIdentity }),
      ...(renewTime !== undefined && { renewTime }),
      ...(leaseTransitions !== undefined && { leaseTransitions }),
    },
  };
}
