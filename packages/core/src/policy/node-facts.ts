// What guards are told of a node, from what its watches show.
import type { FleetNode } from './fleet-node.ts';
import type { NodeFacts } from './guard.ts';

export function factsOf({ node, maintenance }: Pick<FleetNode, 'node' | 'maintenance'>): NodeFacts {
  const { name, uid, labels, annotations } = node.metadata;
  return {
    name,
    uid,
    labels: labels ?? {},
    annotations: annotations ?? {},
    taints: node.spec?.taints ?? [],
    ...(maintenance && { maintenance }),
  };
}
