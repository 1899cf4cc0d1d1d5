// What a takeover of a node would let go of, before anybody vouches for its death.

import type { AffectedPod } from '../pods/affected-pod.ts';
import { describePodBy, mustGo } from '../pods/affected-pods.ts';
import type { ConfirmationCluster } from './cluster.ts';

/** Every pod that would be released, with its volumes, as a record would have it. By namespace and name. */
export async function previewRelease(
  cluster: Pick<ConfirmationCluster, 'listPodsOn' | 'readClaim' | 'readVolume'>,
  node: string,
): Promise<readonly AffectedPod[]> {
  const pods = (await cluster.listPodsOn(node)).filter(mustGo);
  const described = await Promise.all(pods.map((pod) => describePodBy(cluster, pod)));
  return described.toSorted((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}
