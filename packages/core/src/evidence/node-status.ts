// What a Node's status says of its kubelet.
import type { Node } from '../kubernetes/objects.ts';
import type { ReadyStatus } from './fact.ts';

export function readyStatusOf(node: Node): ReadyStatus {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'absent';
}

/**
 * Whether a kubelet ever posted this Node's status. A Node that was made before its machine first booted has no bootID, and no
 * condition but those that the controller manager puts where a kubelet never wrote any.
 */
export function everPosted({ status }: Node): boolean {
  if (status?.nodeInfo?.bootID) return true;
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready !== undefined && ready.reason !== 'NodeStatusNeverUpdated';
}
