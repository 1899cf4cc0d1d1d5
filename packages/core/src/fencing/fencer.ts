// What makes a node unable to write, and with what proof: the interface that every driver implements.
import type { FenceContext } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';

/**
 * What a fencer vouches for.
 *
 * - `powered-off`: the machine has no power.
 * - `rebooted`: it restarted, so nothing of before still runs.
 * - `instance-gone`: the virtual machine no longer exists.
 * - `isolated`: it is cut off from storage and network.
 * - `confirmed-by-human`: somebody looked and says so.
 * - `none`: nothing was done and nothing is known.
 */
export type FenceProof =
  | 'powered-off'
  | 'rebooted'
  | 'instance-gone'
  | 'isolated'
  | 'confirmed-by-human'
  | 'none';

/** What a fencer came to. */
export type FenceResult =
  | {
      readonly outcome: 'fenced';
      readonly proof: FenceProof;
      /** Who answered what, for people. Stable: a text that changes with every answer becomes an Event each time. */
      readonly detail: string;
    }
  /** Not yet, and nothing went wrong: ask again after `retryAfterMs`, which is more than 0; less than 100 counts as 100. */
  | { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs: number }
  | { readonly outcome: 'failed'; readonly detail: string };

/**
 * A driver that makes a node unable to write. It may be asked again for the same death, after a change of leader for
 * example, so fencing twice must be the same as fencing once. It must not write to Kubernetes.
 */
export interface Fencer {
  /** As policies name it. */
  readonly name: string;
  /**
   * How long one answer may take. Default 60,000 ms. A driver that is slower counts as failed, and is asked again like any
   * other. Shorter gets to the next driver sooner; longer bears with devices that think.
   */
  readonly timeoutMs?: number;
  /**
   * It touches neither the machine nor anything else, so asking it in vain costs nothing: then a takeover saves the looks and
   * the writes that come before a fencer which harms. Default: it may harm.
   */
  readonly harmless?: true;
  /**
   * Rejects only for bugs: a device that can't be reached is a result. An answer that is none, such as `fenced` without a known proof,
   * counts as failed. {@link FenceContext.permit} has to be asked right before
   * each request that harms: a driver that powers off a node which came back is the worst thing that could happen.
   */
  fence(target: FenceTarget, context: FenceContext): Promise<FenceResult>;
}
