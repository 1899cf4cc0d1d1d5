// The port through which a human's word is prepared and written; the Kubernetes room implements it.
import type { Node, Pod } from '../kubernetes/objects.ts';
import type { VolumeReads } from '../pods/affected-pods.ts';
import type { WriteOutcome } from '../takeover/cluster.ts';

/** A human's word that a machine is off. */
export interface Confirmation {
  /** Names the very death that is meant. */
  readonly deathId: string;
  /** Who says so, for the record. */
  readonly by: string;
}

/**
 * The cluster as somebody sees it who vouches for a death. Without a LeaderTerm, as it is the act of a human with that human's
 * credentials.
 *
 * Every method may throw KubernetesError, TransportError, RequestTimeoutError or RequestAbortedError.
 */
export interface ConfirmationCluster extends VolumeReads {
  /** Undefined when there is no such Node. */
  readNode(name: string): Promise<Node | undefined>;
  /** All pods bound to the node, of all namespaces. */
  listPodsOn(node: string): Promise<readonly Pod[]>;
  /** Writes it on this very Node, in place of any earlier word. */
  confirmOnNode(node: Node, confirmation: Confirmation): Promise<WriteOutcome>;
  /** Writes it on the record of a takeover, for a Node that is gone. */
  confirmOnRecord(takeoverId: string, confirmation: Confirmation): Promise<WriteOutcome>;
}
