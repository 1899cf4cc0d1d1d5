// What is noted of a node at the claim, for whoever needs it after its Node object is gone.
import type { NotedNode } from '../fencing/fence-target.ts';
import type { Node } from '../kubernetes/objects.ts';

export function notedOf({ metadata, spec, status }: Node): NotedNode {
  return {
    machine: {
      systemUuid: status?.nodeInfo?.systemUUID ?? '',
      machineId: status?.nodeInfo?.machineID ?? '',
      providerId: spec?.providerID ?? '',
    },
    addresses: status?.addresses ?? [],
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
  };
}
