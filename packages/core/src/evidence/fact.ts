// What witnesses say about nodes. Everything that is known of a node came in as one of these.
import type { Node } from '../kubernetes/objects.ts';

/** Status of the node's Ready condition; `absent` when the node has no conditions yet. */
export type ReadyStatus = 'True' | 'False' | 'Unknown' | 'absent';

/**
 * What a connection attempt to the kubelet's port told about the host.
 *
 * - `answered`: the kubelet spoke.
 * - `mute`: the kernel accepted, nobody spoke: the host is up and its kubelet hangs.
 * - `refused`: the kernel refused: the host is up without a kubelet, and containers may still write.
 * - `silent`: nothing came back from the host.
 * - `failed`: the attempt failed for a reason of our own; says nothing about the host.
 */
export type ProbeResult = 'answered' | 'mute' | 'refused' | 'silent' | 'failed';

/** One thing that one witness says about one node. */
export type NodeFact =
  /** The watch of Nodes shows it, cut down to what is used. */
  | { readonly kind: 'node'; readonly node: Node }
  | { readonly kind: 'node-gone'; readonly name: string }
  /**
   * The watch of node Leases shows it. `listed`: it was there when we began to look, so that nobody knows how old its last
   * renewal is.
   */
  | {
      readonly kind: 'lease';
      readonly name: string;
      readonly renewTime: string | undefined;
      readonly listed?: true;
    }
  | { readonly kind: 'lease-gone'; readonly name: string }
  /**
   * A replica asked the host of the Node of this uid. `hostOnly`: whether its kernel accepts was all that was asked, so that
   * `mute` says nothing of the kubelet.
   */
  | {
      readonly kind: 'probe';
      readonly name: string;
      readonly uid: string;
      readonly result: ProbeResult;
      readonly hostOnly?: true;
    };

/** What a fact means to the node's state machine. `at` is monotonic milliseconds on our own clock. */
export type Observation =
  | {
      readonly kind: 'ready';
      readonly at: number;
      readonly status: ReadyStatus;
      /** No kubelet ever posted this Node's status: it was made before its machine first booted. Default false. */
      readonly neverPosted?: boolean;
    }
  /** The node's Lease as seen now; a renewal is a change of `renewTime`, whatever that says. */
  | { readonly kind: 'lease'; readonly at: number; readonly renewTime: string | undefined }
  | { readonly kind: 'probe'; readonly at: number; readonly result: ProbeResult }
  /** A human, or a fence device, vouches that this very death is real. */
  | { readonly kind: 'proof'; readonly at: number; readonly by: string }
  /** A proof that was there before is gone. */
  | { readonly kind: 'proof-withdrawn'; readonly at: number }
  /** We could not see for a while and see again: what we missed must not count against the node. */
  | { readonly kind: 'sight-regained'; readonly at: number };
