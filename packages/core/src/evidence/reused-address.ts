// Tells whether a dead node's address belongs to another machine by now: what answers there is not the dead one.

import type { Node } from '../kubernetes/objects.ts';
import type { KnownNode } from './known-node.ts';
import type { NotedNode } from './noted-node.ts';

/** Where a Node doesn't name another. */
const defaultKubeletPort = 10_250;

/** The other node that lives at the address of `dead`, since after it fell silent; undefined when there is none. */
export function ownerOfAddress<N extends KnownNode>(dead: KnownNode, all: Iterable<N>): N | undefined {
  const endpoints = endpointsOf(dead.node);
  if (endpoints.size === 0) return undefined;
  for (const other of all) {
    if (other.node.metadata.uid === dead.node.metadata.uid) continue;
    if (![...endpointsOf(other.node)].some((endpoint) => endpoints.has(endpoint))) continue;
    if (livesSince(other, dead) && !sameLife(other.node, dead.node)) return other;
  }
  return undefined;
}

/**
 * The same for a Node that went before we came, so that only what was noted of it is known: another node that is well has its address, and
 * both say what board they have.
 */
export function ownerOfNotedAddress(noted: NotedNode, all: Iterable<KnownNode>): KnownNode | undefined {
  const { systemUuid } = noted.machine;
  const internal = (addresses: NotedNode['addresses'] = []): readonly string[] =>
    addresses.flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []));
  const before = new Set(internal(noted.addresses));
  for (const other of all) {
    const { nodeInfo, addresses } = other.node.status ?? {};
    if (other.health !== 'alive' || !internal(addresses).some((address) => before.has(address))) continue;
    const board = nodeInfo?.systemUUID ?? '';
    if (systemUuid !== '' && board !== '' && board.toLowerCase() !== systemUuid.toLowerCase()) return other;
  }
  return undefined;
}

/** Where its kubelet listens: each address with the port. */
export function endpointsOf({ status }: Node): ReadonlySet<string> {
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? defaultKubeletPort;
  const internal = (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP');
  return new Set(internal.map(({ address }) => `${address} ${port}`));
}

/** Heard after the other fell silent: of two that claim one address it is the one that has it. */
function livesSince({ state }: KnownNode, dead: KnownNode): boolean {
  return state.hadLease && state.ready === 'True' && state.heartbeatAt > dead.state.heartbeatAt;
}

/**
 * The very machine under another name, and not even booted in between: then containers of the old name may still run on it,
 * and its answer is what it looks like.
 */
function sameLife(one: Node, other: Node): boolean {
  const [a, b] = [one.status?.nodeInfo, other.status?.nodeInfo];
  if (a?.bootID && b?.bootID) return a.bootID === b.bootID;
  return (a?.systemUUID ?? '') !== '' && a?.systemUUID === b?.systemUUID;
}
