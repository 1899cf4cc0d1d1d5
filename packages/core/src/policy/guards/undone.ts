// Holds for a while after a takeover of the same death was undone, longer each time: what undid it may do so again.
import { type Guard, pass } from '../guard.ts';

const firstMs = 10_000;

/** Long enough that a cluster can bear it for days, short enough that somebody who mended the cause need not wait long. */
const longestMs = 5 * 60_000;

/** How long to wait after so many takeovers of one death that were undone. */
function waitAfterUndone(count: number): number {
  return Math.min(longestMs, firstMs * 2 ** (count - 1));
}

export const undone: Guard = {
  name: 'undone',
  evaluate: ({ node, now }) => {
    if (node.undone === undefined) return pass;
    const { count, since } = node.undone;
    const until = since + waitAfterUndone(count);
    if (now >= until) return pass;
    const times = count === 1 ? 'once' : `${count} times`;
    const seconds = Math.ceil((until - now) / 1_000);
    const reason = `a takeover of this death was undone ${times} already; the next one may begin in ${seconds} s`;
    return { outcome: 'hold', reason, until };
  },
};
