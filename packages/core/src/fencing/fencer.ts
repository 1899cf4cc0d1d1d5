// What makes a node unable to write, and with what proof: the interface that every driver implements.
import type { FenceCheck, FenceCheckContext } from './fence-check.ts';
import type { FenceContext } from './fence-context.ts';
import type { FenceMachine, FenceTarget } from './fence-target.ts';
import type { FenceEvidence, FenceProof } from './proof.ts';

/** What a fencer came to. */
export type FenceResult =
  | {
      readonly outcome: 'fenced';
      readonly proof: FenceProof;
      /**
       * Who answered what, for people. Stable: a text that changes with every answer becomes an Event each time, so figures
       * and times belong into the evidence.
       */
      readonly detail: string;
      /** What the proof rests on, oldest first; the last ten are kept. */
      readonly evidence?: readonly FenceEvidence[];
      /**
       * Only with `isolated`: the CSI drivers from whose volumes the machine is cut off. Volumes of others are not covered by
       * the proof, and pods that can write to them are not released on it. Absent: it is cut off from everything.
       */
      readonly csiDrivers?: readonly string[];
    }
  /** Not yet, and nothing went wrong: ask again after `retryAfterMs`, which is more than 0; less than 100 counts as 100. */
  | { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs: number }
  | {
      readonly outcome: 'failed';
      readonly detail: string;
      /**
       * Asking again would come to the same, such as with a password that is refused, or a machine that is another one: the next
       * rung has its turn at once. Default: asked again, for as long as its rung has time.
       */
      readonly permanent?: true;
    };

/** What an attempt to take a fence back came to. */
export type UnfenceResult =
  | { readonly outcome: 'unfenced'; readonly detail: string }
  | { readonly outcome: 'waiting'; readonly detail: string; readonly retryAfterMs: number }
  | { readonly outcome: 'failed'; readonly detail: string; readonly permanent?: true };

/** What fences share when they go through one device, such as a power strip or the manager of a chassis. */
export interface FenceDevice {
  /** Names it among all fencers: those that give the same key share its limit. */
  readonly key: string;
  /** How many machines it may be asked about at the same time. */
  readonly concurrency: number;
  /**
   * What of the device would be switched, such as `outlet 7`. A fence is refused when that feeds another node which lives.
   * Default: nothing is known to be shared.
   */
  readonly switches?: readonly string[];
}

/**
 * A driver that makes a node unable to write. It may be asked again for the same death, after a change of leader for
 * example, so fencing twice must be the same as fencing once. It must not write to Kubernetes but through
 * {@link FenceContext.resources}.
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
   * What it acts on. `power`: it switches the machine off, so that it may be asked about a host which is up and whose kubelet hangs, and can
   * switch it on again. `storage`: it cuts the machine off from volumes. Default: nobody knows.
   */
  readonly acts?: 'power' | 'storage';
  /** The proofs that it may give: a policy that accepts none of them can be refused before anything dies. Default: any. */
  readonly proofs?: readonly FenceProof[];
  /**
   * What has to be noted of nodes while they live for it to work later. `storage-clients`: the addresses by which CSI drivers know them,
   * which then are in {@link NotedNode.storage}. Default: nothing.
   */
  readonly notes?: 'storage-clients';
  /**
   * The device through which it fences this machine; undefined when it shares none. Pure and quick: asked about whole fleets. What it
   * throws of the machine that is to be fenced is a permanent failure; of another one, that it has no device there.
   */
  device?(machine: FenceMachine): FenceDevice | undefined;
  /**
   * Rejects only for bugs: a device that can't be reached is a result. An answer that is none, such as `fenced` without a known proof,
   * counts as failed. {@link FenceContext.permit} has to be asked right before
   * each request that harms: a driver that powers off a node which came back is the worst thing that could happen.
   */
  fence(target: FenceTarget, context: FenceContext): Promise<FenceResult>;
  /**
   * Whether it could fence this machine right now, as far as that can be known without doing it. Changes nothing, anywhere.
   * Rejects only for bugs. A fencer without it can't be drilled, and whether it works is seen when it is needed.
   */
  check?(target: FenceTarget, context: FenceCheckContext): Promise<FenceCheck>;
  /**
   * Takes the fence back: switches the power on (asked for after the release, and only where the policy says so), or gives
   * storage back (asked for once the node's return is proven). {@link FenceContext.permit} is to be asked here, too. Doing it twice must be
   * the same as once.
   */
  unfence?(target: FenceTarget, context: FenceContext): Promise<UnfenceResult>;
}
