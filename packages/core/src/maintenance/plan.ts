// What a drain does to each pod of a node, and why: decided for all of them before the first one is touched.
import type { Pod } from '../kubernetes/objects.ts';
import { mirrorPodAnnotation } from '../marks/pods.ts';
import type { AffectedPod, AffectedVolume } from '../pods/affected-pod.ts';
import { controllerOf } from '../pods/affected-pods.ts';
import { ordinalOf } from '../pods/wanted.ts';

/** What is allowed beyond what is always safe. */
export interface DrainRules {
  /**
   * Evict pods that nobody makes anew, and pods whose volume can only be used on this node, which therefore run nowhere
   * until it is back. Default false: the drain refuses.
   */
  readonly force?: boolean;
  /** Evict pods with emptyDir volumes, whose content is lost. Default false: the drain refuses. */
  readonly deleteEmptyDirData?: boolean;
}

/**
 * `evict`: asked to go. `await`: is going already. `skip`: belongs to the node and stays. `refuse`: would lose
 * something, and as long as there is one of these the drain does nothing at all.
 */
export type DrainAction = 'evict' | 'await' | 'skip' | 'refuse';

/** One pod of the node with what becomes of it. */
export interface PlannedPod extends AffectedPod {
  /** What becomes of it. */
  readonly action: DrainAction;
  /** Why this action, for people. */
  readonly reason: string;
  /** Where its replacement has to be Ready before the next one goes: `elsewhere`, or nobody waits for one. */
  readonly awaits: 'elsewhere' | 'nothing';
}

/** A pod of the node, with its volumes. */
export interface DrainCandidate {
  readonly pod: Pod;
  readonly volumes: readonly AffectedVolume[];
}

/** The node as a plan has to know it. */
export interface DrainedNode {
  readonly name: string;
  /** Its `kubernetes.io/hostname` label, by which volumes are pinned; mostly the name. */
  readonly hostname: string;
}

/**
 * Plans a drain. Pure. What is going already comes before what has to be asked; StatefulSet pods come first and in the order in which they go: within a set from the highest
 * ordinal down, as Kubernetes itself does it, since what is special is mostly number 0.
 */
export function planDrain(
  node: DrainedNode,
  candidates: readonly DrainCandidate[],
  rules: DrainRules = {},
): readonly PlannedPod[] {
  return candidates.map((candidate) => planned(node, candidate, rules)).toSorted(byTurn);
}

function planned(node: DrainedNode, { pod, volumes }: DrainCandidate, rules: DrainRules): PlannedPod {
  const owner = controllerOf(pod);
  const { name, uid, namespace = 'default' } = pod.metadata;
  const statefulSet = owner?.kind === 'StatefulSet' ? owner.name : undefined;
  const plan = (
    action: DrainAction,
    reason: string,
    awaits: PlannedPod['awaits'] = 'nothing',
  ): PlannedPod => ({
    namespace,
    name,
    uid,
    ...(statefulSet !== undefined && { statefulSet }),
    volumes,
    action,
    reason,
    awaits,
  });

  if (pod.metadata.annotations?.[mirrorPodAnnotation] !== undefined) {
    return plan('skip', 'a static pod: it belongs to the node');
  }
  if (owner?.kind === 'DaemonSet') return plan('skip', `of DaemonSet ${owner.name}: it belongs to the node`);
  const pinned = volumes.find(({ pinnedTo }) => pinnedTo?.every((host) => host === node.hostname) ?? false);
  const awaits = statefulSet !== undefined && pinned === undefined ? 'elsewhere' : 'nothing';
  const { phase } = pod.status ?? {};
  if (phase === 'Succeeded' || phase === 'Failed') return plan('evict', 'it has finished');
  if (pod.metadata.deletionTimestamp !== undefined) return plan('await', 'it is terminating already', awaits);

  const losses: string[] = [];
  if (owner === undefined && !rules.force) losses.push('nobody would make it anew (--force)');
  if (pinned !== undefined && !rules.force) {
    losses.push(`volume ${pinned.volume ?? pinned.claim} can only be used on this node (--force)`);
  }
  const hasEmptyDir = pod.spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined) ?? false;
  if (hasEmptyDir && !rules.deleteEmptyDirData) {
    losses.push('its emptyDir data would be lost (--delete-emptydir-data)');
  }
  if (losses.length > 0) return plan('refuse', losses.join('; '));

  if (pinned !== undefined) return plan('evict', 'it runs nowhere until this node is back');
  if (owner === undefined) return plan('evict', 'nobody makes it anew');
  const turn = statefulSet === undefined ? '' : ', one at a time';
  return plan('evict', `${owner.kind} ${owner.name} makes it anew${turn}`, awaits);
}

const turns: Readonly<Record<DrainAction, number>> = { refuse: 0, await: 1, evict: 2, skip: 3 };

function byTurn(a: PlannedPod, b: PlannedPod): number {
  return (
    turns[a.action] - turns[b.action] ||
    Number(a.statefulSet === undefined) - Number(b.statefulSet === undefined) ||
    a.namespace.localeCompare(b.namespace) ||
    (a.statefulSet ?? '').localeCompare(b.statefulSet ?? '') ||
    (a.statefulSet !== undefined ? ordinalOf(b) - ordinalOf(a) : 0) ||
    a.name.localeCompare(b.name)
  );
}
