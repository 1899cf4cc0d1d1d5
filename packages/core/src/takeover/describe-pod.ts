// Describes a pod of a takeover for its record.
import type { Pod } from '../kubernetes/objects.ts';
import type { AffectedPod } from '../pods/affected-pod.ts';
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

/** The pod with the hosts to which its volumes are tied. */
export async function describePinnings(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  pod: AffectedPod,
): Promise<AffectedPod> {
  const reads = { readVolume: (name: string) => cluster.readVolume(term, name) };
  const volumes = [];
  for (const volume of pod.volumes) volumes.push(await describePinning(reads, volume));
  return { ...pod, volumes };
}
