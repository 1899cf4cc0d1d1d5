// What the operator decided about a group of nodes: how death is told, what must be shown, and what is done then.
import type { Detection } from '../health/detection.ts';
import type { Evidence } from '../health/node-health.ts';
import type { NodeSelector } from './node-selector.ts';

/** Brakes against acting on too much at once. Both must allow it; one dead node is always allowed. */
export interface Budget {
  /** At most this many nodes dead or being taken over at once. Default 2. */
  readonly maxDead: number;
  /** At most this many percent of all nodes, rounded down. Default 34. */
  readonly maxDeadPercent: number;
}

/** What an operator decided about a group of nodes. */
export interface Policy {
  /** Appears in records and logs. */
  readonly name: string;
  /** The first policy that selects a node is the one that counts for it. A node that none selects is left alone. */
  readonly nodes: NodeSelector;
  /** How death is told for these nodes. */
  readonly detection: Detection;
  /** Whether control-plane nodes may be taken over. Default false. */
  readonly controlPlane: boolean;
  /** The least evidence on which a takeover begins. Default `unreachable`. */
  readonly evidence: Exclude<Evidence, 'none'>;
  /** How much may be dead before everything stands still. */
  readonly budget: Budget;
  /** Who makes sure that a dead node can't write, and whether that has to be shown. */
  readonly fencing: {
    /** Names of fencers, tried in this order until one gives a proof. */
    readonly drivers: readonly string[];
    /**
     * `required`: nothing is released before a fencer has given a proof; the takeover waits. `optional`: a takeover goes
     * on without one, and a node that is cut off but alive may then write beside its replacement. Default `required`.
     */
    readonly proof: 'required' | 'optional';
  };
  /**
   * What becomes of the Node object after release. `delete` (default): it goes, and comes back when its kubelet
   * starts. `keep`: it stays, tainted, until it has returned for certain.
   */
  readonly node: 'delete' | 'keep';
}
