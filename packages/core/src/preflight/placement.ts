// Whether a node would take a pod, roughly as the scheduler asks. Pure.
import type {
  LabelSelector,
  Node,
  NodeSelectorTerm,
  PersistentVolume,
  Pod,
  SelectorRequirement,
} from '../kubernetes/objects.ts';
import { toleratesTaint } from '../pods/tolerations.ts';
import { quantity } from './quantity.ts';

/** A node, and the pods that are on it. */
export interface OccupiedNode {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

/** What keeps a pod off a node; undefined when nothing that is looked at does. */
export type ObstacleOn = (place: OccupiedNode) => string | undefined;

/**
 * Asks of one node after another what keeps `pod` off it. Looked at are readiness, the cordon, taints, node selector and
 * required node affinity of the pod, the node affinity of its volumes, required pod anti-affinity, and requested resources.
 * Not looked at: pod affinity, topology spread, ports, limits on attached volumes, priorities that would make room, and
 * whatever a scheduler of one's own adds.
 *
 * @param all every node on which something else may be that the pod must keep away from
 */
export function obstaclesFor(
  pod: Pod,
  volumes: readonly PersistentVolume[],
  all: readonly OccupiedNode[],
): ObstacleOn {
  const rivals = rivalsOf(pod, all);
  return ({ node, pods }) => {
    if (node.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') return 'not Ready';
    if (node.spec?.unschedulable === true) return 'cordoned';
    const taint = (node.spec?.taints ?? []).find(
      (one) => one.effect !== 'PreferNoSchedule' && !toleratesTaint(pod, one),
    );
    if (taint !== undefined) return `taint ${taint.key}${taint.value ? `=${taint.value}` : ''}`;
    const pinned = volumes.find((volume) => !meetsTerms(volume.spec?.nodeAffinity?.required, node));
    if (pinned !== undefined) return `volume ${pinned.metadata.name} can not be used there`;
    if (!fitsSelectors(pod, node)) return "the pod's node selector or affinity";
    const rival = rivals.find(({ key, value }) => node.metadata.labels?.[key] === value);
    if (rival !== undefined) return `anti-affinity with ${rival.pod}`;
    return lackingResource(pod, node, pods);
  };
}

function fitsSelectors({ spec }: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const wanted = Object.entries(spec?.nodeSelector ?? {});
  const affinity = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return wanted.every(([key, value]) => labels[key] === value) && meetsTerms(affinity, node);
}

/** Terms are alternatives. */
function meetsTerms(
  selector: { readonly nodeSelectorTerms?: readonly NodeSelectorTerm[] } | undefined,
  node: Node,
): boolean {
  if (selector?.nodeSelectorTerms === undefined) return true;
  const labels = node.metadata.labels ?? {};
  const fields = { 'metadata.name': node.metadata.name };
  return selector.nodeSelectorTerms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every((requirement) => meets(requirement, labels)) &&
      matchFields.every((requirement) => meets(requirement, fields)),
  );
}

function meets(
  { key, operator, values = [] }: SelectorRequirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** A pod that another one must not be near, and what counts as near: nodes with this label. */
interface Rival {
  readonly pod: string;
  readonly key: string;
  readonly value: string;
}

/** By the pod's own required anti-affinity, and by that of others. Found once for all nodes: most pods have none. */
function rivalsOf(pod: Pod, all: readonly OccupiedNode[]): readonly Rival[] {
  return all.flatMap(({ node, pods }) =>
    pods.flatMap((there) =>
      [...keysOfDislike(pod, there), ...keysOfDislike(there, pod)].flatMap((key) => {
        const value = node.metadata.labels?.[key];
        return value === undefined ? [] : [{ pod: there.metadata.name, key, value }];
      }),
    ),
  );
}

/** The topologies within which `pod` keeps away from the other one. */
function keysOfDislike(pod: Pod, other: Pod): readonly string[] {
  const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (terms === undefined) return [];
  return terms.flatMap(({ topologyKey, labelSelector, namespaces }) =>
    (namespaces ?? [namespaceOf(pod)]).includes(namespaceOf(other)) &&
    selectsLabels(labelSelector, other.metadata.labels ?? {})
      ? [topologyKey]
      : [],
  );
}

function namespaceOf({ metadata }: Pod): string {
  return metadata.namespace ?? 'default';
}

function selectsLabels(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (selector === undefined) return false;
  const exact = Object.entries(selector.matchLabels ?? {});
  return (
    exact.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((requirement) => meets(requirement, labels))
  );
}

function lackingResource(pod: Pod, node: Node, pods: readonly Pod[]): string | undefined {
  const allocatable = node.status?.allocatable;
  // A node that does not say what it has is not known to lack anything.
  if (allocatable === undefined) return undefined;
  for (const [name, wanted] of requestsOf(pod)) {
    const used = pods.reduce((sum, there) => sum + (requestsOf(there).get(name) ?? 0), 0);
    // The little more is for rounding: 0.1 + 0.2 is not 0.3.
    if (wanted > 0 && used + wanted > quantity(allocatable[name] ?? '0') * (1 + 1e-9)) {
      return `not enough ${name}`;
    }
  }
  const room = allocatable['pods'];
  return room !== undefined && pods.length + 1 > quantity(room) ? 'too many pods' : undefined;
}

/**
 * How full a node is: of CPU and memory, the larger share that is asked for already. 0 for a node that does not say what it
 * has.
 */
export function fullness({ node, pods }: OccupiedNode): number {
  const shares = ['cpu', 'memory'].map((name) => {
    const has = quantity(node.status?.allocatable?.[name] ?? '');
    const used = pods.reduce((sum, pod) => sum + (requestsOf(pod).get(name) ?? 0), 0);
    return has > 0 ? used / has : 0;
  });
  return Math.max(...shares);
}

/** Of the same pod it is asked again for every pod that could go beside it. */
const requests = new WeakMap<Pod, ReadonlyMap<string, number>>();

function requestsOf(pod: Pod): ReadonlyMap<string, number> {
  const known = requests.get(pod) ?? summedRequests(pod);
  requests.set(pod, known);
  return known;
}

function summedRequests(pod: Pod): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { resources } of pod.spec?.containers ?? []) {
    for (const [name, amount] of Object.entries(resources?.requests ?? {})) {
      sums.set(name, (sums.get(name) ?? 0) + quantity(amount));
    }
  }
  return sums;
}
