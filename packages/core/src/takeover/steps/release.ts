// Frees what the dead node holds: its pods, by uid, and through the out-of-service taint its volumes.

import type { Pod } from '../../kubernetes/objects.ts';
import { keepAnnotation } from '../../marks/pods.ts';
import { isOutOfService, outOfServiceTaint, withTaints } from '../../marks/taints.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import { isKept, mustGo } from '../../pods/affected-pods.ts';
import { toleratesTaint } from '../../pods/tolerations.ts';
import type { LiveRead } from '../../term/live-read.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { signOfGoneHost } from '../gone-host.ts';
import { readLiveNode } from '../life-signs.ts';
import { ownsOutOfService } from '../node-past.ts';
import { deletePods, describeStuck, leaveToEvictionMs } from '../pod-deletion.ts';
import {
  done,
  held,
  isUnanswered,
  type PerformStep,
  type StepContext,
  type StepResult,
  wait,
  withPatience,
  wordsOf,
} from '../step.ts';

/** How often to look whether pods and attachments are gone. */
const lookEveryMs = 500;

/** How long to wait for an eviction that doesn't come: the controller manager may be the one that is down. */
const evictionPatienceMs = 5_000;

/** How long to wait for them before going on, saying what is left. Kubernetes itself goes on after six minutes. */
const patienceMs = 60_000;

/** How long to try to mark a Node that can't be written; without the mark its volumes come free six minutes later. */
const markPatienceMs = 30_000;

/** For a node that can't be looked at, so that nothing may be done. */
const blindPatienceMs = 600_000;

const letGo: PerformStep = async (context) => {
  const { cluster, term, record } = context;
  const pods = await cluster.listPodsOn(term, record.node.name);
  // After the list, so that nothing lies between the look and what it allows.
  const notYet = await begin(context, pods);
  if (notYet !== undefined) return notYet;

  const stuck = pods.filter((pod) => isOurs(pod, context));
  // From when the node was marked, not from when this step was taken up: a brake may have held it for hours.
  const markedForMs = context.since('marked');
  const evicted = stuck.every(({ object }) => object.metadata.deletionTimestamp !== undefined);
  const evicting = evicted ? context.since('evicted') < leaveToEvictionMs : markedForMs < evictionPatienceMs;
  if (stuck.length > 0 && evicting && record.unmarked === undefined) return evictionWait;
  // Not waiting for the pod garbage collector, which looks only every 20 s.
  const holds = await deletePods(context, stuck);
  return holds.length > 0 ? held(holds) : conclude(context);
};

const evictionWait = wait('waiting for Kubernetes to evict the pods', 100);

/** What there is to say when not even a look is possible any more. */
export const release: PerformStep = withPatience(blindPatienceMs, letGo, (why) => ({
  outcome: 'skipped',
  detail: `gave up: ${why}`,
  left: [why],
}));

async function conclude(context: StepContext): Promise<StepResult> {
  const { cluster, term } = context;
  const present = await cluster.listPodsOn(term, context.record.node.name);
  const pods = withKept(context, present);
  const record = { ...context.record, pods };
  const findings = { pods };
  const left = present
    .filter((pod) => isOurs(pod, context))
    .map((pod) => `pod ${describeStuck(context, pod.object)}`);
  left.push(...(await volumesLeft(context, pods)));
  const words = [
    ...(record.unmarked === undefined ? [] : [`without the out-of-service taint: ${record.unmarked}`]),
    ...aside('kept', pods.filter(isMarkedKept)),
    ...aside(
      'lost for good',
      pods.filter(
        ({ bare, uid }) => bare === true && !present.some(({ object }) => object.metadata.uid === uid),
      ),
    ),
  ].map((one) => `; ${one}`);
  if (left.length === 0) {
    const free = pods.filter((pod) => pod.kept !== true);
    return done(`free: ${counted(free.length, 'pod')}, and all volumes${words.join('')}`, findings);
  }
  if (context.spentMs() < patienceMs) {
    return { ...wait(`waiting for ${left.join(', ')}`, lookEveryMs), findings };
  }
  return {
    outcome: 'done',
    detail: `gave up waiting for ${left.join(', ')}${words.join('')}`,
    findings,
    left,
  };
}

/** Only pods that were there at the recheck, by uid: what came later is not what died. And none that people want kept. */
function isOurs({ object }: LiveRead<Pod>, { record }: StepContext): boolean {
  return mustGo(object) && !isKept(object) && record.pods.some(({ uid }) => uid === object.metadata.uid);
}

const isMarkedKept = ({ kept }: AffectedPod): boolean => kept === true;

