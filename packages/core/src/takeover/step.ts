// What a step gets to work with and what it may come to.
import type { Clock } from '../clock.ts';
import type { LeaderTerm } from '../election/leader-term.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { TakeoverCluster } from './cluster.ts';
import type { AffectedPod, TakeoverRecord } from './record.ts';

export interface StepContext {
  readonly term: LeaderTerm;
  readonly cluster: TakeoverCluster;
  readonly clock: Clock;
  readonly record: TakeoverRecord;
  /** When this executor took the step up, monotonic: what a step's own time limits count from. */
  readonly takenUpAt: number;
  /** How long ago, in milliseconds, this was first asked about `event` since the step was taken up: zero at first. */
  readonly since: (event: string) => number;
  readonly fencers: ReadonlyMap<string, Fencer>;
  /** Why the watch caches no longer show the node as dead; undefined while they do. */
  readonly lifeSign: () => string | undefined;
  /** Why nothing that harms may be done right now; empty when it may. */
  readonly holds: () => readonly string[];
}

/** What a step may add to the record. */
export interface StepFindings {
  readonly pods?: readonly AffectedPod[];
  readonly proof?: NonNullable<TakeoverRecord['proof']>;
  readonly fencer?: string;
  readonly confirmedBy?: string;
  readonly keepsake?: NonNullable<TakeoverRecord['keepsake']>;
}

export type StepResult =
  | { readonly outcome: 'done' | 'skipped'; readonly detail: string; readonly findings?: StepFindings }
  /** Not finished: call again after `retryAfterMs`. Findings so far are kept. */
  | {
      readonly outcome: 'wait';
      readonly detail: string;
      readonly retryAfterMs: number;
      readonly findings?: StepFindings;
    }
  /** The node lives: stop, and take back what was done. Only while nothing was released. */
  | { readonly outcome: 'undo'; readonly detail: string }
  /** Somebody else ended it: nothing is left to do but to take off our marks. */
  | { readonly outcome: 'overtaken'; readonly detail: string };

/**
 * Does one step, or as much of it as can be done now. Every step starts from what it reads live, so it may be called
 * any number of times, by one leader or by several in a row, and does nothing twice that would differ from once.
 */
export type PerformStep = (context: StepContext) => Promise<StepResult>;

export function done(detail: string, findings?: StepFindings): StepResult {
  return findings === undefined ? { outcome: 'done', detail } : { outcome: 'done', detail, findings };
}

/** How often to ask whether a brake was released. */
const heldForMs = 1_000;

export function held(reasons: readonly string[]): StepResult {
  return wait(`held: ${reasons.join('; ')}`, heldForMs);
}

export function wait(detail: string, retryAfterMs: number): StepResult {
  return { outcome: 'wait', detail, retryAfterMs };
}
