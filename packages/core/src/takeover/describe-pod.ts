// Describes a pod of a takeover for its record.
import type { Pod } from '../kubernetes/objects.ts';
import type { AffectedPod, AffectedVolume } from '../pods/affected-pod.ts';
import { describePinning, describePodBy } from '../pods/affected-pods.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { TakeoverCluster } from './cluster.ts';

/**
 * Describes a pod for the record, reading its claims live. To which hosts its volumes are tied is read once the replacement
 * finds no place: see {@link describePinnings}.
 */
export async function describePod(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  pod: Pod,
): Promise<AffectedPod> {
  return describePodBy(
    {
      readClaim: (namespace, name) => cluster.readClaim(term, namespace, name),
      readVolume: async () => undefined,
    },
    pod,
  );
}

/** The pod's volumes with the hosts to which each is tied. */
export async function describePinnings(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  pod: AffectedPod,
): Promise<readonly AffectedVolume[]> {
  const reads = { readVolume: (name: string) => cluster.readVolume(term, name) };
  const volumes: AffectedVolume[] = [];
  for (const volume of pod.volumes) volumes.push(await describePinning(reads, volume));
  return volumes;
}
