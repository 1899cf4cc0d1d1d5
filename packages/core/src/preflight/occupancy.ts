// What is on which node, and which volumes a pod has: what all questions about places for pods begin with. Pure.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../kubernetes/objects.ts';

/** Everything that a pod's chances depend on, as it is now. */
export interface ClusterSnapshot {
  /** All of them. */
  readonly nodes: readonly Node[];
  /** All of them, of every kind: they take room, and others keep away from them. */
  readonly pods: readonly Pod[];
  /** All of them. */
  readonly claims: readonly PersistentVolumeClaim[];
  /** All of them. */
  readonly volumes: readonly PersistentVolume[];
}

/** A node, and the pods that are on it: whoever places another pod there adds it. */
export interface Place {
  readonly node: Node;
  readonly pods: Pod[];
}

/** A cluster, node by node. */
export interface Occupancy {
  /** In the order of the nodes. */
  readonly places: readonly Place[];
  /** Those that have not finished, on a node or not. */
  readonly present: readonly Pod[];
  /** The volumes to which the claims of a pod are bound. */
  readonly volumesOf: (pod: Pod) => readonly PersistentVolume[];
}

export function occupancyOf(snapshot: ClusterSnapshot): Occupancy {
  const places = snapshot.nodes.map((node): Place => ({ node, pods: [] }));
  const byName = new Map(places.map((one) => [one.node.metadata.name, one]));
  const present = snapshot.pods.filter(isPresent);
  for (const pod of present) byName.get(pod.spec?.nodeName ?? '')?.pods.push(pod);
  const claims = new Map(snapshot.claims.map((claim) => [keyOf(claim), claim]));
  const volumes = new Map(snapshot.volumes.map((volume) => [volume.metadata.name, volume]));
  const volumesOf = (pod: Pod): readonly PersistentVolume[] =>
    (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => {
      const claim = claims.get(`${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`);
      return volumes.get(claim?.spec?.volumeName ?? '') ?? [];
    });
  return { places, present, volumesOf };
}

function isPresent({ status }: Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function keyOf({ metadata }: PersistentVolumeClaim): string {
  return `${metadata.namespace}/${metadata.name}`;
}
