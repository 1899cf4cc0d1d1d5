// What a step gets to work with and what it may come to.

import type { NodeProbe } from '../evidence/witnesses/prober.ts';
import type { DeviceQueue } from '../fencing/device-queue.ts';
import type { Fencer } from '../fencing/fencer.ts';
import type { AffectedPod, AffectedVolume } from '../pods/affected-pod.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import type { Attempts } from './attempts.ts';
import type { TakeoverCluster } from './cluster.ts';
import type { Looks } from './looks.ts';
import type { RecordedPolicy, TakeoverRecord } from './record.ts';
import type { Neighbour, NodeNow } from './witness.ts';

export interface StepContext {
  readonly term: LeaderTerm;
  readonly cluster: TakeoverCluster;
  readonly clock: Clock;
  readonly record: TakeoverRecord;
  /**
   * How much of the step's patience is spent, in milliseconds, what earlier leaders spent included. Neither what a brake
   * took counts nor a time in which no API server was there to answer.
   */
  readonly spentMs: () => number;
  /** How long ago, in milliseconds, this was first asked about `event` since the step was taken up: zero at first. */
  readonly since: (event: string) => number;
  /** What was tried since the step was taken up, and when it may be tried again. */
  readonly attempts: Attempts;
  /** What was read live a moment ago. */
  readonly looks: Looks;
  /** What the step found since it was taken up and need not ask again, under names of its own. */
  readonly settled: Map<string, string>;
  /** Puts findings on record in the middle of the step. Resolves to whether the step may go on: the record is still ours, and at it. */
  readonly putOnRecord: (findings: StepFindings) => Promise<boolean>;
  /**
   * To be called again and again while something is waited for in the middle of the step: what passed since counts, unless a brake
   * is on, and is put on record now and then.
   */
  readonly noteSpent: () => Promise<void>;
  /** Volumes of pods as they were described since the step was taken up, by the pod's uid. */
  readonly volumes: Map<string, readonly AffectedVolume[]>;
  readonly fencers: ReadonlyMap<string, Fencer>;
  /** Whose turn it is at devices that machines share. */
  readonly devices: DeviceQueue;
  /** Every other node. */
  readonly neighbours: () => Iterable<Neighbour>;
  /** Why the watch caches no longer show the node as dead; undefined while they do. */
  readonly lifeSign: () => string | undefined;
  /** Why nothing that harms may be done right now; empty when it may. */
  readonly holds: () => readonly string[];
  /** The policy that counts for the node at this moment; undefined when nobody says. */
  readonly policyNow: () => RecordedPolicy | undefined;
  /** What the watch caches show of the node at this moment; undefined when nobody says. */
  readonly nodeNow: () => NodeNow | undefined;
  /** Asks a host whether it is up; absent when nobody can. */
  readonly probe?: NodeProbe;
  /** Whether another machine has the node's address by now. */
  readonly addressIsReused: () => boolean;
  /** The takeover of a later death of the same node that has a pod of this uid on record. */
  readonly laterTakeoverWith: (podUid: string) => string | undefined;
}

/** What a step may add to the record. */
export interface StepFindings {
  readonly pods?: readonly AffectedPod[];
  readonly climb?: NonNullable<TakeoverRecord['climb']>;
  readonly proof?: NonNullable<TakeoverRecord['proof']>;
  readonly proofEvidence?: NonNullable<TakeoverRecord['proofEvidence']>;
  readonly isolatedFrom?: NonNullable<TakeoverRecord['isolatedFrom']>;
  readonly isolation?: NonNullable<TakeoverRecord['isolation']>;
  readonly fencer?: string;
  readonly confirmedBy?: string;
  readonly keepsake?: NonNullable<TakeoverRecord['keepsake']>;
  readonly unmarked?: string;
  readonly outOfService?: boolean;
  readonly nodeGone?: boolean;
}

export type StepResult =
  | {
      readonly outcome: 'done' | 'skipped';
      readonly detail: string;
      readonly findings?: StepFindings;
      /** What it could not do; see {@link StepRecord.left}. */
      readonly left?: readonly string[];
    }
  /** Not finished: call again after `retryAfterMs`. Findings so far are kept. */
  | {
      readonly outcome: 'wait';
      readonly detail: string;
      readonly retryAfterMs: number;
      readonly findings?: StepFindings;
      /** A brake is on: the time that passes costs no patience. */
      readonly held?: true;
      /** Neither is it a brake, nor the step's own time: somebody else's turn comes first. */
      readonly spares?: true;
      /** It has its turn at a shared device, or waits for it there. Without this, what it has goes to the next. */
      readonly atDevice?: true;
      /** Resolves when it is worth calling again before `retryAfterMs` is over. Never rejects. */
      readonly sooner?: Promise<void>;
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

export function held(reasons: readonly string[]): StepResult & { readonly outcome: 'wait' } {
  return { ...wait(`held: ${reasons.join('; ')}`, heldForMs), held: true };
}

export function wait(detail: string, retryAfterMs: number): StepResult & { readonly outcome: 'wait' } {
  return { outcome: 'wait', detail, retryAfterMs };
}

/** What went wrong, as people read it. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether no API server was there to answer: then it isn't this step's trouble, and costs none of its patience. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'LIBERATOR_NO_ANSWER';
}

/**
 * Gives a step an end: when it still throws, or waits, after its patience, `end` says what it comes to. Without one, a
 * single request that is refused would hold a takeover for ever.
 */
export function withPatience(
  patienceMs: number,
  perform: PerformStep,
  end: (why: string, context: StepContext) => StepResult,
): PerformStep {
  return async (context) => {
    try {
      const result = await perform(context);
      const isOver = result.outcome === 'wait' && result.held !== true && context.spentMs() >= patienceMs;
      return isOver ? end(result.detail, context) : result;
    } catch (error) {
      context.term.assertValid();
      if (context.spentMs() < patienceMs) throw error;
      return end(wordsOf(error), context);
    }
  };
}
