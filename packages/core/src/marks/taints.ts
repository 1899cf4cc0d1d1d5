// The taints that a takeover puts on a node, and how they are put on and taken off without touching others'.
import type { Taint } from '../kubernetes/objects.ts';

/** Ours alone: keeps new pods away from a node that is being taken over. The value is the takeover's id. */
export const takeoverTaintKey = 'liberator.dev/takeover';

/**
 * Stamped on a Node by every write of a takeover: the epoch of the term that wrote. The server can compare it with the
 * election Lease, and refuse a leader that no longer is one.
 */
export const epochAnnotation = 'liberator.dev/epoch';

/**
 * Kubernetes' own word for "this node is down for good, let go of what it holds" (GA since 1.28): pods are deleted at
 * once and volumes detach at once. Removing it again is the duty of whoever set it.
 */
export const outOfServiceTaint: Taint = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'nodeshutdown',
  effect: 'NoExecute',
};

export function takeoverTaint(id: string): Taint {
  return { key: takeoverTaintKey, value: id, effect: 'NoSchedule' };
}

/** Keeps new pods off a node that came back without having booted, until somebody vouches for it. */
export function quarantineTaint(id: string): Taint {
  return { key: 'liberator.dev/quarantine', value: id, effect: 'NoSchedule' };
}

export function hasTaint(taints: readonly Taint[] | undefined, wanted: Taint): boolean {
  return (taints ?? []).some((taint) => sameTaint(taint, wanted));
}

/** Whether a node is out of service by anybody's word: Kubernetes does not ask for the value. */
export function isOutOfService(taints: readonly Taint[] | undefined): boolean {
  const { key, effect } = outOfServiceTaint;
  return (taints ?? []).some((taint) => taint.key === key && taint.effect === effect);
}

/** Adds what is missing; taints with the same key and effect are replaced, all others stay as they are. */
export function withTaints(taints: readonly Taint[] | undefined, added: readonly Taint[]): readonly Taint[] {
  const others = (taints ?? []).filter(
    (taint) => !added.some((one) => one.key === taint.key && one.effect === taint.effect),
  );
  return [...others, ...added];
}

/** Without exactly the given ones, value included: a taint of somebody else under the same key stays. */
export function withoutTaints(
  taints: readonly Taint[] | undefined,
  removed: readonly Taint[],
): readonly Taint[] {
  return (taints ?? []).filter((taint) => !removed.some((one) => sameTaint(taint, one)));
}

function sameTaint(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect && (a.value ?? '') === (b.value ?? '');
}