/** People may mark a pod, or take the mark off, at any moment: what counts is what is on it now. */
function withKept({ record }: StepContext, present: readonly LiveRead<Pod>[]): readonly AffectedPod[] {
  return record.pods.map((pod) => {
    const live = present.find(({ object }) => object.metadata.uid === pod.uid);
    if (live === undefined || isKept(live.object) === (pod.kept === true)) return pod;
    const { kept: _, ...others } = pod;
    return isKept(live.object) ? { ...others, kept: true } : others;
  });
}

function aside(word: string, pods: readonly AffectedPod[]): readonly string[] {
  return pods.length === 0 ? [] : [`${word}: ${namesOf(pods)}`];
}

async function volumesLeft(context: StepContext, pods: readonly AffectedPod[]): Promise<readonly string[]> {
  const { cluster, term, record } = context;
  const needed = new Set(
    pods.filter(isMarkedKept).flatMap(({ volumes }) => volumes.map((one) => one.volume)),
  );
  try {
    const attachments = await cluster.listAttachmentsOn(term, record.node.name);
    return attachments
      .map(({ spec }) => spec?.source?.persistentVolumeName ?? 'without a name')
      .filter((volume) => !needed.has(volume))
      .map((volume) => `volume ${volume}`);
  } catch (error) {
    term.assertValid();
    if (isUnanswered(error)) throw error;
    // Pods that are free need not wait for the word about their volumes, and what is said must not look like a success.
    return [`volumes, of which nothing is known: ${wordsOf(error)}`];
  }
}

/** Undefined once pods may be deleted: the node is marked, or it is on record why it is not. */
async function begin(context: StepContext, pods: readonly LiveRead<Pod>[]): Promise<StepResult | undefined> {
  const { cluster, term, record } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return leaveAlone(context, live.detail);
  const taints = live.state === 'gone' ? [] : live.node.object.spec?.taints;
  const isMarked = isOutOfService(taints);
  const begun = isMarked && live.state === 'still-dead' && ownsOutOfService(record, live.node.object);
  if (record.unmarked !== undefined || begun) return undefined;
  const noted = record.outOfService === true;
  const up = live.state === 'gone' ? await signOfGoneHost(context) : undefined;
  const reasons = [...context.holds(), ...(up === undefined ? [] : [up])];
  // Somebody may put it on while we are held: that one would not be ours.
  if (reasons.length > 0) return { ...held(reasons), ...(noted && { findings: { outOfService: false } }) };
  // Somebody else has marked it, with whom the mark stays.
  if (isMarked) return undefined;
  if (live.state === 'gone') return withoutMark('the Node is gone');
  const kept = pods.find(({ object }) => isKept(object) && !toleratesTaint(object, outOfServiceTaint));
  if (kept !== undefined) {
    const { namespace, name } = kept.object.metadata;
    return withoutMark(`it would evict pod ${namespace}/${name}, which bears ${keepAnnotation}`);
  }
  if (!noted) {
    return { ...wait('about to mark the Node out of service', 0), findings: { outOfService: true } };
  }
  try {
    const outcome = await cluster.setTaints(term, live.node, withTaints(taints, [outOfServiceTaint]));
    if (outcome !== 'written') return wait('the Node changed meanwhile', 200);
    context.since('marked');
    return evictionWait;
  } catch (error) {
    term.assertValid();
    if (context.spentMs() < markPatienceMs) throw error;
    return withoutMark(wordsOf(error));
  }
}

/** On record first: without a mark on the Node, nobody could tell afterwards that its release had begun. */
function withoutMark(why: string): StepResult {
  return { ...wait(`not marked as out of service: ${why}`, 0), findings: { unmarked: why } };
}

/** For a node that lives, or a name that another Node has by now. */
async function leaveAlone({ cluster, term, record }: StepContext, detail: string): Promise<StepResult> {
  const node = await cluster.readNode(term, record.node.name);
  if (node?.object.metadata.uid === record.node.uid) {
    // The mark goes first, so nothing has been released yet from a Node that lacks it.
    const untouched = record.unmarked === undefined && !isOutOfService(node.object.spec?.taints);
    return { outcome: untouched ? 'undo' : 'skipped', detail };
  }
  // Of a Node that is gone nobody can tell whether it bore the mark. But its pods can: all that were there are there still.
  const present = await cluster.listPodsOn(term, record.node.name);
  const isUntouched = record.pods.every(({ uid }) =>
    present.some(
      ({ object: { metadata } }) => metadata.uid === uid && metadata.deletionTimestamp === undefined,
    ),
  );
  return { outcome: isUntouched ? 'overtaken' : 'skipped', detail };
}
