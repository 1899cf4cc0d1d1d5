// Names one death of one node, the same for every replica that looks.
import { createHash } from 'node:crypto';
import type { Node } from '../kubernetes/objects.ts';

/**
 * A short id from the node's uid and the last heartbeat that its Lease carries. While a node is silent the two don't
 * change, so every replica and every later leader comes to the same id; a single renewal makes another death of it.
 */
export function deathIdOf(uid: string, lastHeartbeat: string): string {
  return createHash('sha256').update(`${uid}/${lastHeartbeat}`).digest('hex').slice(0, 10);
}

/**
 * What stands for the last heartbeat of a node that has no Lease: all that its Node says which changes with each life of it.
 * Of the two times only the text counts, and only whether it is another one.
 */
export function heartbeatWithoutLease({ status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const facts = [status?.nodeInfo?.bootID, ready?.lastTransitionTime, ready?.lastHeartbeatTime];
  return `no lease: ${facts.map((fact) => fact ?? '').join('/')}`;
}

/** Which takeover of its death it is, from 1, as its id has it: those before may be pruned by now. */
export function takeoverNumberOf({ id, deathId }: { readonly id: string; readonly deathId: string }): number {
  const number = id.startsWith(`${deathId}-`) ? Number(id.slice(deathId.length + 1)) : 1;
  return Number.isSafeInteger(number) && number > 0 ? number : 1;
}

/** The id of the takeover that follows `undone` takeovers of the same death which were undone. */
export function takeoverIdOf(deathId: string, undone: number): string {
  return undone === 0 ? deathId : `${deathId}-${undone + 1}`;
}
