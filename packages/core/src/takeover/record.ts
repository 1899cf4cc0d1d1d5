// The durable record of one takeover, and the pure steps by which it grows.

import type { Evidence } from '../evidence/judgement.ts';
import type { NotedNode } from '../evidence/noted-node.ts';
import type { FencingRules } from '../fencing/fencing-rules.ts';
import type { Climb } from '../fencing/ladder.ts';
import type { FenceEvidence, FenceProof } from '../fencing/proof.ts';
import type { AffectedPod } from '../pods/affected-pod.ts';
import type { NamedVerdict } from '../policy/decision.ts';
import type { Keepsake } from './keepsake.ts';

/** The steps of a takeover, in the order in which they are done. */
export const takeoverSteps = ['claim', 'cordon', 'fence', 'recheck', 'release', 'remove', 'verify'] as const;

/** One step of a takeover. */
export type TakeoverStep = (typeof takeoverSteps)[number];

/** One step as the record has it. */
export interface StepRecord {
  /** ISO 8601, wall clock of the leader that began the step. For people. */
  readonly startedAt: string;
  /** The term in which the step was last taken up. */
  readonly epoch: number;
  /** ISO 8601; absent while it goes on. */
  readonly endedAt?: string;
  /** `skipped`: there was nothing to do. Absent while it goes on. */
  readonly outcome?: 'done' | 'skipped';
  /** What happened, or what is waited for. */
  readonly detail?: string;
  /**
   * Milliseconds of its patience that are spent, each leader's by its own clock: the next one goes on counting. What a
   * brake took doesn't count, and the last few seconds before a leader died may be missing.
   */
  readonly spentMs?: number;
  /** What it had to leave undone when its patience was over, one thing each, for people. Absent when nothing is left. */
  readonly left?: readonly string[];
}

/** Where a takeover stands among all others: by what only grows, never by anybody's wall clock. */
export interface TakeoverOrder {
  /** The term in which it was opened. */
  readonly epoch: number;
  /** How many were opened in that term before. */
  readonly number: number;
}

/**
 * - `recovered`: every StatefulSet pod of the dead node is Ready elsewhere.
 * - `incomplete`: everything was released, yet some pod did not become Ready in time; the verify step says why.
 * - `undone`: the node came back before anything was released; our cordon was taken back.
 * - `overtaken`: somebody else ended it: the Node was deleted, or registered anew, and nothing was left for us to release;
 *   or its node died again, and the takeover of that death goes on with what was still waited for.
 */
export type TakeoverResult = 'recovered' | 'incomplete' | 'undone' | 'overtaken';

/** What is known of the node's return, once it is there again. */
export interface ReturnRecord {
  /** Of the Node that came back; another than before when it registered anew. */
  readonly uid: string;
  /** What it says of its boot; empty when it says nothing. */
  readonly bootId: string;
  /** When it was first seen again, ISO 8601. */
  readonly seenAt: string;
  /** What people had put on the deleted Node was put back. */
  readonly restored: boolean;
  /** It did not boot in between, so pods are kept away from it. */
  readonly quarantined: boolean;
  /** It is trusted again and bears no mark of ours; nothing more will be done about it. */
  readonly welcomed: boolean;
  /** ISO 8601. */
  readonly welcomedAt?: string;
  /** Why, for people. */
  readonly detail: string;
}

/** What became of switching a machine on again, or of giving its storage back. */
export interface GivenBack {
  /** `begun`: it is tried, or was when its leader ended. `failed`: nobody tries any more. */
  readonly state: 'begun' | 'done' | 'failed';
  /** When that was noted, ISO 8601, wall clock of the leader. For people. */
  readonly at: string;
  /** The term in which it was last taken up. */
  readonly epoch: number;
  /** Milliseconds of patience that were spent, over all leaders. */
  readonly spentMs?: number;
  /** What the fencer said last, or why it was not asked. */
  readonly detail?: string;
}

/** What of a policy a takeover follows. */
export interface RecordedPolicy extends FencingRules {
  /** The policy's name. */
  readonly name: string;
  /** What becomes of the Node object. */
  readonly node: 'delete' | 'keep';
  /** Names of fencers, in the order in which they are asked: also where the policy gives a ladder. */
  readonly drivers: readonly string[];
}

/** A takeover that had not released anything began to follow another policy, or the same one as it had become. */
export interface PolicyChange {
  /** ISO 8601, wall clock of the leader. For people. */
  readonly at: string;
  /** The term in which it was noticed. */
  readonly epoch: number;
  /** What it had followed until then. */
  readonly from: RecordedPolicy;
  /** What it has followed since. */
  readonly to: RecordedPolicy;
}

