// The fencer that is a human: somebody looks at the machine and says so with an annotation on the Node.
import type { Node } from '../kubernetes/objects.ts';
import type { Fencer } from './fencer.ts';

/**
 * A human sets this on the Node to vouch that it is off. The value is the id of this very death, as Events and
 * `liberator status` print it: a confirmation left over from an earlier death confirms nothing.
 */
export const confirmedDeadAnnotation = 'liberator.dev/confirmed-dead';

export function confirmedByHuman(annotations: Node['metadata']['annotations'], deathId: string): boolean {
  return annotations?.[confirmedDeadAnnotation] === deathId;
}

/** The command that confirms, ready to be pasted. */
export function confirmCommand(node: string, deathId: string): string {
  return `kubectl annotate node ${node} ${confirmedDeadAnnotation}=${deathId}`;
}

/** Waits until a human confirms the death with {@link confirmedDeadAnnotation}. */
export const manualFencer: Fencer = {
  name: 'manual',
  async fence({ node, deathId }) {
    if (confirmedByHuman(node.metadata.annotations, deathId)) {
      return {
        outcome: 'fenced',
        proof: 'confirmed-by-human',
        detail: `confirmed by ${confirmedDeadAnnotation}`,
      };
    }
    return {
      outcome: 'waiting',
      detail: `make sure that ${node.metadata.name} is off, then: ${confirmCommand(node.metadata.name, deathId)}`,
      retryAfterMs: 2_000,
    };
  },
};
