// What makes a node unable to write, and with what proof: the interface that every driver implements.
import type { Node } from '../kubernetes/objects.ts';

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

/** What a fencer is asked about. */
export interface FenceTarget {
  /** The Node as just read from the API server. */
  readonly node: Node;
  /** Names this very death of this very node; a later death of the same node has another. */
  readonly deathId: string;
}

/** What a fencer came to. */
export type FenceResult =
  | { readonly outcome: 'fenced'; readonly proof: FenceProof; readonly detail: string }
  /** Not yet, and nothing went wrong: ask again after `retryAfterMs`. */
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
   * Rejects only for bugs: a device that can't be reached is a result. `signal` aborts when the term ends, and when the
   * answer has taken too long: what is still under way then should be called off, since nobody waits for it any more.
   */
  fence(target: FenceTarget, signal: AbortSignal): Promise<FenceResult>;
}
