// Which machine a fencer is asked about, and what is known of it even after its Node object is gone.
import type { NotedNode } from '../evidence/noted-node.ts';
import type { Node } from '../kubernetes/objects.ts';

/** A human vouched for this very death. */
export interface FenceConfirmation {
  /** Who, as they gave it; absent when they gave no name. */
  readonly by?: string;
  /** Where they said so: on the Node, or on the takeover's record since there is no Node any more. */
  readonly on: 'node' | 'record';
}

/** A machine as a device may know it, whether it is to be fenced or only shares a device with one that is. */
export type FenceMachine = Pick<FenceTarget, 'name' | 'uid' | 'noted'>;

/** What a fencer is asked about. */
export interface FenceTarget {
  /** The Node's name. */
  readonly name: string;
  /** The Node's uid: another one under the same name is another node, and none of a fencer's business. */
  readonly uid: string;
  /** Names this very death of this very node; a later death of the same node has another. */
  readonly deathId: string;
  /** The boot that died, as the Node named it when the takeover was opened; empty or absent when it named none. */
  readonly bootId?: string;
  /**
   * What was noted when the takeover was opened. To find the machine by, since the Node may be gone. Everything in it is empty
   * when a version that did not note it opened the takeover, and the Node is gone by now.
   */
  readonly noted: NotedNode;
  /** The Node as just read from the API server; absent when somebody deleted it: the machine may run all the same. */
  readonly node?: Node;
  /** Absent: no human has vouched for this death. */
  readonly confirmation?: FenceConfirmation;
  /** How a human vouches for this death, as part of a sentence: it ends with a command to be pasted. */
  readonly howToConfirm: string;
}
