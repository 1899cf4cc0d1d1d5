// Holds everything while we can't see: what looks dead then may only be out of our sight.
import { type Guard, hold, pass } from '../guard.ts';

export const blind: Guard = {
  name: 'blind',
  brake: true,
  evaluate: ({ fleet }) => (fleet.blind.length === 0 ? pass : hold(fleet.blind.join('; '))),
};
