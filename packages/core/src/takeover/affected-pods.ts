// Which pods a dead node holds back, and which volumes they need: what a takeover is about.
import type { LeaderTerm } from '../election/leader-term.ts';
import type { PersistentVolume, Pod } from '../kubernetes/objects.ts';
import type { TakeoverCluster } from './cluster.ts';
import type { AffectedPod, AffectedVolume } from './record.ts';

const mirrorPodAnnotation = 'kubernetes.io/config.mirror';
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

/** Describes a pod for the record, reading its claims and volumes live. */
export async function describePod(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  pod: Pod,
): Promise<AffectedPod> {
  const namespace = pod.metadata.namespace ?? 'default';
  const statefulSet = pod.metadata.ownerReferences?.find(
    (owner) => owner.controller === true && owner.kind === 'StatefulSet',
  )?.name;
  const volumes: AffectedVolume[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined) volumes.push(await describeVolume(term, cluster, namespace, claim));
  }
  const described = { namespace, name: pod.metadata.name, uid: pod.metadata.uid, volumes };
  return statefulSet === undefined ? described : { ...described, statefulSet };
}

async function describeVolume(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  namespace: string,
  claim: string,
): Promise<AffectedVolume> {
  const volume = (await cluster.readClaim(term, namespace, claim))?.spec?.volumeName;
  if (volume === undefined) return { claim };
  const pinnedTo = pinnedHosts(await cluster.readVolume(term, volume));
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
