// What is noted of a node at the claim, for whoever needs it after its Node object is gone.
import type { NotedNode } from '../fencing/fence-target.ts';
import type { Node } from '../kubernetes/objects.ts';
import { machineOf } from './machine.ts';

export function notedOf(node: Node): NotedNode {
  const { metadata, status } = node;
  return {
    machine: machineOf(node),
    addresses: status?.addresses ?? [],
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
  };
}
