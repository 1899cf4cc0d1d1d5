// The events of a controller, which are public API: one sentence and one payload object each.

import type { FenceChecked } from './drilling/drill.ts';
import type { HealthChange } from './evidence/ledger.ts';
import type { Decision } from './policy/decision.ts';
import type { ReturnProgress } from './returning/returner.ts';
import type { UnreadableRecord } from './takeover/cluster.ts';
import type { TakeoverProgress } from './takeover/executor.ts';
import type { ConfirmationChange } from './telling/confirmations.ts';
import type { OmittedEvents } from './telling/omissions.ts';
import type { TroubleChange } from './telling/troubles.ts';

/** The policy's answer for a dead node, whenever it changes. */
export interface DecisionChange {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
  /** Names this very death of the node. */
  readonly deathId: string;
  /** What all guards say together. */
  readonly decision: Decision;
}

/** A takeover that would have been begun, were this not a controller that only observes. */
export interface ObservedTakeover {
  /** The Node's name. */
  readonly node: string;
  /** The Node's uid. */
  readonly uid: string;
  /** Names this very death of the node. */
  readonly deathId: string;
  /** Name of the policy that counts for it. */
  readonly policy: string;
  /** Why the node is taken for dead, for people. */
  readonly reasons: readonly string[];
  /** What all guards say together. */
  readonly decision: Decision;
}

/** Who leads. */
export interface LeadershipChange {
  /** Our own identity. */
  readonly identity: string;
  /** Who leads now, ourselves included; empty when nobody does. */
  readonly leader: string;
  /** The epoch, when we are the ones. */
  readonly epoch?: number;
  /** Why we handed over to another replica, when we did: then `leader` is empty. */
  readonly handedOver?: string;
}

/** Whether we see. */
export interface SightChange {
  /** Why nothing may be decided; empty when we see again. */
  readonly blind: readonly string[];
}

/** Something failed. */
export interface ControllerError {
  /** Where it happened: `election`, `leading`, `watch nodes`, `events`, `listener`, ... */
  readonly where: string;
  /** As it was thrown. */
  readonly error: unknown;
  /** How long until it is tried again, when it is known. */
  readonly retryInMs?: number;
}

/** What a controller tells its embedder. Listeners are called synchronously; one that throws is reported as `error`. */
export interface ControllerEvents {
  /** A node's health changed. Emitted by every replica. */
  health: (change: HealthChange) => void;
  /** What the policy says about a dead node changed. Emitted by the leader. */
  decision: (change: DecisionChange) => void;
  /** A node would have been taken over. Emitted by the leader of those who only observe, once for each death. */
  observed: (takeover: ObservedTakeover) => void;
  /** A takeover moved. Emitted by the leader. */
  takeover: (progress: TakeoverProgress) => void;
  /** Something was done about a node that was taken over and has come back. Emitted by the leader. */
  return: (progress: ReturnProgress) => void;
  /** A record of a takeover can't be used, and is left as it is. Emitted by the leader, once for each in its term. */
  setAside: (record: UnreadableRecord) => void;
  /** Another leader was seen, or we became it. */
  leadership: (change: LeadershipChange) => void;
  /** We went blind, for other reasons than before, or see again. */
  sight: (change: SightChange) => void;
  /** What is done about a node fails again and again, for another reason than before, or no longer. Emitted by the leader. */
  trouble: (change: TroubleChange) => void;
  /** Somebody's word that a node is dead is ignored, since it names another death. Emitted by the leader. */
  confirmation: (change: ConfirmationChange) => void;
  /** A fencer was asked whether it could fence a node, and answered. Emitted by the leader, for each answer. */
  fenceCheck: (checked: FenceChecked) => void;
  /** Kubernetes Events that were not published, summed up. Emitted by the leader, at most once a minute. */
  omitted: (events: OmittedEvents) => void;
  /** Something failed and will be tried again, unless it says otherwise. */
  error: (error: ControllerError) => void;
}
