// Decides every name and address of a cluster from one number, its slot, so that clusters side by side never collide.
import { ClusterError } from './cluster-error.ts';

/** How many clusters one machine can hold, and how many nodes one cluster. */
export const MAX_SLOTS = 256;
export const MAX_NODES = 100;

export const API_SERVER_PORT = 6443;
export const KUBELET_PORT = 10_250;

const FIRST_NODE_HOST = 11;

/** Where one cluster lives. Node network: 198.18.SLOT.0/24, out of the range reserved for benchmarks of networks. */
export interface AddressPlan {
  readonly slot: number;
  readonly bridge: string;
  /** Fixed: a bridge would otherwise take one of its cables' and change it when a node comes or goes. */
  readonly bridgeMac: string;
  readonly subnet: string;
  /** The bridge's own address: the API server listens here, reachable by nodes and by this machine. */
  readonly apiServerIp: string;
  readonly apiServerUrl: string;
  /** A loopback address of the cluster's own: etcd, controller manager and scheduler listen here, at stock ports. */
  readonly loopbackIp: string;
  readonly serviceRange: string;
  readonly firstServiceIp: string;
}

/** Where one node lives. */
export interface NodeAddress {
  readonly name: string;
  readonly ip: string;
  readonly mac: string;
  readonly namespace: string;
  /** This machine's end of the node's cable. */
  readonly link: string;
}

export function planAddresses(slot: number): AddressPlan {
  if (!Number.isInteger(slot) || slot < 0 || slot >= MAX_SLOTS) {
    throw new ClusterError('wrong-argument', `Expected a slot from 0 to ${MAX_SLOTS - 1}, found ${slot}.`);
  }
  const apiServerIp = `198.18.${slot}.1`;
  return {
    slot,
    bridge: `lib${slot}`,
    bridgeMac: planMac(slot, 1),
    subnet: `198.18.${slot}.0/24`,
    apiServerIp,
    apiServerUrl: `https://${apiServerIp}:${API_SERVER_PORT}`,
    loopbackIp: `127.77.${slot}.1`,
    serviceRange: '10.96.0.0/16',
    firstServiceIp: '10.96.0.1',
  };
}

/** The nodes of a cluster: `node-1`, `node-2` and so on. */
export function planNodes(slot: number, count: number): NodeAddress[] {
  if (!Number.isInteger(count) || count < 0 || count > MAX_NODES) {
    throw new ClusterError(
      'wrong-argument',
      `Expected a number of nodes from 0 to ${MAX_NODES}, found ${count}.`,
    );
  }
  return Array.from({ length: count }, (_, index) => planNode(slot, index + 1));
}

/** A MAC address is fixed too: a node that is powered on again must not look like another machine to stale ARP caches. */
function planNode(slot: number, number: number): NodeAddress {
  const host = FIRST_NODE_HOST + number - 1;
  return {
    name: `node-${number}`,
    ip: `198.18.${slot}.${host}`,
    mac: planMac(slot, host),
    namespace: `lib${slot}-node-${number}`,
    link: `lib${slot}n${number}`,
  };
}

function planMac(slot: number, host: number): string {
  return `02:4c:69:62:${hexByte(slot)}:${hexByte(host)}`;
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** The slots in the order in which a cluster tries them: from a start that differs by name, once around. */
export function* slotsFrom(seed: number): Generator<number> {
  const start = Math.abs(Math.trunc(seed)) % MAX_SLOTS;
  for (let offset = 0; offset < MAX_SLOTS; offset += 1) {
    yield (start + offset) % MAX_SLOTS;
  }
}
