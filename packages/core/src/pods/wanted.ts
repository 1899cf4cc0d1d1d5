// Whether a StatefulSet still wants a pod of some name: nobody waits for one that will never be made again. Pure.
import type { KubernetesObject, StatefulSet } from '../kubernetes/objects.ts';
import type { UnwantedPod } from './affected-pod.ts';

/** The number at the end of a StatefulSet pod's name; -1 when there is none. */
export function ordinalOf({ name }: { readonly name: string }): number {
  return Number(/-(\d+)$/.exec(name)?.[1] ?? -1);
}

/** Why nobody will make the pod anew; undefined when it is wanted. What isn't there is given as undefined. */
export function whyUnwanted(
  pod: { readonly name: string },
  set: StatefulSet | undefined,
  namespace: KubernetesObject | undefined,
): UnwantedPod | undefined {
  if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined)
    return 'namespace-deleted';
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return 'set-deleted';
  return isWantedBy(set, pod) ? undefined : 'scaled-down';
}

/** Whether the set still wants a pod of this name. */
export function isWantedBy(set: StatefulSet | undefined, pod: { readonly name: string }): boolean {
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return false;
  const start = set.spec?.ordinals?.start ?? 0;
  const ordinal = ordinalOf(pod);
  return ordinal >= start && ordinal < start + (set.spec?.replicas ?? 1);
}
