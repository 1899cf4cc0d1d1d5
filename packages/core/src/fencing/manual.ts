// The fencer that is a human: somebody looks at the machine and says so with an annotation, on the Node or on the record.
import type { Node } from '../kubernetes/objects.ts';
import type { FenceConfirmation } from './fence-target.ts';
import type { Fencer } from './fencer.ts';

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

/** Undefined when nobody has vouched for this death there. */
export function confirmationIn(
  annotations: Node['metadata']['annotations'],
  deathId: string,
  on: FenceConfirmation['on'],
): FenceConfirmation | undefined {
  if (!confirmedByHuman(annotations, deathId)) return undefined;
  const by = annotations?.[confirmedByAnnotation];
  return by ? { by, on } : { on };
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

/** Waits until a human confirms the death with {@link confirmedDeadAnnotation}. */
export const manualFencer: Fencer = {
  name: 'manual',
  async fence({ name, confirmation, howToConfirm }) {
    if (confirmation !== undefined) {
      const { by, on } = confirmation;
      const who = by === undefined ? '' : ` ${by} with`;
      const where = on === 'record' ? ' on the record, since the Node is gone' : '';
      return {
        outcome: 'fenced',
        proof: 'confirmed-by-human',
        detail: `confirmed by${who} ${confirmedDeadAnnotation}${where}`,
      };
    }
    return {
      outcome: 'waiting',
      detail: `make sure that ${name} is off, then: ${howToConfirm}`,
      retryAfterMs: 2_000,
    };
  },
};
