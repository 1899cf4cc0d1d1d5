// The fencer that is a human: somebody looks at the machine and says so with an annotation.
import { confirmedDeadAnnotation } from './confirmation.ts';
import type { Fencer } from './fencer.ts';

/**
 * Waits until a human confirms the death with {@link confirmedDeadAnnotation}: on the Node, or on the takeover's record when the
 * Node is gone.
 */
export const manualFencer: Fencer = {
  name: 'manual',
  async fence({ name, confirmation, confirmCommand }) {
    if (confirmation !== undefined) {
      const { by, on } = confirmation;
      const where = on === 'record' ? ' on the record, since the Node is gone' : '';
      const who = by === undefined ? '' : ` ${by} with`;
      return {
        outcome: 'fenced',
        proof: 'confirmed-by-human',
        detail: `confirmed by${who} ${confirmedDeadAnnotation}${where}`,
      };
    }
    return {
      outcome: 'waiting',
      detail: `make sure that ${name} is off, then: ${confirmCommand}`,
      retryAfterMs: 2_000,
    };
  },
};
