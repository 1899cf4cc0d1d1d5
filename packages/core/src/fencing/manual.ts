// The fencer that is a human: somebody looks at the machine and says so with an annotation, on the Node or on the record.
import type { Node } from '../kubernetes/objects.ts';
import { confirmedByAnnotation, confirmedByHuman, confirmedDeadAnnotation } from '../marks/confirmed.ts';
import { noDevice } from './fence-check.ts';
import type { FenceConfirmation } from './fence-target.ts';
import type { Fencer } from './fencer.ts';

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

/** Who said it, and where. */
export function confirmedWords({ by, on }: FenceConfirmation): string {
  const who = by === undefined ? '' : ` ${by} with`;
  const where = on === 'record' ? ' on the record, since the Node is gone' : '';
  return `confirmed by${who} ${confirmedDeadAnnotation}${where}`;
}

/** Waits until a human confirms the death with {@link confirmedDeadAnnotation}. */
export const manualFencer: Fencer = {
  name: 'manual',
  harmless: true,
  proofs: ['confirmed-by-human'],
  async fence({ name, confirmation, howToConfirm }) {
    if (confirmation !== undefined) {
      return { outcome: 'fenced', proof: 'confirmed-by-human', detail: confirmedWords(confirmation) };
    }
    return {
      outcome: 'waiting',
      detail: `make sure that ${name} is off, then: ${howToConfirm}`,
      retryAfterMs: 2_000,
    };
  },
  async check() {
    return noDevice('a human is asked');
  },
};
