// Tries fencers in order until one gives a proof that satisfies the policy.
import type { Clock } from '../clock.ts';
import type { FenceResult, Fencer, FenceTarget } from './fencer.ts';

/** How long to wait before the whole ladder is tried again after every driver failed. */
const retryFailedMs = 10_000;

/** See {@link Fencer.timeoutMs}. */
const answerWithinMs = 60_000;

/** What a climb needs beside the fencers. */
export interface Climb {
  readonly proof: 'required' | 'optional';
  /** The term's: nothing is asked, or waited for, beyond its end. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * The first satisfying proof wins. Without one: waits if any driver waits, or if a proof is required; else goes on
 * with the proof `none`, saying what failed.
 */
export async function climbLadder(
  fencers: readonly Fencer[],
  target: FenceTarget,
  { proof, signal, clock }: Climb,
): Promise<Exclude<FenceResult, { outcome: 'failed' }>> {
  const details: string[] = [];
  let retryAfterMs = retryFailedMs;
  let waiting = false;
  for (const fencer of fencers) {
    // A term that ended while one driver was asked must not reach the next.
    signal.throwIfAborted();
    const result = await ask(fencer, target, signal, clock);
    signal.throwIfAborted();
    if (result.outcome === 'fenced' && (result.proof !== 'none' || proof === 'optional')) return result;
    details.push(`${fencer.name}: ${result.detail}`);
    if (result.outcome === 'waiting') {
      waiting = true;
      retryAfterMs = Math.min(retryAfterMs, result.retryAfterMs);
    }
  }
  if (proof === 'optional' && !waiting) {
    return { outcome: 'fenced', proof: 'none', detail: details.join('; ') || 'no fencer is configured' };
  }
  return { outcome: 'waiting', detail: details.join('; ') || 'no fencer is configured', retryAfterMs };
}

/**
 * A driver with a bug, or a device that never answers, must keep neither the drivers after it from being asked nor a term
 * from ending.
 */
async function ask(
  fencer: Fencer,
  target: FenceTarget,
  term: AbortSignal,
  clock: Clock,
): Promise<FenceResult> {
  const { timeoutMs = answerWithinMs } = fencer;
  const calledOff = new AbortController();
  const over = Promise.withResolvers<FenceResult>();
  const stop = (detail: string, reason: unknown): void => {
    over.resolve({ outcome: 'failed', detail });
    calledOff.abort(reason);
  };
  const onEnd = (): void => stop('the term ended', term.reason);
  term.addEventListener('abort', onEnd, { once: true });
  const timer = clock.setTimeout(() => {
    const detail = `no answer within ${timeoutMs / 1_000} s`;
    stop(detail, new Error(`${fencer.name}: ${detail}`));
  }, timeoutMs);
  try {
    return await Promise.race([fencer.fence(target, calledOff.signal), over.promise]);
  } catch (error) {
    return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clock.clearTimeout(timer);
    term.removeEventListener('abort', onEnd);
  }
}
