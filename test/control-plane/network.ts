// Lays the cables: one bridge per cluster, and per node a network namespace with one cable to that bridge.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type AddressPlan, MAX_SLOTS, type NodeAddress, planAddresses, slotsFrom } from './addresses.ts';
import { ClusterError } from './cluster-error.ts';

const NAMESPACES = '/run/netns';
const INTERFACE_UP = 0x1;
const CAP_NET_ADMIN = 12n;
const CAP_SYS_ADMIN = 21n;

/** Says in one sentence what this machine lacks for making networks; returns when it lacks nothing. */
export function checkNetworkRequirements(): void {
  if (process.platform !== 'linux') {
    throw new ClusterError(
      'missing-requirement',
      `A cluster needs Linux network namespaces; this is ${process.platform}: run it in a Linux machine.`,
    );
  }
  const version = spawnSync('ip', ['-V'], { encoding: 'utf8' });
  if (!`${version.stdout}${version.stderr}`.includes('iproute2')) {
    throw new ClusterError('missing-requirement', 'The program ip is missing: install the package iproute2.');
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  if (!hasCapabilities(status, [CAP_NET_ADMIN, CAP_SYS_ADMIN])) {
    throw new ClusterError(
      'missing-requirement',
      'Making network namespaces takes the capabilities NET_ADMIN and SYS_ADMIN: run this as root.',
    );
  }
}

/** Reads the effective capabilities out of /proc/PID/status. */
export function hasCapabilities(status: string, bits: readonly bigint[]): boolean {
  const text = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const effective = BigInt(`0x${text ?? '0'}`);
  return bits.every((bit) => (effective & (1n << bit)) !== 0n);
}

/** A mark on the bridge that says whose it is, even when the cluster's directory was never written or is lost. */
export function ownerMark(dir: string): string {
  return `liberator:${createHash('sha256').update(dir).digest('hex').slice(0, 24)}`;
}

/** Takes the first free slot and makes its bridge. The kernel lets only one process make a bridge of a given name. */
export function createBridge(dir: string): AddressPlan {
  const mark = ownerMark(dir);
  const seed = Number.parseInt(mark.slice(-6), 16);
  for (const slot of slotsFrom(seed)) {
    const plan = planAddresses(slot);
    const added = runIp(['link', 'add', 'name', plan.bridge, 'address', plan.bridgeMac, 'type', 'bridge']);
    if (added.ok) {
      ipBatch([
        `link set dev ${plan.bridge} alias ${mark}`,
        `addr add ${plan.apiServerIp}/24 dev ${plan.bridge}`,
        `link set dev ${plan.bridge} up`,
      ]);
      return plan;
    }
    if (!added.message.includes('File exists')) {
      throw new ClusterError(
        'network-failed',
        `The bridge ${plan.bridge} could not be made: ${added.message}`,
      );
    }
  }
  throw new ClusterError('network-failed', `All ${MAX_SLOTS} slots are taken: take a cluster down first.`);
}

/** Builds a machine's network: a namespace that reaches the bridge and nothing else. */
export function connectNode({ bridge }: AddressPlan, node: NodeAddress): void {
  ipBatch([
    `netns add ${node.namespace}`,
    `link add name ${node.link} type veth peer name eth0 netns ${node.namespace} address ${node.mac}`,
    `link set dev ${node.link} master ${bridge} up`,
  ]);
  ipBatch(
    [`addr add ${node.ip}/24 dev eth0`, 'link set dev eth0 up', 'link set dev lo up'],
    ['-netns', node.namespace],
  );
}

/** Takes the machine's network away, with every connection that its kernel still remembers. */
export function disconnectNode(node: NodeAddress): void {
  runIp(['link', 'delete', 'dev', node.link]);
  runIp(['netns', 'delete', node.namespace]);
}

/** Pulls or plugs the cable, at this machine's end: the node's programs see a lost carrier, as with a real cable. */
export function setLink(node: NodeAddress, direction: 'up' | 'down'): void {
  ipBatch([`link set dev ${node.link} ${direction}`]);
}

export function isLinkUp(node: NodeAddress): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${node.link}/flags`, 'utf8')) & INTERFACE_UP) !== 0;
  } catch {
    return false;
  }
}

/** The command that runs a program inside a node's namespace; it becomes that program, under the same pid. */
export function commandInside(node: NodeAddress, command: string, args: readonly string[]): string[] {
  return ['ip', 'netns', 'exec', node.namespace, command, ...args];
}

/** Removes every bridge, cable and namespace of the cluster in that directory, found by the mark on the bridge. */
export function removeNetwork(dir: string): void {
  const mark = ownerMark(dir);
  for (const bridge of listLinks(['type', 'bridge'])) {
    if (bridge.ifalias === mark) {
      for (const cable of listLinks(['master', bridge.ifname])) {
        runIp(['link', 'delete', 'dev', cable.ifname]);
      }
      for (const namespace of listNamespaces(`${bridge.ifname}-`)) {
        runIp(['netns', 'delete', namespace]);
      }
      runIp(['link', 'delete', 'dev', bridge.ifname]);
    }
  }
}

function listNamespaces(prefix: string): string[] {
  try {
    return readdirSync(NAMESPACES).filter((name) => name.startsWith(prefix));
  } catch {
    return [];
  }
}

interface Link {
  ifname: string;
  ifalias?: string;
}

function listLinks(selector: readonly string[]): Link[] {
  const listed = runIp(['-json', 'link', 'show', ...selector]);
  if (!listed.ok) {
    throw new ClusterError('network-failed', `The network links could not be listed: ${listed.message}`);
  }
  return listed.output.trim() === '' ? [] : (JSON.parse(listed.output) as Link[]);
}

function ipBatch(lines: readonly string[], options: readonly string[] = []): void {
  const done = runIp([...options, '-batch', '-'], `${lines.join('\n')}\n`);
  if (!done.ok) {
    throw new ClusterError(
      'network-failed',
      `ip could not do one of "${lines.join('", "')}": ${done.message}`,
    );
  }
}

interface IpResult {
  ok: boolean;
  output: string;
  message: string;
}

/** Each call takes a few milliseconds, so it may as well block: nothing happens between pulling a cable and a kill. */
function runIp(args: readonly string[], input = ''): IpResult {
  const done = spawnSync('ip', args, { encoding: 'utf8', input, maxBuffer: 64 * 1024 * 1024 });
  const message = done.error?.message ?? done.stderr.trim();
  return { ok: done.status === 0, output: done.stdout ?? '', message };
}
