// Keeps a takeover that has not released anything in line with what the operator and the Node's marks say now.
import type { NotedNode } from '../evidence/noted-node.ts';
import { epochAnnotation, isOutOfService } from '../marks/taints.ts';
import type { TakeoverRecord, TakeoverStep } from './record.ts';
import { followPolicy, isSamePolicy } from './recorded-policy.ts';
import type { StepContext } from './step.ts';
import type { NodeNow } from './witness.ts';

const beforeRelease: ReadonlySet<TakeoverStep> = new Set(['claim', 'cordon', 'fence', 'recheck']);

/**
 * The record as it has to be before `step` is attempted; undefined when it is that already.
 *
 * Marks are noted again as they change: a brake that somebody puts on the Node must outlive the Node, and so must the word of
 * somebody who vouched for its death on it.
 */
export async function broughtUpToDate(
  context: StepContext,
  step: TakeoverStep,
  now: NodeNow,
  at: string,
): Promise<TakeoverRecord | undefined> {
  const { record, term } = context;
  const early = beforeRelease.has(step);
  const known = withMarksOfNow(record, step, now);
  const { policy } = now;
  const changed = policy !== undefined && !isSamePolicy(record.policy, policy);
  const follows = changed && (early || (step === 'release' && (await isUntouched(context))));
  if (known === record && !follows) return undefined;
  return follows ? followPolicy(known, policy, { at, epoch: term.epoch }) : known;
}

/** The record with what is on the Node now, or was when it went; until the release, which is judged by what it began with. */
export function withMarksOfNow(
  record: TakeoverRecord,
  step: TakeoverStep,
  now: NodeNow | undefined,
): TakeoverRecord {
  return beforeRelease.has(step) ? withMarks(record, now?.noted) : record;
}

/** The record with the marks that were last seen; the very same one when it has them already. */
export function withMarks(record: TakeoverRecord, seen: NotedNode | undefined): TakeoverRecord {
  const noted = seen && marksOf(record, seen);
  return noted === undefined ? record : { ...record, noted };
}

/** What was noted, with the marks of now; undefined when they are the same. */
function marksOf({ noted: before }: TakeoverRecord, seen: NotedNode): NotedNode | undefined {
  // Our own stamp goes with the Node.
  const { [epochAnnotation]: _, ...annotations } = seen.annotations;
  const { [epochAnnotation]: __, ...earlier } = before?.annotations ?? {};
  if (before && isSame(earlier, annotations) && isSame(before.labels, seen.labels)) return undefined;
  return { ...(before ?? seen), labels: seen.labels, annotations };
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

/** A release that was taken up has done nothing before the Node is out of service, whoever says so. Of one that is gone nobody knows. */
async function isUntouched({ cluster, term, record }: StepContext): Promise<boolean> {
  if (record.unmarked !== undefined) return false;
  const node = await cluster.readNode(term, record.node.name);
  return node?.object.metadata.uid === record.node.uid && !isOutOfService(node.object.spec?.taints);
}
