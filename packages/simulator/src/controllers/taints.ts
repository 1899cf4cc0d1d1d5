// Taints and tolerations, by Kubernetes' own rules.
import type { Node, Taint, Toleration } from './wire-objects.ts';

export const notReadyTaint = 'node.kubernetes.io/not-ready';
export const unreachableTaint = 'node.kubernetes.io/unreachable';
export const unschedulableTaint = 'node.kubernetes.io/unschedulable';
export const outOfServiceTaint = 'node.kubernetes.io/out-of-service';

export function taintsOf(node: Node | undefined): readonly Taint[] {
  return node?.spec?.taints ?? [];
}

/** Whether the node has a taint of that key, with that effect where one is given. */
export function hasTaint(node: Node | undefined, key: string, effect?: Taint['effect']): boolean {
  return taintsOf(node).some(
    (taint) => taint.key === key && (effect === undefined || taint.effect === effect),
  );
}

/**
 * The node's taints with those that `managed` covers replaced by `wanted`; undefined when they are so already. A taint
 * that stays keeps the time at which it was added.
 */
export function replacedTaints(
  node: Node,
  managed: readonly Taint[],
  wanted: readonly Taint[],
): readonly Taint[] | undefined {
  const same = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;
  const present = taintsOf(node);
  const kept = present.filter(
    (taint) => !managed.some((one) => same(one, taint)) || wanted.some((one) => same(one, taint)),
  );
  const added = wanted.filter((taint) => !kept.some((one) => same(one, taint)));
  return kept.length === present.length && added.length === 0 ? undefined : [...kept, ...added];
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return Boolean(toleration.key) && (toleration.value ?? '') === (taint.value ?? '');
}

/** The first of `taints` that nothing tolerates. */
export function firstUntolerated(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
): Taint | undefined {
  return taints.find((taint) => !tolerations?.some((toleration) => tolerates(toleration, taint)));
}