/** A fencer cut the node off from the volumes of some CSI drivers. */
export interface IsolationProof {
  /** Which fencer. */
  readonly fencer: string;
  /** From whose volumes. */
  readonly csiDrivers: readonly string[];
  /** What that rests on. */
  readonly evidence?: readonly FenceEvidence[];
}

/**
 * What proofs of isolation have come to. Together they may cover everything that is on the node, and then they end the fence step. As
 * long as they don't, the step goes on for the rest, and lets go of the pods that they cover.
 */
export interface Isolation {
  /** One of each fencer, the last that it gave. */
  readonly proofs: readonly IsolationProof[];
  /** What on the node is beyond them, one thing each, for people. Empty when nothing is. */
  readonly beyond: readonly string[];
  /**
   * Pods that they cover were let go of while others stayed. Written before the first of them is deleted: from then on there is
   * something that can't be undone.
   */
  readonly freed?: true;
  /** Why no further pod is let go of: the node came back, or its Node went, after the first of them. */
  readonly over?: string;
}

/** Everything about one takeover. Kept in the cluster so that the next leader can go on where the last one stopped. */
export interface TakeoverRecord {
  /** Of this format. A reader that knows no such version must leave the record alone. */
  readonly version: 1;
  /**
   * The death's id, so that two leaders can't open two takeovers for one death; with a count behind it when an earlier
   * takeover of the same death was undone.
   */
  readonly id: string;
  /** Names this very death: derived from the node's uid and its last heartbeat. */
  readonly deathId: string;
  /** The node that died. */
  readonly node: { readonly name: string; readonly uid: string; readonly bootId: string };
  /** What was noted of it; absent in records of older versions. */
  readonly noted?: NotedNode;
  /** Which of several takeovers came later; absent in records of older versions, which come before all others. */
  readonly order?: TakeoverOrder;
  /** The last `renewTime` of the node's Lease: any other value means that it lives. Empty without a Lease. */
  readonly lastHeartbeat: string;
  /** The newest term that worked on it. */
  readonly epoch: number;
  /** Who led in that term. */
  readonly leader?: string;
  /** ISO 8601. */
  readonly openedAt: string;
  /** On which it was begun. */
  readonly evidence: Evidence;
  /**
   * Its host was up and its kubelet hung: it is taken over only with a proof that the machine was stopped, whatever the policy says
   * by now, and that its host answers is no sign of life. Absent: its host was silent, or somebody vouched for the death.
   */
  readonly hung?: true;
  /** Why the node was taken for dead, for people. */
  readonly reasons: readonly string[];
  /** What each guard said then. */
  readonly verdicts: readonly NamedVerdict[];
  /** The policy that it follows: the one that counts for the node, until anything was released; from then on as it was. */
  readonly policy: RecordedPolicy;
  /** How it came to follow that one, if it was opened under another. */
  readonly policyChanges?: readonly PolicyChange[];
  /** How far the ladder of fencers was climbed; absent until a fencer that may harm was asked, or one after another. */
  readonly climb?: Climb;
  /** What the fencer vouched for, once it did. */
  readonly proof?: FenceProof;
  /** Which fencer that was; absent when the policy does without any. */
  readonly fencer?: string;
  /** What the proof rests on: who said what, and when. */
  readonly proofEvidence?: readonly FenceEvidence[];
  /**
   * With the proof `isolated`: the CSI drivers whose volumes it covers, which are all that anything on the node writes to. Absent: it
   * covers everything.
   */
  readonly isolatedFrom?: readonly string[];
  /** What proofs that cover the volumes of some CSI drivers only have come to; absent until there was one. */
  readonly isolation?: Isolation;
  /** Who confirmed the death, if a human did and gave a name. */
  readonly confirmedBy?: string;
  /** The pods that were on the node, once the release has begun. */
  readonly pods: readonly AffectedPod[];
  /** The steps that were begun. */
  readonly steps: Readonly<Partial<Record<TakeoverStep, StepRecord>>>;
  /** Set when the node turned out to be alive: the steps stop and what was done is taken back. */
  readonly undoing?: string;
  /** Set when somebody else ended it before anything was released: the steps stop, and our marks are taken off. */
  readonly overtaken?: string;
  /** Whether the machine was switched on again, where the policy says so. Absent: nobody has tried, or has to. */
  readonly powerOn?: GivenBack;
  /** Whether its storage was given back to the machine, once its return was proven. Absent: nobody has, or has to. */
  readonly storageBack?: GivenBack;
  /**
   * What could not be given back, and why: marks of ours when it was undone or overtaken, and the power where the policy would have the
   * machine switched on.
   */
  readonly left?: readonly string[];
  /**
   * Why pods are released from a Node that is not marked as out of service, so that volumes take longer to come free.
   * Written before the first of them is deleted.
   */
  readonly unmarked?: string;
  /**
   * The out-of-service taint on its Node is this takeover's: noted right before it is put on, where there was none. It is
   * Kubernetes' word and bears no name, so nothing else tells whose it is. Absent in records of older versions.
   */
  readonly outOfService?: boolean;
  /** The Node was gone while the fence still waited: from then on a human confirms the death on the record. */
  readonly nodeGone?: boolean;
  /** What people had put on the Node, as it was right before the release; gone once it is too old to be put back. */
  readonly keepsake?: Keepsake;
  /** For how long leaders have watched the Node be away with the keepsake on record, in milliseconds. Absent at first. */
  readonly keepsakeAgeMs?: number;
  /** What is known of the node's return. */
  readonly return?: ReturnRecord;
  /** A leader saw this death count towards the budget for a whole window: it does so no more, whoever leads. */
  readonly windowPassed?: boolean;
  /** How it ended; absent while it goes on. */
  readonly result?: TakeoverResult;
  /** ISO 8601; absent while it goes on. */
  readonly closedAt?: string;
}

