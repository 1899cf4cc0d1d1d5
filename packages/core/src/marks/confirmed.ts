// The words of a human about one death: how they are said with kubectl, and what they mean.
import type { Node } from '../kubernetes/objects.ts';

/**
 * A human sets this on the Node to vouch that it is off. The value is the id of this very death, as Events and
 * `liberator status` print it: a confirmation left over from an earlier death confirms nothing. Once the Node is gone it counts on
 * the ConfigMap that holds the takeover's record.
 */
export const confirmedDeadAnnotation = 'liberator.dev/confirmed-dead';

/** Beside {@link confirmedDeadAnnotation}: who vouches. It goes into the record, and nothing is decided by it. */
export const confirmedByAnnotation = 'liberator.dev/confirmed-by';

export function confirmedByHuman(annotations: Node['metadata']['annotations'], deathId: string): boolean {
  return annotations?.[confirmedDeadAnnotation] === deathId;
}

/** The command that confirms, ready to be pasted. */
export function confirmCommand(node: string, deathId: string): string {
  return `kubectl annotate --overwrite node ${node} ${confirmedDeadAnnotation}=${deathId}`;
}

/** Both ways to confirm, as part of a sentence: the one that shows what it is about, and the bare one. */
export function confirmWays(node: string, deathId: string): string {
  return `liberator confirm ${node}, or ${confirmCommand(node, deathId)}`;
}

/** The one for a takeover whose Node is gone: its record takes the confirmation then. */
export function confirmOnRecordCommand(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  deathId: string,
): string {
  return `kubectl annotate --overwrite --namespace ${namespace} configmap ${name} ${confirmedDeadAnnotation}=${deathId}`;
}

/** A human sets this on a Node to vouch that nothing of before still runs on it; the value is the takeover's id. */
export const confirmedReturnedAnnotation = 'liberator.dev/confirmed-returned';
