// Reads a cluster as it is, for a simulation: by lists and gets alone, and with a word about each that was refused.
import {
  isForbidden,
  isNotFound,
  type KubernetesReader,
  type Lease,
  leases,
  namespaces,
  nodes,
  type Pod,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  readPause,
  readTakeovers,
  type SimulatedCluster,
  type SimulatedLeader,
  statefulSets,
  type TakeoversOnRecord,
} from '@liberator/core';
import type { Place } from '../cluster/place.ts';

export interface ClusterRead {
  readonly cluster: SimulatedCluster;
  readonly onRecord: TakeoversOnRecord;
  readonly paused: string | undefined;
  readonly leader: SimulatedLeader | undefined;
  /** What could not be read, and what is taken for granted instead, a sentence each. */
  readonly unread: readonly string[];
}

/**
 * @param electedAfterMs - How long it takes until another replica leads.
 * @throws as every read does; where Nodes can't be listed, there is nothing to simulate
 */
export async function readCluster(
  reader: KubernetesReader,
  place: Place,
  electedAfterMs: number,
): Promise<ClusterRead> {
  const unread: string[] = [];
  const unless = async <T>(what: string, instead: string, reading: Promise<T>): Promise<T | undefined> => {
    try {
      return await reading;
    } catch (error) {
      if (!isForbidden(error) && !isNotFound(error)) throw error;
      if (isForbidden(error)) unread.push(`you may not ${what}: ${instead}`);
      return undefined;
    }
  };
  const { namespace, election } = place;
  const [allNodes, nodeLeases, allPods, claims, volumes, sets, allNamespaces, onRecord, paused, lease] =
    await Promise.all([
      reader.list(nodes),
      unless(
        'list Leases in kube-node-lease',
        'every node is taken to have one',
        reader.list(leases, { namespace: 'kube-node-lease' }),
      ),
      unless('list pods', 'nothing is known of what is on the nodes', reader.list(pods)),
      unless(
        'list persistentvolumeclaims',
        'volumes are taken to be usable everywhere',
        reader.list(persistentVolumeClaims),
      ),
      unless(
        'list persistentvolumes',
        'volumes are taken to be usable everywhere',
        reader.list(persistentVolumes),
      ),
      unless('list statefulsets', 'every pod of one is taken to be wanted', reader.list(statefulSets)),
      unless('list namespaces', 'none is taken to be going', reader.list(namespaces)),
      unless(
        `list configmaps in namespace ${namespace}`,
        'nothing is taken to be on record',
        readTakeovers(reader, namespace),
      ),
      unless(
        `get Lease ${election.name} and ConfigMap ${election.name}-pause in namespace ${namespace}`,
        'nothing is taken to be paused',
        readPause(reader, place),
      ),
      unless(
        `get Lease ${election.name} in namespace ${namespace}`,
        'somebody is taken to lead, whichever nodes die',
        reader.get(leases, election),
      ),
    ]);
  return {
    cluster: {
      nodes: allNodes.items,
      pods: allPods?.items ?? [],
      claims: claims?.items ?? [],
      volumes: volumes?.items ?? [],
      ...(nodeLeases && { leases: nodeLeases.items }),
      ...(sets && { statefulSets: sets.items }),
      ...(allNamespaces && { namespaces: allNamespaces.items }),
    },
    onRecord: onRecord ?? { records: [], unreadable: [] },
    paused,
    leader: leaderOf(lease, allPods?.items ?? [], namespace, electedAfterMs),
    unread,
  };
}

/**
 * Where the leader runs, and the others like it. Undefined where its identity is not that of a pod, as when it runs somewhere
 * else.
 */
export function leaderOf(
  lease: Lease | undefined,
  all: readonly Pod[],
  namespace: string,
  electedAfterMs: number,
): SimulatedLeader | undefined {
  // An agent's identity is the name of its pod, and what tells one life of it from another.
  const name = lease?.spec?.holderIdentity?.replace(/_[^_]*$/, '');
  const here = all.filter(
    ({ metadata, status }) => metadata.namespace === namespace && status?.phase === 'Running',
  );
  const leader = here.find(({ metadata }) => metadata.name === name);
  const on = leader?.spec?.nodeName;
  if (leader === undefined || on === undefined) return undefined;
  const maker = makerOf(leader);
  const others = here.filter((pod) => pod !== leader && maker !== undefined && makerOf(pod) === maker);
  return { on, others: others.flatMap(({ spec }) => spec?.nodeName ?? []), electedAfterMs };
}

function makerOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}
