// Which pods a dead node holds back, and which volumes they need: what a takeover is about.

import type { OwnerReference, PersistentVolume, PersistentVolumeClaim, Pod } from '../kubernetes/objects.ts';
import { keepAnnotation, mirrorPodAnnotation } from '../marks/pods.ts';
import type { AffectedPod, AffectedVolume } from './affected-pod.ts';

const hostnameLabel = 'kubernetes.io/hostname';

/**
 * Pods that must go for the node's work to go on elsewhere: all but those that belong to the node itself, which are
 * DaemonSet pods and static (mirror) pods.
 */
export function mustGo(pod: Pod): boolean {
  if (pod.metadata.annotations?.[mirrorPodAnnotation] !== undefined) return false;
  return !(pod.metadata.ownerReferences ?? []).some(
    (owner) => owner.controller === true && (owner.kind === 'DaemonSet' || owner.kind === 'Node'),
  );
}

/** Whether people want a pod kept where it is. */
export function isKept({ metadata }: Pod): boolean {
  const value = metadata.annotations?.[keepAnnotation];
  return value !== undefined && value !== 'false';
}

/** Whether nobody makes another one when it is gone, while it still has something to do. */
export function isBare(pod: Pod): boolean {
  const { phase } = pod.status ?? {};
  return controllerOf(pod) === undefined && phase !== 'Succeeded' && phase !== 'Failed';
}

/** How a pod's claims and volumes are read. */
export interface VolumeReads {
  /** Undefined when there is no such claim. */
  readClaim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  /** Undefined when there is no such volume. */
  readVolume(name: string): Promise<PersistentVolume | undefined>;
}

/** The same for whoever reads in another name than a term's. */
export async function describePodBy(reads: VolumeReads, pod: Pod): Promise<AffectedPod> {
  const namespace = pod.metadata.namespace ?? 'default';
  const owner = controllerOf(pod);
  const volumes: AffectedVolume[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) volumes.push(await describeVolume(reads, namespace, claim));
  }
  const described = {
    namespace,
    name: pod.metadata.name,
    uid: pod.metadata.uid,
    volumes,
    ...(isBare(pod) && { bare: true as const }),
    ...(isKept(pod) && { kept: true as const }),
  };
  return owner?.kind === 'StatefulSet' ? { ...described, statefulSet: owner.name } : described;
}

/** Who makes another one when the pod is gone. */
export function controllerOf(pod: Pod): OwnerReference | undefined {
  return pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

async function describeVolume(reads: VolumeReads, namespace: string, claim: string): Promise<AffectedVolume> {
  const volume = (await reads.readClaim(namespace, claim))?.spec?.volumeName;
  if (volume === undefined) return { claim };
  return describePinning(reads, { claim, volume });
}

/** The same with the hosts to which the volume is tied, if it is. */
export async function describePinning(
  reads: Pick<VolumeReads, 'readVolume'>,
  { claim, volume }: AffectedVolume,
): Promise<AffectedVolume> {
  if (volume === undefined) return { claim };
  const pinnedTo = pinnedHosts(await reads.readVolume(volume));
  return pinnedTo === undefined ? { claim, volume } : { claim, volume, pinnedTo };
}

/** The hosts to which a volume's node affinity ties it, if it does so by host name. */
function pinnedHosts(volume: PersistentVolume | undefined): readonly string[] | undefined {
  const terms = volume?.spec?.nodeAffinity?.required?.nodeSelectorTerms ?? [];
  const hosts = terms.flatMap((term) =>
    (term.matchExpressions ?? [])
      .filter(({ key, operator }) => key === hostnameLabel && operator === 'In')
      .flatMap(({ values }) => values ?? []),
  );
  return hosts.length === 0 ? undefined : hosts;
}
