// What a simulation of deaths tells: moment by moment, and in the end node by node. Pure data.
import type { Evidence, Health } from '../../evidence/judgement.ts';
import type { Decision } from '../../policy/decision.ts';
import type { TakeoverResult } from '../../takeover/record.ts';
import type { PodFate } from './evacuation.ts';

/** Something that would happen. */
export type SimulatedEvent =
  /** A node is taken for something else than before. */
  | {
      readonly kind: 'health';
      readonly node: string;
      readonly from: Health;
      readonly to: Health;
      readonly evidence: Evidence;
      readonly reasons: readonly string[];
    }
  /** Why nothing may be decided from now on; empty: it may again. */
  | { readonly kind: 'sight'; readonly blind: readonly string[] }
  /** The leader died with its node; or another replica leads. `never`: no replica is left. */
  | { readonly kind: 'leader'; readonly state: 'gone' | 'elected' | 'never' }
  /**
   * A takeover is not begun, or one that has begun goes no further: every guard that holds, with its reason. Told again when
   * the reasons change.
   */
  | { readonly kind: 'held'; readonly node: string; readonly holds: readonly SimulatedHold[] }
  /** A takeover begins, under this policy. */
  | { readonly kind: 'admitted'; readonly node: string; readonly policy: string }
  /** It asks for a proof, and none comes without a human. Its place is free for others. */
  | { readonly kind: 'asks'; readonly node: string; readonly drivers: readonly string[] }
  /** Somebody vouches that the node is off, as was assumed. */
  | { readonly kind: 'confirmed'; readonly node: string }
  /**
   * Its pods are let go, and so are their volumes. `stuck`: how many are not, since finalizers hold them; the takeover goes on
   * without them after a minute. Absent: none.
   */
  | { readonly kind: 'released'; readonly node: string; readonly pods: number; readonly stuck?: number }
  /** Its Node object is deleted. */
  | { readonly kind: 'removed'; readonly node: string }
  /** Its Node object stays, with our taints on it. */
  | { readonly kind: 'kept'; readonly node: string }
  /** The takeover is over, as far as a simulation knows. */
  | {
      readonly kind: 'over';
      readonly node: string;
      readonly result: Extract<TakeoverResult, 'recovered' | 'incomplete'>;
    };

/** When it would happen. */
export type SimulatedMoment = SimulatedEvent & {
  /** Milliseconds after the nodes were killed. */
  readonly at: number;
};

/** One guard that holds. */
export interface SimulatedHold {
  /** Its name. */
  readonly guard: string;
  /** Why, for people. */
  readonly reason: string;
}

/**
 * How far it came with a node.
 * - `left-alone`: no policy selects it.
 * - `alive`: it was not killed, or is not missed yet.
 * - `returning`: it is back from a takeover before, and not trusted again yet.
 * - `undecided`: it is missed, and nobody decides about it: it is not dead yet, or we are blind, or nobody leads.
 * - `held`: guards hold.
 * - `waits`: a takeover waits for a proof, which takes a human.
 * - `under-way`: a takeover is at work on it.
 * - `over`: it was taken over.
 */
export type SimulatedOutcome =
  | 'left-alone'
  | 'alive'
  | 'returning'
  | 'undecided'
  | 'held'
  | 'waits'
  | 'under-way'
  | 'over';

/** What became of one node. */
export interface SimulatedNode {
  /** Of the Node. */
  readonly name: string;
  /** Whether it was among those to be killed. Others are told of when they were not well before. */
  readonly killed: boolean;
  /** Of the policy that counts for it; absent: none does. */
  readonly policy?: string;
  /** How far it came. */
  readonly outcome: SimulatedOutcome;
  /** Why it is held in the end, or why its takeover that is under way goes no further. */
  readonly holds: readonly SimulatedHold[];
  /** When it was taken for dead, as in {@link SimulatedMoment.at}; absent: it was not, or before. */
  readonly deadAt?: number;
  /** When its takeover began. */
  readonly admittedAt?: number;
  /** When its pods were let go. Absent: they are where they were; then `pods` says what would come of letting go. */
  readonly releasedAt?: number;
  /** Pods that would have to leave it, in the order in which they were placed. */
  readonly pods: readonly PodFate[];
  /** How many pods are the node's own and stay: those of DaemonSets, and static ones. */
  readonly stays: number;
}

/** The guards that hold in a decision. */
export function holdsOf({ verdicts }: Decision): readonly SimulatedHold[] {
  return verdicts.flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [{ guard, reason: verdict.reason }] : [],
  );
}
