// What a NetworkFence for one death must look like, and what one that is there says. Pure.
import { createHash } from 'node:crypto';
import type { NotedNode, StorageClient } from '../../evidence/noted-node.ts';
import type { Node } from '../../kubernetes/objects.ts';
import { fenceDeathLabel, fencedNodeAnnotation, managedByLabel, managedByUs } from '../../marks/fences.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { NewObject } from '../guarded-resources.ts';
import { type CsiAddonsNode, type NetworkFence, nodeIdOf, storageClientsIn } from './csi-addons.ts';
import { hostIn, listOf } from './host-addresses.ts';

const longestName = 253;

/** The same for every leader: one death, one fence of each class. */
export function fenceName(deathId: string, networkFenceClass: string): string {
  const name = `liberator-${deathId}-${networkFenceClass}`;
  if (name.length <= longestName) return name;
  const digest = createHash('sha256').update(networkFenceClass).digest('hex').slice(0, 16);
  return `liberator-${deathId}-${digest}`;
}

export function fenceFor(
  { name, deathId }: Pick<FenceTarget, 'name' | 'deathId'>,
  networkFenceClass: string,
  cidrs: readonly string[],
): NewObject<NetworkFence> {
  return {
    metadata: {
      name: fenceName(deathId, networkFenceClass),
      labels: { [managedByLabel]: managedByUs, [fenceDeathLabel]: deathId },
      annotations: { [fencedNodeAnnotation]: name },
    },
    spec: { networkFenceClassName: networkFenceClass, fenceState: 'Fenced', cidrs },
  };
}

/** Whether a fence is one that this library made for this death. */
export function isOurs({ metadata }: NetworkFence, { deathId }: Pick<FenceTarget, 'deathId'>): boolean {
  const { labels = {} } = metadata;
  return labels[managedByLabel] === managedByUs && labels[fenceDeathLabel] === deathId;
}

/**
 * Whether what its status says is about the very spec that is asked for. A status says of which operation it is no more than that it was
 * the last one, so it counts only of a fence that has asked for nothing else since it was made.
 */
export function isAsked(fence: NetworkFence, { spec }: NewObject<NetworkFence>): boolean {
  const { networkFenceClassName, fenceState, cidrs } = fence.spec;
  return (
    fence.metadata.generation === 1 &&
    networkFenceClassName === spec.networkFenceClassName &&
    fenceState === spec.fenceState &&
    cidrs.join() === spec.cidrs.join()
  );
}

/** The addresses of a machine, or why there are none that may be fenced. */
export type Addresses =
  | { readonly cidrs: readonly string[]; readonly hosts: readonly string[] }
  | { readonly problem: string };

/** @param driver - Undefined: whichever the class is of. */
export function addressesOf(
  name: string,
  storage: NotedNode['storage'],
  { networkFenceClass, driver }: { readonly networkFenceClass: string; readonly driver?: string },
): Addresses {
  const meant = (storage ?? []).filter(
    (client) =>
      client.networkFenceClass === networkFenceClass && (driver === undefined || client.driver === driver),
  );
  const cidrs = [...new Set(meant.flatMap((client) => client.cidrs))].sort();
  if (cidrs.length === 0) {
    return {
      problem: `no address of ${name} was known for NetworkFenceClass ${networkFenceClass} while it lived`,
    };
  }
  const hosts = cidrs.map(hostIn);
  const bad = cidrs.find((_, index) => hosts[index] === undefined);
  return bad === undefined
    ? { cidrs, hosts: hosts.flatMap((host) => host ?? []) }
    : { problem: `${bad} is not the address of one machine` };
}

/** Another node that would be fenced as well, since it has one of the addresses; undefined when there is none. */
export function sharedWith(
  hosts: readonly string[],
  uid: string,
  nodes: readonly Node[],
  sidecars: readonly CsiAddonsNode[],
): { readonly host: string; readonly node: string } | undefined {
  const clients = sidecars.flatMap(storageClientsIn);
  const meant = listOf(hosts);
  for (const node of nodes) {
    if (node.metadata.uid === uid) continue;
    const own = (node.status?.addresses ?? []).map(({ address }) => address);
    const shared = [...own, ...hostsOf(node, clients)].find((address) => meant.has(address));
    if (shared !== undefined) return { host: shared, node: node.metadata.name };
  }
  return undefined;
}

function hostsOf(node: Node, clients: readonly StorageClient[]): readonly string[] {
  return clients
    .filter(({ driver, nodeId }) => nodeIdOf(node, driver) === nodeId)
    .flatMap(({ cidrs }) => cidrs.map((cidr) => cidr.split('/')[0] ?? ''));
}
