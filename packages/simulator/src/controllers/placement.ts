// Where a pod may run, and what is in the way elsewhere. Pure, but for the volumes that it is handed.
import type { Taint } from '@liberator/core';
import { meets, selects } from './pod-template.ts';
import { quantity } from './quantities.ts';
import { firstUntolerated, taintsOf } from './taints.ts';
import type { Node, NodeSelectorTerm, PersistentVolume, Pod, PodSpec } from './wire-objects.ts';

/** A node together with the pods that are on it. */
export interface Candidate {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

/** What keeps the pod off this node, in the scheduler's words; undefined when nothing does. */
export function obstacle(
  pod: Pod,
  candidate: Candidate,
  all: readonly Candidate[],
  volumes: readonly PersistentVolume[],
): string | undefined {
  const { node } = candidate;
  const spec = pod.spec ?? {};
  if (node.spec?.unschedulable && !toleratesCordon(spec)) return 'node(s) were unschedulable';
  const taint = firstUntolerated(taintsWith(node, ['NoSchedule', 'NoExecute']), spec.tolerations);
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (!fitsSelectors(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  if (!volumes.every((volume) => fitsTerms(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms, node))) {
    return "node(s) didn't match PersistentVolume's node affinity";
  }
  if (isRepelled(pod, candidate, all)) return "node(s) didn't match pod anti-affinity rules";
  return lackingResource(pod, candidate);
}

/** Whether a DaemonSet's pod may be on a node: taints of the given effects and selectors, nothing else. */
export function mayRunOn(spec: PodSpec, node: Node, effects: readonly Taint['effect'][]): boolean {
  return (
    firstUntolerated(taintsWith(node, effects), spec.tolerations) === undefined && fitsSelectors(spec, node)
  );
}

function taintsWith(node: Node, effects: readonly Taint['effect'][]): readonly Taint[] {
  return taintsOf(node).filter((taint) => effects.includes(taint.effect));
}

function toleratesCordon(spec: PodSpec): boolean {
  const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };
  return firstUntolerated([cordon], spec.tolerations) === undefined;
}

function fitsSelectors(spec: PodSpec, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (
    Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value) &&
    fitsTerms(required?.nodeSelectorTerms, node)
  );
}

/** Terms are alternatives; no list of terms asks for nothing, an empty term fits nothing. */
function fitsTerms(terms: readonly NodeSelectorTerm[] | undefined, node: Node): boolean {
  if (terms === undefined) return true;
  const labels = node.metadata.labels ?? {};
  const fields = { 'metadata.name': node.metadata.name };
  return terms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchExpressions.every((requirement) => meets(requirement, labels)) &&
      matchFields.every((requirement) => meets(requirement, fields))
    );
  });
}

/** Required anti-affinity, of the new pod against those there and the other way round. */
function isRepelled(pod: Pod, { node }: Candidate, all: readonly Candidate[]): boolean {
  return all.some((other) =>
    other.pods.some((there) => {
      const near = (key: string): boolean => {
        const here = node.metadata.labels?.[key];
        return here !== undefined && here === other.node.metadata.labels?.[key];
      };
      return repels(pod, there, near) || repels(there, pod, near);
    }),
  );
}

function repels(from: Pod, other: Pod, near: (topologyKey: string) => boolean): boolean {
  if (from.metadata.namespace !== other.metadata.namespace) return false;
  const terms = from.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return terms.some((term) => near(term.topologyKey) && selects(term.labelSelector, other.metadata.labels));
}

function lackingResource(pod: Pod, { node, pods }: Candidate): string | undefined {
  const allocatable = node.status?.allocatable ?? {};
  if (pods.length + 1 > quantity(allocatable['pods'] ?? '110')) return 'Too many pods';
  for (const [name, wanted] of requestsOf(pod)) {
    const used = pods.reduce((sum, there) => sum + (requestsOf(there).get(name) ?? 0), 0);
    // The little more is for rounding: `0.1 + 0.2` is not `0.3`.
    if (wanted > 0 && used + wanted > quantity(allocatable[name] ?? '0') * (1 + 1e-9)) {
      return `Insufficient ${name}`;
    }
  }
  return undefined;
}

function requestsOf(pod: Pod): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const container of pod.spec?.containers ?? []) {
    for (const [name, amount] of Object.entries(container.resources?.requests ?? {})) {
      sums.set(name, (sums.get(name) ?? 0) + quantity(amount));
    }
  }
  return sums;
}
