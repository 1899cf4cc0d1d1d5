// Holds while people work on the node: it is being drained, or was drained so that something can be done to it.
import { type Guard, pass } from '../guard.ts';

export const maintenance: Guard = {
  name: 'maintenance',
  brake: true,
  evaluate: ({ node, now }) => {
    if (node.maintenance === undefined) return pass;
    const { words, seenAt, holdMs } = node.maintenance;
    const until = seenAt + holdMs;
    if (now >= until) return pass;
    const seconds = Math.ceil((until - now) / 1_000);
    const reason = `${words}; held for at most ${seconds} s more, or until somebody uncordons ${node.name}`;
    return { outcome: 'hold', reason, until };
  },
};
