// The durable record of one takeover, and the pure steps by which it grows.
import type { FenceProof } from '../fencing/fencer.ts';
import type { Evidence } from '../health/node-health.ts';
import type { NamedVerdict } from '../policy/decision.ts';
import type { Keepsake } from './keepsake.ts';

/** The steps of a takeover, in the order in which they are done. */
export const takeoverSteps = ['claim', 'cordon', 'fence', 'recheck', 'release', 'remove', 'verify'] as const;

export type TakeoverStep = (typeof takeoverSteps)[number];

export interface StepRecord {
  /** ISO 8601, wall clock of the leader that began the step. For people. */
  readonly startedAt: string;
  /** The term in which the step was last taken up. */
  readonly epoch: number;
  readonly endedAt?: string;
  readonly outcome?: 'done' | 'skipped';
  /** What happened, or what is waited for. */
  readonly detail?: string;
}

/** A volume that an affected pod uses. */
export interface AffectedVolume {
  readonly claim: string;
  readonly volume?: string;
  /** The volume can only be used on these nodes, so a takeover may gain nothing for its pod. */
  readonly pinnedTo?: readonly string[];
}

/** A pod that was on the dead node and has to run elsewhere. */
export interface AffectedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** The StatefulSet that will recreate it under the same name; absent for other pods. */
  readonly statefulSet?: string;
  readonly volumes: readonly AffectedVolume[];
  /** The pod that took its place, once it is Ready. */
  readonly replacement?: { readonly uid: string; readonly node: string; readonly readyAt: string };
}

/**
 * - `recovered`: every StatefulSet pod of the dead node is Ready elsewhere.
 * - `incomplete`: everything was released, yet some pod did not become Ready in time; the verify step says why.
 * - `undone`: the node came back before anything was released; our cordon was taken back.
 */
export type TakeoverResult = 'recovered' | 'incomplete' | 'undone';

/** What is known of the node's return, once it is there again. */
export interface ReturnRecord {
  readonly uid: string;
  readonly bootId: string;
  readonly seenAt: string;
  /** What people had put on the deleted Node was put back. */
  readonly restored: boolean;
  readonly quarantined: boolean;
  /** It is trusted again and bears no mark of ours; nothing more will be done about it. */
  readonly welcomed: boolean;
  readonly welcomedAt?: string;
  readonly detail: string;
}

/** Everything about one takeover. Kept in the cluster so that the next leader can go on where the last one stopped. */
export interface TakeoverRecord {
  readonly version: 1;
  /**
   * The death's id, so that two leaders can't open two takeovers for one death; with a count behind it when an earlier
   * takeover of the same death was undone.
   */
  readonly id: string;
  /** Names this very death: derived from the node's uid and its last heartbeat. */
  readonly deathId: string;
  readonly node: { readonly name: string; readonly uid: string; readonly bootId: string };
  /** The last `renewTime` of the node's Lease: any other value means that it lives. Empty without a Lease. */
  readonly lastHeartbeat: string;
  /** The newest term that worked on it. */
  readonly epoch: number;
  /** Who led in that term. */
  readonly leader?: string;
  readonly openedAt: string;
  readonly evidence: Evidence;
  readonly reasons: readonly string[];
  readonly verdicts: readonly NamedVerdict[];
  readonly policy: {
    readonly name: string;
    readonly node: 'delete' | 'keep';
    readonly proof: 'required' | 'optional';
    readonly drivers: readonly string[];
  };
  readonly proof?: FenceProof;
  readonly pods: readonly AffectedPod[];
  readonly steps: Readonly<Partial<Record<TakeoverStep, StepRecord>>>;
  /** Set when the node turned out to be alive: the steps stop and what was done is taken back. */
  readonly undoing?: string;
  /** What people had put on the Node, as it was right before the release. */
  readonly keepsake?: Keepsake;
  readonly return?: ReturnRecord;
  readonly result?: TakeoverResult;
  readonly closedAt?: string;
}

/** What an executor has to do next with a record. */
export type NextMove =
  | { readonly move: 'step'; readonly step: TakeoverStep }
  | { readonly move: 'undo' | 'close' | 'nothing' };

export function nextMove(record: TakeoverRecord): NextMove {
  if (record.result !== undefined) return { move: 'nothing' };
  if (record.undoing !== undefined) return { move: 'undo' };
  const step = takeoverSteps.find((name) => record.steps[name]?.outcome === undefined);
  return step === undefined ? { move: 'close' } : { move: 'step', step };
}

/** The record with a step taken up, by whoever is about to do it. Written before the step acts. */
export function startStep(
  record: TakeoverRecord,
  step: TakeoverStep,
  epoch: number,
  at: string,
): TakeoverRecord {
  const started = record.steps[step];
  return {
    ...record,
    epoch,
    steps: { ...record.steps, [step]: { ...started, startedAt: started?.startedAt ?? at, epoch } },
  };
}

export function noteStep(record: TakeoverRecord, step: TakeoverStep, detail: string): TakeoverRecord {
  const started = record.steps[step];
  if (started === undefined) return record;
  return { ...record, steps: { ...record.steps, [step]: { ...started, detail } } };
}

export function endStep(
  record: TakeoverRecord,
  step: TakeoverStep,
  end: { outcome: 'done' | 'skipped'; detail: string; at: string },
): TakeoverRecord {
  const started = record.steps[step] ?? { startedAt: end.at, epoch: record.epoch };
  const ended: StepRecord = { ...started, endedAt: end.at, outcome: end.outcome, detail: end.detail };
  return { ...record, steps: { ...record.steps, [step]: ended } };
}

export function startUndoing(record: TakeoverRecord, reason: string): TakeoverRecord {
  return { ...record, undoing: reason };
}

export function close(record: TakeoverRecord, at: string): TakeoverRecord {
  const unrecovered = record.pods.some(
    (pod) => pod.statefulSet !== undefined && pod.replacement === undefined,
  );
  const result = record.undoing !== undefined ? 'undone' : unrecovered ? 'incomplete' : 'recovered';
  return { ...record, result, closedAt: at };
}
