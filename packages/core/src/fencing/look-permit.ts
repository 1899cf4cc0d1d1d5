// For how long a look at a node holds on which something is done to its machine. Pure.
import { type FencePermit, refused } from './fence-context.ts';

/** How old a look may be on which harm is done. A kubelet may renew at any moment after it. */
const lookHoldsMs = 5_000;

/**
 * A permit for what is left of that time.
 *
 * @param remainingMs - Of the term. Default: there is none.
 */
export function permitSince(
  lookedAt: number,
  { now, remainingMs = Number.POSITIVE_INFINITY }: { readonly now: number; readonly remainingMs?: number },
): FencePermit {
  const validForMs = Math.min(remainingMs, lookedAt + lookHoldsMs - now);
  return validForMs > 0
    ? { outcome: 'granted', validForMs }
    : refused('unknown', 'looking at the node took longer than what was seen holds');
}