/**
 * Sorts records from the one that was opened first to the one that was opened last, by counters that only grow. Records of
 * older versions have no place of their own: they come first, by the epoch of their claim.
 */
export function byOrder(a: TakeoverRecord, b: TakeoverRecord): number {
  const [first, second] = [placeOf(a), placeOf(b)];
  const difference = first.rank - second.rank || first.epoch - second.epoch || first.number - second.number;
  return difference || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function placeOf({ order, steps, epoch }: TakeoverRecord): TakeoverOrder & { readonly rank: 0 | 1 } {
  return order === undefined
    ? { rank: 0, epoch: steps.claim?.epoch ?? epoch, number: 0 }
    : { rank: 1, epoch: order.epoch, number: order.number };
}

/** What an executor has to do next with a record. */
export type NextMove =
  | { readonly move: 'step'; readonly step: TakeoverStep }
  | { readonly move: 'undo' | 'close' | 'nothing' };

export function nextMove(record: TakeoverRecord): NextMove {
  if (record.result !== undefined) return { move: 'nothing' };
  if (record.undoing !== undefined || record.overtaken !== undefined) return { move: 'undo' };
  const step = takeoverSteps.find((name) => record.steps[name]?.outcome === undefined);
  if (step === undefined) return { move: 'close' };
  // Whatever else is on record, from an older version or under a policy that asked for less.
  const isUnproven = lacksProof(record) || isBeyondProof(record);
  return { move: 'step', step: isAfterFence(step) && isUnproven && !isLetBe(record) ? 'fence' : step };
}

/** Pods were let go of, and then the node came back: nothing more is taken from it, and nothing is undone. */
export function isLetBe({ isolation }: Pick<TakeoverRecord, 'isolation'>): boolean {
  return isolation?.over !== undefined;
}

/** The CSI drivers beyond which its proof says nothing; undefined when it has none yet, or one of everything. */
export function isolatedFromOnly({ proof, isolatedFrom }: TakeoverRecord): readonly string[] | undefined {
  return proof === 'isolated' ? isolatedFrom : undefined;
}

/** Its proof had covered everything on the node, and by now there is something that it doesn't. */
function isBeyondProof(record: TakeoverRecord): boolean {
  return isolatedFromOnly(record) !== undefined && (record.isolation?.beyond ?? []).length > 0;
}

function withoutProof(record: TakeoverRecord): TakeoverRecord {
  const { proof: _, isolatedFrom: __, fencer: ___, proofEvidence: ____, ...rest } = record;
  return rest;
}

/** Whether its node is being worked on. Once that one is removed or kept, a takeover only watches, and needs no node. */
export function occupiesNode({ result, undoing, overtaken, steps }: TakeoverRecord): boolean {
  if (result !== undefined) return false;
  return undoing !== undefined || overtaken !== undefined || steps.remove?.outcome === undefined;
}

/** Whether it has asked for a proof and waits for one: by a human's leave, for as long as that takes. */
export function waitsForProof({ result, steps }: TakeoverRecord): boolean {
  const { fence } = steps;
  return result === undefined && fence?.detail !== undefined && fence.outcome === undefined;
}

/** Whether it ended before anything was taken from its node: then there is nothing to give back but our marks. */
export function tookNothing({ result, overtaken }: TakeoverRecord): boolean {
  return result === 'undone' || (result !== undefined && overtaken !== undefined);
}

/** Steps that only a proof leads to, where one is required. */
function isAfterFence(step: TakeoverStep): boolean {
  return step === 'recheck' || step === 'release';
}

function lacksProof(record: TakeoverRecord): boolean {
  return (record.policy.proof === 'required' || record.hung === true) && !isFenced(record);
}

/** A fencer vouched for it, be that a human. */
function isFenced({ proof }: TakeoverRecord): boolean {
  return proof !== undefined && proof !== 'none';
}

/** Whether a device or a human vouched for the death: before the takeover, or in it. */
export function hasProof(record: TakeoverRecord): boolean {
  return record.evidence === 'proven' || isFenced(record);
}

/**
 * Whether somebody vouches for the death itself. That a host which was up has been switched off says what we did, and not that it had
 * died: the next one may hang for the same reason.
 */
export function isProvenDeath(record: TakeoverRecord): boolean {
  return record.hung === true
    ? record.evidence === 'proven' || record.proof === 'confirmed-by-human'
    : hasProof(record);
}

/**
 * The record with a step taken up, by whoever is about to do it. Written before the step acts. A step that is done anew has
 * those after it done anew as well, and a ladder climbed anew.
 */
export function startStep(
  record: TakeoverRecord,
  step: TakeoverStep,
  epoch: number,
  at: string,
): TakeoverRecord {
  const { outcome: _, endedAt: __, left: ___, ...started } = record.steps[step] ?? { startedAt: at, epoch };
  const earlier = takeoverSteps.slice(0, takeoverSteps.indexOf(step));
  const kept = earlier.flatMap((name) => Object.entries(record.steps).filter(([key]) => key === name));
  // What its fencers vouched for is still among its proofs of isolation.
  const { climb, ...rest } = step === 'fence' && isBeyondProof(record) ? withoutProof(record) : record;
  const isAnew = record.steps[step]?.outcome !== undefined;
  const climbed = climb === undefined || (step === 'fence' && isAnew) ? {} : { climb };
  return {
    ...rest,
    ...climbed,
    epoch,
    steps: { ...Object.fromEntries(kept), [step]: { ...started, epoch } },
  };
}

export function noteStep(
  record: TakeoverRecord,
  step: TakeoverStep,
  note: { detail?: string; spentMs: number },
): TakeoverRecord {
  const started = record.steps[step];
  if (started === undefined) return record;
  return { ...record, steps: { ...record.steps, [step]: { ...started, ...note } } };
}

export function endStep(
  record: TakeoverRecord,
  step: TakeoverStep,
  end: { outcome: 'done' | 'skipped'; detail: string; at: string; left?: readonly string[] },
): TakeoverRecord {
  const { spentMs: _, ...started } = record.steps[step] ?? { startedAt: end.at, epoch: record.epoch };
  const { at, left = [], ...how } = end;
  const ended: StepRecord = { ...started, endedAt: at, ...how, ...(left.length > 0 && { left }) };
  return { ...record, steps: { ...record.steps, [step]: ended } };
}

export function startUndoing(record: TakeoverRecord, reason: string): TakeoverRecord {
  return { ...record, undoing: reason };
}

export function startLeaving(record: TakeoverRecord, reason: string): TakeoverRecord {
  return { ...record, overtaken: reason };
}

/** Whether a StatefulSet still owes a pod in its place. */
export function isAwaited({ statefulSet, replacement, kept, unwanted }: AffectedPod): boolean {
  return statefulSet !== undefined && replacement === undefined && kept !== true && unwanted === undefined;
}

export function close(record: TakeoverRecord, at: string): TakeoverRecord {
  return { ...record, result: resultOf(record), closedAt: at };
}

function resultOf({ undoing, overtaken, pods }: TakeoverRecord): TakeoverResult {
  if (undoing !== undefined) return 'undone';
  if (overtaken !== undefined) return 'overtaken';
  const awaited = pods.filter(isAwaited);
  if (awaited.some(({ handedTo }) => handedTo === undefined)) return 'incomplete';
  return awaited.length > 0 ? 'overtaken' : 'recovered';
}
