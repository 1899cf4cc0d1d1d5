// Whether a takeover could help: where each StatefulSet pod could run if its node died, and what is in the way. Pure.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../kubernetes/objects.ts';
import { controllerOf } from '../pods/affected-pods.ts';
import { type OccupiedNode, obstacleOn } from './placement.ts';

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

/** What would become of one StatefulSet pod if its node died now. */
export interface TakeoverProspect {
  /** Of the StatefulSet. */
  readonly namespace: string;
  /** Its name. */
  readonly statefulSet: string;
  /** The pod's name. */
  readonly pod: string;
  /** Where it runs now. */
  readonly node: string;
  /** Other nodes that would take it. Empty: a takeover could not help it. */
  readonly fits: readonly string[];
  /** What is in the way on the others: the most frequent reason first. */
  readonly obstacles: readonly { readonly reason: string; readonly nodes: readonly string[] }[];
  /** Data that stays on the dead node, while the pod would start elsewhere without it. */
  readonly leftBehind: readonly string[];
}

/**
 * The prospects of every StatefulSet pod that is on a node. Each pod is looked at alone: that there is room for one does
 * not mean that there is room for all pods of its node. What is looked at, and what is not, see `obstacleOn`.
 */
export function takeoverProspects(snapshot: ClusterSnapshot): readonly TakeoverProspect[] {
  const occupied = snapshot.nodes.map((node): { node: Node; pods: Pod[] } => ({ node, pods: [] }));
  const byName = new Map(occupied.map((one) => [one.node.metadata.name, one]));
  const present = snapshot.pods.filter(isPresent);
  for (const pod of present) byName.get(pod.spec?.nodeName ?? '')?.pods.push(pod);
  const claims = new Map(snapshot.claims.map((claim) => [keyOf(claim), claim]));
  const volumes = new Map(snapshot.volumes.map((volume) => [volume.metadata.name, volume]));
  const volumesOf = (pod: Pod): readonly PersistentVolume[] =>
    (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => {
      const claim = claims.get(`${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`);
      return volumes.get(claim?.spec?.volumeName ?? '') ?? [];
    });
  return present.flatMap((pod) => {
    const owner = controllerOf(pod);
    const node = pod.spec?.nodeName;
    if (owner?.kind !== 'StatefulSet' || node === undefined) return [];
    const { namespace = 'default', name } = pod.metadata;
    const others = occupied.filter((one) => one.node.metadata.name !== node);
    const pinned = volumesOf(pod);
    const about = { namespace, statefulSet: owner.name, pod: name, node };
    return { ...about, ...chances(pod, pinned, others), leftBehind: leftBehind(pod, pinned) };
  });
}

function chances(
  pod: Pod,
  volumes: readonly PersistentVolume[],
  others: readonly OccupiedNode[],
): Pick<TakeoverProspect, 'fits' | 'obstacles'> {
  const fits: string[] = [];
  const reasons = new Map<string, string[]>();
  for (const other of others) {
    const { name } = other.node.metadata;
    const reason = obstacleOn(other, pod, volumes, others);
    if (reason === undefined) fits.push(name);
    else reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  const obstacles = [...reasons].map(([reason, nodes]) => ({ reason, nodes }));
  return { fits, obstacles: obstacles.toSorted((a, b) => b.nodes.length - a.nodes.length) };
}

function leftBehind(pod: Pod, volumes: readonly PersistentVolume[]): readonly string[] {
  const mounted = (pod.spec?.volumes ?? []).flatMap(({ name, hostPath }) =>
    hostPath === undefined ? [] : [`volume ${name} is ${hostPath.path} of the node`],
  );
  // One that says where it can be used is an obstacle elsewhere already.
  const claimed = volumes.flatMap(({ metadata, spec }) =>
    spec?.hostPath === undefined || spec.nodeAffinity !== undefined
      ? []
      : [`volume ${metadata.name} is ${spec.hostPath.path} of the node`],
  );
  return [...mounted, ...claimed];
}

function isPresent({ status }: Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}

function keyOf({ metadata }: PersistentVolumeClaim): string {
  return `${metadata.namespace}/${metadata.name}`;
}
