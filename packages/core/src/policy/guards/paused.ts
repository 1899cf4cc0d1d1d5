// Holds while a human has paused Liberator, for one node or for all.
import { pausedAnnotation } from '../../marks/paused.ts';
import { type Guard, hold, pass } from '../guard.ts';

export const paused: Guard = {
  name: 'paused',
  brake: true,
  evaluate: ({ node, fleet }) => {
    if (fleet.paused !== undefined) return hold(`everything is paused: ${fleet.paused}`);
    const reason = node.annotations[pausedAnnotation];
    return reason === undefined || reason === 'false' ? pass : hold(`the node is paused: ${reason}`);
  },
};
