// Keeps a permit for as long as something runs that may do harm at any moment, such as a program that is out of our hands.
import { sleep } from '../../time/clock.ts';
import type { FenceContext } from '../fence-context.ts';

/** How it went. */
export type Permitted<T> =
  | { readonly outcome: 'done'; readonly result: T }
  /** It was never begun, or called off. */
  | { readonly outcome: 'refused'; readonly begun: boolean; readonly detail: string };

/**
 * A permit says how old the look at the node may be on which harm is done. When a program sends its request nobody can see: it logs
 * in first, and asks for the state. So a permit is asked for right before it starts, and anew while it runs, each time before the
 * last one is over. At each moment of the run there is one that holds; without it the run is called off.
 *
 * @param run - Has to be over, and nothing of it left, soon after its signal aborted.
 */
export async function whilePermitted<T>(
  context: FenceContext,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<Permitted<T>> {
  const { clock, signal } = context;
  const first = await context.permit();
  if (first.outcome === 'refused') return { outcome: 'refused', begun: false, detail: first.detail };
  if (signal.aborted) return { outcome: 'refused', begun: false, detail: 'called off' };
  const lost = new AbortController();
  const over = new AbortController();
  let why: string | undefined;
  const lose = (detail: string): void => {
    why ??= detail;
    lost.abort();
  };
  let expiry = clock.setTimeout(() => lose('no new permit in time'), first.validForMs);
  const renew = async (validForMs: number): Promise<void> => {
    for (let leftMs = validForMs; await sleep(clock, leftMs / 2, over.signal); ) {
      const next = await context.permit();
      if (over.signal.aborted || lost.signal.aborted) return;
      if (next.outcome === 'refused') return lose(next.detail);
      clock.clearTimeout(expiry);
      leftMs = next.validForMs;
      expiry = clock.setTimeout(() => lose('no new permit in time'), leftMs);
    }
  };
  const renewing = renew(first.validForMs).catch(() => lose('nobody could say whether it may go on'));
  try {
    const result = await run(AbortSignal.any([signal, lost.signal]));
    return why === undefined ? { outcome: 'done', result } : { outcome: 'refused', begun: true, detail: why };
  } finally {
    over.abort();
    clock.clearTimeout(expiry);
    // Not waited for: it ends with the next answer, and does nothing then.
    void renewing;
  }
}
