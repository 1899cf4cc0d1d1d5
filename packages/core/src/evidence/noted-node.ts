// What is noted of a node at the claim, for whoever needs it after its Node object is gone.
import type { NotedNode } from '../fencing/fence-target.ts';
import type { Node } from '../kubernetes/objects.ts';
import { machineOf } from './machine.ts';

/** Words, addresses and marks are shorter; what is longer is some program's own business, such as the manifest that was applied. */
const longestAnnotation = 1_024;

export function notedOf(node: Node): NotedNode {
  const { metadata, status } = node;
  return {
    machine: machineOf(node),
    addresses: status?.addresses ?? [],
    labels: metadata.labels ?? {},
    annotations: shortOnes(metadata.annotations ?? {}),
  };
}

/** A record beside the Node's whole annotations, which may take 256 KiB, would not fit into an object. */
function shortOnes(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([, value]) => value.length <= longestAnnotation),
  );
}
