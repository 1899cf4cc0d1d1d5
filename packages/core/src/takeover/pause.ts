// Waits for as long as a term lasts and no longer, so that nothing goes on for a leader that is none any more.

import { type LeaderTerm, TermEndedError } from '../term/leader-term.ts';
import { type Clock, sleep } from '../time/clock.ts';

/** How long to wait after an error that may pass: no answer, too many requests, a server's own failure. */
export const retryAfterErrorMs = 1_000;

/**
 * @param sooner - Ends the pause when it resolves.
 * @throws the reason of the term's end, once it ends.
 */
export async function pauseInTerm(
  clock: Clock,
  term: LeaderTerm,
  delayMs: number,
  sooner?: Promise<void>,
): Promise<void> {
  const over = new AbortController();
  sooner?.then(() => over.abort());
  const signal = sooner === undefined ? term.signal : AbortSignal.any([term.signal, over.signal]);
  const whole = await sleep(clock, delayMs, signal);
  if (!whole && (term.signal.aborted || !over.signal.aborted))
    throw term.signal.reason instanceof Error ? term.signal.reason : new TermEndedError(term.epoch, 'ended');
  term.assertValid();
}
