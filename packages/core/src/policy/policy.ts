// What the operator decided about a group of nodes: how death is told, what must be shown, and what is done then.

import type { Evidence } from '../evidence/judgement.ts';
import type { Detection } from '../evidence/rules.ts';
import type { FencingRules } from '../fencing/fencing-rules.ts';
import type { NodeSelector } from './node-selector.ts';

/**
 * A brake against taking an outage for deaths. A death that a device or a human vouches for does not count. One without
 * proof counts from when it was seen until its node has returned or the window has passed, whether its takeover is over or
 * not, and whether its Node is there or not. Both limits must allow it; one dead node is always allowed.
 */
export interface Budget {
  /** At most this many nodes dead without proof. Default 2. */
  readonly maxDead: number;
  /** At most this many percent of all nodes, rounded down. Default 34. */
  readonly maxDeadPercent: number;
  /**
   * For how long a death without proof counts, in milliseconds. Default 900,000. Longer bears with longer outages; shorter gets
   * sooner to nodes that really died one after another.
   */
  readonly windowMs?: number;
  /**
   * At most this many takeovers are at work at the same time, proven or not; the others wait their turn. One that waits for
   * a proof, or that a brake holds, is not counted. Default 16.
   */
  readonly maxRunning?: number;
}

/** What counts where a policy says nothing. */
export const defaultBudget: Required<Budget> = {
  maxDead: 2,
  maxDeadPercent: 34,
  windowMs: 15 * 60_000,
  maxRunning: 16,
};

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
  /** How many may be dead without proof before everything stands still, and how much is done at once. */
  readonly budget: Budget;
  /** Who makes sure that a dead node can't write, and whether that has to be shown. */
  readonly fencing: FencingRules;
  /**
   * What becomes of the Node object after release. `delete` (default): it goes, and comes back when its kubelet
   * starts. `keep`: it stays, tainted, until it has returned for certain.
   */
  readonly node: 'delete' | 'keep';
}
