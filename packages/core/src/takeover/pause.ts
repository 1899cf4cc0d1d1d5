// Waits for as long as a term lasts and no longer, so that nothing goes on for a leader that is none any more.

import { type LeaderTerm, TermEndedError } from '../term/leader-term.ts';
import { type Clock, sleep } from '../time/clock.ts';

/** How long to wait after an error that may pass: no answer, too many requests, a server's own failure. */
export const retryAfterErrorMs = 1_000;

/** @throws the reason of the term's end, once it ends. */
export async function pauseInTerm(clock: Clock, term: LeaderTerm, delayMs: number): Promise<void> {
  const whole = await sleep(clock, delayMs, term.signal);
  if (!whole)
    throw term.signal.reason instanceof Error ? term.signal.reason : new TermEndedError(term.epoch, 'ended');
  term.assertValid();
}
