// The shape of a guard: one named rule that lets a takeover pass or holds it, with a reason.
import type { Assessment } from '../health/node-health.ts';
import type { Policy } from './policy.ts';

/** Somebody's work on a node, during which it is not to be taken over. */
export interface MaintenanceHold {
  /** Who does what, for people. */
  readonly words: string;
  /** For how long it counts. */
  readonly holdMs: number;
  /** Monotonic time at which our own watch first brought it as it is now. */
  readonly seenAt: number;
}

/** What guards may know of the node in question. Copied from watch caches, never read anew. */
export interface NodeFacts {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly effect: string }[];
  /** Absent: nobody says so, or the node is not cordoned. */
  readonly maintenance?: MaintenanceHold;
}

/** What guards may know of everything else. */
export interface FleetFacts {
  readonly nodes: number;
  /** Names of all nodes that are dead or being taken over. */
  readonly dead: readonly string[];
  /** Why we can't see; empty when we can. */
  readonly blind: readonly string[];
  /** Who paused everything and why, when somebody did. */
  readonly paused: string | undefined;
}

export interface GuardInput {
  readonly node: NodeFacts;
  readonly assessment: Assessment;
  readonly policy: Policy;
  readonly fleet: FleetFacts;
  /** Monotonic milliseconds. */
  readonly now: number;
}

export type GuardVerdict =
  | { readonly outcome: 'pass' }
  /** `until`: monotonic time before which looking again is pointless, when the guard knows one. */
  | { readonly outcome: 'hold'; readonly reason: string; readonly until?: number };

/** One rule of the fencing policy. Pure: the same input gives the same verdict, and nothing is thrown. */
export interface Guard {
  /** Kebab case; appears in records, metrics and Events. */
  readonly name: string;
  evaluate(input: GuardInput): GuardVerdict;
}

export const pass: GuardVerdict = { outcome: 'pass' };

export function hold(reason: string): GuardVerdict {
  return { outcome: 'hold', reason };
}
