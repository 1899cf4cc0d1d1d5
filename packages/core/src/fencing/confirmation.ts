// How a human vouches for a death: by annotations that name it, on the Node or, when that is gone, on the takeover's record.
import type { FenceConfirmation } from './fence-target.ts';

/**
 * A human sets this on the Node to vouch that it is off. The value is the id of this very death, as Events and
 * `liberator status` print it: a confirmation left over from an earlier death confirms nothing. Once the Node is gone it counts on
 * the ConfigMap that holds the takeover's record.
 */
export const confirmedDeadAnnotation = 'liberator.dev/confirmed-dead';

/** Beside {@link confirmedDeadAnnotation}: who vouches. It goes into the record, and nothing is decided by it. */
export const confirmedByAnnotation = 'liberator.dev/confirmed-by';

type Annotations = Readonly<Record<string, string>> | undefined;

export function confirmedByHuman(annotations: Annotations, deathId: string): boolean {
  return annotations?.[confirmedDeadAnnotation] === deathId;
}

/** Undefined when nobody has vouched for this death there. */
export function confirmationIn(
  annotations: Annotations,
  deathId: string,
  on: FenceConfirmation['on'],
): FenceConfirmation | undefined {
  if (!confirmedByHuman(annotations, deathId)) return undefined;
  const by = annotations?.[confirmedByAnnotation];
  return by ? { by, on } : { on };
}

/** The command that confirms, ready to be pasted. */
export function confirmCommand(node: string, deathId: string): string {
  return `kubectl annotate node ${node} ${confirmedDeadAnnotation}=${deathId}`;
}

/** The one for a takeover whose Node is gone: its record takes the confirmation then. */
export function confirmOnRecordCommand(
  record: { readonly namespace: string; readonly name: string },
  deathId: string,
): string {
  return `kubectl annotate --namespace ${record.namespace} configmap ${record.name} ${confirmedDeadAnnotation}=${deathId}`;
}
