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

/**
 * What keeps `pod` off a node; undefined when nothing that is looked at does. Looked at are readiness, the cordon,
 * taints, node selector and required node affinity of the pod, the node affinity of its volumes, required pod
 * anti-affinity, and requested resources. Not looked at: pod affinity, topology spread, ports, limits on attached
 * volumes, priorities that would make room, and whatever a scheduler of one's own adds.
 *
 * @param all every node on which something else may be that the pod must keep away from
 */
export function obstacleOn(
  { node, pods }: OccupiedNode,
  pod: Pod,
  volumes: readonly PersistentVolume[],
  all: readonly OccupiedNode[],
): string | undefined {
  if (node.status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True') return 'not Ready';
  if (node.spec?.unschedulable === true) return 'cordoned';
  const taint = (node.spec?.taints ?? []).find(
    (one) => one.effect !== 'PreferNoSchedule' && !toleratesTaint(pod, one),
  );
  if (taint !== undefined) return `taint ${taint.key}${taint.value ? `=${taint.value}` : ''}`;
  const pinned = volumes.find((volume) => !meetsTerms(volume.spec?.nodeAffinity?.required, node));
  if (pinned !== undefined) return `volume ${pinned.metadata.name} can not be used there`;
  if (!fitsSelectors(pod, node)) return "the pod's node selector or affinity";
  const rival = rivalOf(pod, node, all);
  if (rival !== undefined) return `anti-affinity with ${rival.metadata.name}`;
  return lackingResource(pod, node, pods);
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

/** A pod that this one must not be near: its own required anti-affinity, and the other way round. */
function rivalOf(pod: Pod, node: Node, all: readonly OccupiedNode[]): Pod | undefined {
  for (const other of all) {
    const near = (key: string): boolean => {
      const here = node.metadata.labels?.[key];
      return here !== undefined && here === other.node.metadata.labels?.[key];
    };
    const rival = other.pods.find((there) => keepsAway(pod, there, near) || keepsAway(there, pod, near));
    if (rival !== undefined) return rival;
  }
  return undefined;
}

function keepsAway(pod: Pod, other: Pod, near: (topologyKey: string) => boolean): boolean {
  const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.some(
    ({ topologyKey, labelSelector, namespaces }) =>
      near(topologyKey) &&
      (namespaces ?? [namespaceOf(pod)]).includes(namespaceOf(other)) &&
      selectsLabels(labelSelector, other.metadata.labels ?? {}),
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

function requestsOf(pod: Pod): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { resources } of pod.spec?.containers ?? []) {
    for (const [name, amount] of Object.entries(resources?.requests ?? {})) {
      sums.set(name, (sums.get(name) ?? 0) + quantity(amount));
    }
  }
  return sums;
}
