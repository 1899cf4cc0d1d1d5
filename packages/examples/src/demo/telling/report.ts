// What came of it: computed from the journal alone, printed as JSON, as the last lines of the timeline, or as a picture.
import { type FenceProof, type TakeoverRecord, type TakeoverStep, takeoverSteps } from '@liberator/core';
import type { DatabaseSight } from '../database/database.ts';
import { takeoverOf } from '../observing/conditions.ts';
import { first, latest } from '../observing/journal.ts';
import type { Entry } from '../observing/observation.ts';

/** One step of the takeover, in milliseconds since the crash. */
export interface StepTime {
  readonly step: TakeoverStep;
  readonly outcome: 'done' | 'skipped' | 'unfinished';
  readonly startMs: number;
  readonly endMs: number | null;
  readonly durationMs: number | null;
  readonly detail: string;
}

/** When what happened, in milliseconds since the crash; null for what did not. */
interface Milestones {
  readonly suspect: number | null;
  /** Kubernetes itself said that the node isn't Ready. */
  readonly notReady: number | null;
  readonly dead: number | null;
  readonly oldPodGone: number | null;
  readonly newPodCreated: number | null;
  readonly newPodScheduled: number | null;
  readonly newPodReady: number | null;
  readonly nodeDeleted: number | null;
}

/** The JSON that `--json` prints. */
export interface Recovery {
  readonly recovered: boolean;
  readonly pod: string;
  readonly fromNode: string | null;
  readonly toNode: string | null;
  readonly sameVolume: boolean;
  /** How many Nodes were deleted since the crash, by the API server's audit log. */
  readonly deletes: number;
  /** From the crash to the moment at which the replacement was seen Ready. */
  readonly timeToRecoveryMs: number | null;
  readonly steps: readonly StepTime[];
  readonly cluster: 'embedded' | 'real';
  readonly kubernetes: string;
  /** Timers of Kubernetes that differ from its defaults. */
  readonly changedTimers: readonly string[];
  /** The agent that led when the takeover ended, and its epoch. */
  readonly leader: string | null;
  readonly epoch: number | null;
  /** What was shown about the machine before anything was freed, and by which fencer. */
  readonly proof: FenceProof | null;
  readonly fencer: string | null;
  readonly before: DatabaseSight | null;
  readonly after: DatabaseSight | null;
  readonly milestones: Milestones;
  /** Why it did not recover. */
  readonly reason?: string;
  /** Where the agents' logs are, when it did not. */
  readonly logs?: string;
}

export interface ReportInput {
  readonly entries: readonly Entry[];
  readonly pod: string;
  readonly cluster: 'embedded' | 'real';
  readonly kubernetes: string;
  readonly changedTimers: readonly string[];
  readonly before: DatabaseSight | undefined;
  readonly after: DatabaseSight | undefined;
  readonly deletes: number;
  /** Wall time of the crash: the record's timestamps are wall time, too. */
  readonly crashedAtWall: number | undefined;
  readonly failure?: { readonly reason: string; readonly logs?: string } | undefined;
}

export function report(input: ReportInput): Recovery {
  const { entries, before, after, deletes, failure } = input;
  const milestones = milestonesOf(entries, before?.uid);
  const record = takeoverOf(entries);
  const leader = latest(entries, 'leads');
  return {
    recovered: failure === undefined && after !== undefined && milestones.newPodReady !== null,
    pod: input.pod,
    fromNode: before?.node ?? null,
    toNode: after?.node ?? null,
    sameVolume: isSameVolume(before, after),
    deletes,
    timeToRecoveryMs: milestones.newPodReady,
    steps: stepsOf(record, input.crashedAtWall ?? 0),
    cluster: input.cluster,
    kubernetes: input.kubernetes,
    changedTimers: input.changedTimers,
    leader: leader?.agent ?? null,
    epoch: leader?.epoch ?? null,
    proof: record?.proof ?? null,
    fencer: record?.fencer ?? null,
    before: before ?? null,
    after: after ?? null,
    milestones,
    ...failure,
  };
}

/** The same claim with the same volume behind it: names can be reused, uids can't. */
export function isSameVolume(before: DatabaseSight | undefined, after: DatabaseSight | undefined): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.volume === after.volume &&
    before.claimUid === after.claimUid
  );
}

function milestonesOf(entries: readonly Entry[], oldUid: string | undefined): Milestones {
  const crash = first(entries, 'crashed');
  const since = (entry: Entry | undefined): number | null =>
    entry === undefined || crash === undefined ? null : Math.round(entry.at - crash.at);
  const after = entries.filter(({ at }) => crash !== undefined && at >= crash.at);
  const node = crash?.node;
  // All replicas judge by themselves; the one that acts is the one that counts.
  const leader = latest(entries, 'leads')?.agent;
  const health = (to: string): Entry | undefined => {
    const said = after.filter((entry) => entry.kind === 'health' && entry.node === node && entry.to === to);
    return first(said, 'health', ({ agent }) => agent === leader) ?? said[0];
  };
  const replacement = (is: (pod: { node?: string; ready: boolean }) => boolean): Entry | undefined =>
    first(after, 'pod', ({ pod }) => pod.uid !== oldUid && is(pod));
  return {
    suspect: since(health('suspect')),
    notReady: since(first(after, 'node-ready', (entry) => entry.node === node && entry.status !== 'True')),
    dead: since(health('dead')),
    oldPodGone: since(first(after, 'pod-gone', ({ uid }) => uid === oldUid)),
    newPodCreated: since(replacement(() => true)),
    newPodScheduled: since(replacement((pod) => pod.node !== undefined)),
    newPodReady: since(replacement((pod) => pod.ready && pod.node !== node)),
    nodeDeleted: since(first(after, 'node-deleted', (entry) => entry.node === node)),
  };
}

function stepsOf(record: TakeoverRecord | undefined, crashedAtWall: number): readonly StepTime[] {
  return takeoverSteps.flatMap((step) => {
    const done = record?.steps[step];
    if (done === undefined) return [];
    const startMs = Date.parse(done.startedAt) - crashedAtWall;
    const endMs = done.endedAt === undefined ? null : Date.parse(done.endedAt) - crashedAtWall;
    const durationMs = endMs === null ? null : endMs - startMs;
    const { outcome = 'unfinished', detail = '' } = done;
    return [{ step, outcome, startMs, endMs, durationMs, detail }];
  });
}
