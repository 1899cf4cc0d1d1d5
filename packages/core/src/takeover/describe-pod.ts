// Describes a pod of a takeover for its record.
import type { Pod } from '../kubernetes/objects.ts';
import type { AffectedPod } from '../pods/affected-pod.ts';
import { describePodBy } from '../pods/affected-pods.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { TakeoverCluster } from './cluster.ts';

/** Describes a pod for the record, reading its claims and volumes live. */
export async function describePod(
  term: LeaderTerm,
  cluster: TakeoverCluster,
  pod: Pod,
): Promise<AffectedPod> {
  return describePodBy(
    {
      readClaim: (namespace, name) => cluster.readClaim(term, namespace, name),
      readVolume: (name) => cluster.readVolume(term, name),
    },
    pod,
  );
}
