// Cordoning and uncordoning a node, as kubectl does it, and taking off what a drain left on it.
import type { Node, Taint } from '../kubernetes/objects.ts';
import { type MaintenanceMark, maintenanceAnnotation, readMark } from '../marks/maintenance.ts';
import { quarantineTaint, takeoverTaintKey } from '../marks/taints.ts';
import type { MaintenanceCluster, NodeChange } from './cluster.ts';
import { MaintenanceError } from './errors.ts';

/** Options of {@link cordon} and {@link uncordon}. */
export interface CordonOptions {
  /** As {@link connectMaintenance} makes it. */
  readonly cluster: MaintenanceCluster;
  /** Name of the Node. */
  readonly node: string;
  /** Ends it before its next write. */
  readonly signal?: AbortSignal;
}

const ours: readonly string[] = [takeoverTaintKey, quarantineTaint('').key];

/** How often a write is tried that loses against others' writes to the same Node. */
const attempts = 10;

/**
 * Keeps new pods off a node: sets `spec.unschedulable`, and nothing else. It does not hold takeovers, since the pods that
 * run there are still worth recovering; draining does.
 *
 * @returns `unchanged` when it was cordoned already.
 * @throws {@link MaintenanceError} when there is no such node; and as {@link MaintenanceCluster} says.
 */
export async function cordon(options: CordonOptions): Promise<'cordoned' | 'unchanged'> {
  const { cluster, node: name, signal } = options;
  const changed = await changeNode(cluster, name, signal, ({ spec }) =>
    spec?.unschedulable ? undefined : { unschedulable: true },
  );
  return changed ? 'cordoned' : 'unchanged';
}

/** What {@link uncordon} found and changed. */
export interface Uncordoned {
  /** False when there was nothing to take off. */
  readonly changed: boolean;
  /** The drain that had marked the node, whether it had finished or not. */
  readonly endedDrain?: MaintenanceMark;
  /** Taints that keep pods off it all the same, and which aren't a human's to take off. */
  readonly takeoverTaints: readonly Taint[];
}

/**
 * Lets pods come to a node again, and takes the maintenance mark off: takeovers of it are held no longer. Running it
 * on a node that is dead is how a takeover of a half-drained one is let through.
 *
 * @throws {@link MaintenanceError} when there is no such node; and as {@link MaintenanceCluster} says.
 */
export async function uncordon(options: CordonOptions): Promise<Uncordoned> {
  const { cluster, node: name, signal } = options;
  let before: Node | undefined;
  const changed = await changeNode(cluster, name, signal, (node) => {
    before = node;
    const marked = markOf(node) !== undefined;
    if (node.spec?.unschedulable !== true && !marked) return undefined;
    return { unschedulable: false, ...(marked && { maintenance: null }) };
  });
  const endedDrain = readMark(markOf(before));
  return {
    changed,
    ...(endedDrain && { endedDrain }),
    takeoverTaints: takeoverTaintsOf(before),
  };
}

/** The text of the maintenance mark on a Node. */
export function markOf(node: Node | undefined): string | undefined {
  return node?.metadata.annotations?.[maintenanceAnnotation];
}

/** Those by which a takeover, or the quarantine after one, keeps pods off. */
export function takeoverTaintsOf(node: Node | undefined): readonly Taint[] {
  return (node?.spec?.taints ?? []).filter(({ key }) => ours.includes(key));
}

/**
 * Reads the Node, asks `decide` what to change, and writes that, again and again while others write in between. Returns
 * whether anything was written.
 */
export async function changeNode(
  cluster: MaintenanceCluster,
  name: string,
  signal: AbortSignal | undefined,
  decide: (node: Node) => NodeChange | undefined,
): Promise<boolean> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const node = await cluster.readNode(name, signal);
    if (node === undefined) throw notFound(name);
    const change = decide(node);
    if (change === undefined) return false;
    const outcome = await cluster.changeNode(node, change, signal);
    if (outcome === 'written') return true;
    if (outcome === 'gone') throw notFound(name);
  }
  throw new MaintenanceError(
    'LIBERATOR_NODE_CONFLICT',
    `expected to change node ${name}, found it changed by others ${attempts} times in a row: try again`,
  );
}

export function notFound(name: string): MaintenanceError {
  return new MaintenanceError(
    'LIBERATOR_NODE_NOT_FOUND',
    `there is no node ${name}: "kubectl get nodes" lists them`,
  );
}
