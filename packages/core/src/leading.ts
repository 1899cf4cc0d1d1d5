// What a leader is to whoever runs it: one that acts, or one that only tells what it would do.
import type { Decision } from './policy/decision.ts';
import type { FleetNode } from './policy/fleet-node.ts';
import type { NodeEvent, UnreadableRecord } from './takeover/cluster.ts';
import type { IgnoredConfirmation } from './telling/confirmations.ts';
import type { NodeTrouble } from './telling/troubles.ts';
import type { Intent } from './world-state.ts';

/** One leadership. Made anew for every term. */
export interface Leading {
  /** Names of nodes that are being worked on, by what is on record. */
  readonly claimedTakeovers: readonly string[];
  /** Names of nodes that are removed or kept, while pods of theirs are still waited for. */
  readonly verifyingTakeovers: readonly string[];
  /** Names of nodes that would have been taken over, by one that only observes, and have not come back. */
  readonly supposedTakeovers: readonly string[];
  /** What fails again and again, by the node's name. */
  readonly troubles: ReadonlyMap<string, NodeTrouble>;
  /** The last decision about each node that is dead, by name. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** What lies where records lie and can't be used. */
  readonly recordsSetAside: readonly UnreadableRecord[];
  /** What marks on a node would hold a takeover of it. */
  holdsOn(node: FleetNode): readonly string[];
  /** Whether something would have to be decided about this node, were we not blind. */
  isUndecided(node: FleetNode): boolean;
  /** A human's word on this node from which nothing follows. */
  ignoredConfirmationOn(node: FleetNode): IgnoredConfirmation | undefined;
  /** Reads what earlier leaders left behind. */
  takeUp(): Promise<void>;
  /** Does what the world asks a leader to do. */
  perform(intent: Intent): void;
  /** Looks after nodes that were taken over. To be called at each look. */
  attendReturns(): void;
  /** Tells what nobody would learn otherwise. To be called at each look. */
  tell(blind: readonly string[]): void;
  /** Tells people something about a node, in the name of this term. */
  publish(event: NodeEvent): void;
  /** Resolves once nothing of this term does anything any more. */
  settled(): Promise<void>;
}
