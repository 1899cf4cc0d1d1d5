// Tries fencers in order until one gives a proof that satisfies the policy.
import type { FenceResult, Fencer, FenceTarget } from './fencer.ts';

/** How long to wait before the whole ladder is tried again after every driver failed. */
const retryFailedMs = 10_000;

/**
 * The first satisfying proof wins. Without one: waits if any driver waits, or if a proof is required; else goes on
 * with the proof `none`, saying what failed.
 */
export async function climbLadder(
  fencers: readonly Fencer[],
  target: FenceTarget,
  proof: 'required' | 'optional',
  signal: AbortSignal,
): Promise<Exclude<FenceResult, { outcome: 'failed' }>> {
  const details: string[] = [];
  let retryAfterMs = retryFailedMs;
  let waiting = false;
  for (const fencer of fencers) {
    // A term that ended while one driver was asked must not reach the next.
    signal.throwIfAborted();
    const result = await askSafely(fencer, target, signal);
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

/** A driver with a bug must not keep those above it from being asked. */
async function askSafely(fencer: Fencer, target: FenceTarget, signal: AbortSignal): Promise<FenceResult> {
  try {
    return await fencer.fence(target, signal);
  } catch (error) {
    return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}
