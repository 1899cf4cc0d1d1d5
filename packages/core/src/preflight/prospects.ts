// Whether a takeover could help: where each StatefulSet pod could run if its node died, and what is in the way. Pure.
import type { PersistentVolume, Pod } from '../kubernetes/objects.ts';
import { controllerOf } from '../pods/affected-pods.ts';
import { type ClusterSnapshot, occupancyOf } from './occupancy.ts';
import { type OccupiedNode, obstaclesFor } from './placement.ts';

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
 * not mean that there is room for all pods of its node. What is looked at, and what is not, see `obstaclesFor`.
 */
export function takeoverProspects(snapshot: ClusterSnapshot): readonly TakeoverProspect[] {
  const { places, present, volumesOf } = occupancyOf(snapshot);
  return present.flatMap((pod) => {
    const owner = controllerOf(pod);
    const node = pod.spec?.nodeName;
    if (owner?.kind !== 'StatefulSet' || node === undefined) return [];
    const { namespace = 'default', name } = pod.metadata;
    const others = places.filter((one) => one.node.metadata.name !== node);
    const pinned = volumesOf(pod);
    const about = { namespace, statefulSet: owner.name, pod: name, node };
    return { ...about, ...chances(pod, pinned, others), leftBehind: leftBehind(pod, pinned) };
  });
}

/** Which of these nodes would take the pod, and what is in the way on the rest. */
export function chances(
  pod: Pod,
  volumes: readonly PersistentVolume[],
  others: readonly OccupiedNode[],
  all: readonly OccupiedNode[] = others,
): Pick<TakeoverProspect, 'fits' | 'obstacles'> {
  const fits: string[] = [];
  const reasons = new Map<string, string[]>();
  const obstacleOn = obstaclesFor(pod, volumes, all);
  for (const other of others) {
    const { name } = other.node.metadata;
    const reason = obstacleOn(other);
    if (reason === undefined) fits.push(name);
    else {
      const names = reasons.get(reason);
      if (names === undefined) reasons.set(reason, [name]);
      else names.push(name);
    }
  }
  const obstacles = [...reasons].map(([reason, nodes]) => ({ reason, nodes }));
  return { fits, obstacles: obstacles.toSorted((a, b) => b.nodes.length - a.nodes.length) };
}

/** Data of the pod that is its node's alone, one sentence each. */
export function leftBehind(pod: Pod, volumes: readonly PersistentVolume[]): readonly string[] {
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
