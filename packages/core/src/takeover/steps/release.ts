// Frees what the dead node holds: its pods, by uid, and through the out-of-service taint its volumes.

import type { Pod } from '../../kubernetes/objects.ts';
import { keepAnnotation } from '../../marks/pods.ts';
import { isOutOfService, outOfServiceTaint, withTaints } from '../../marks/taints.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import { isKept, mustGo } from '../../pods/affected-pods.ts';
import type { LiveRead } from '../../term/live-read.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { signOfGoneHost } from '../gone-host.ts';
import { podsBeyond } from '../isolation.ts';
import { readLiveNode } from '../life-signs.ts';
import { ownsOutOfService } from '../node-past.ts';
import { listPods } from '../nothing-left.ts';
import { deletePods, describeStuck, leaveToEvictionMs } from '../pod-deletion.ts';
import { isolatedFromOnly } from '../record.ts';
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
import { keptFromMark } from './mark.ts';

/** When to look first whether pods are evicted, or gone. */
const lookSoonMs = 100;

/** To detach a volume takes longer. What wasn't gone for a while is hardly so a moment later, so the pauses grow, up to the longest. */
const firstPauseMs = 250;
/** While nothing is done but waiting. */
const lookAtNodeEveryMs = 1_500;
const longestPauseMs = 1_000;

/** How long to wait for an eviction that doesn't come: the controller manager may be the one that is down. */
const evictionPatienceMs = 5_000;

/** How long to wait for them before going on, saying what is left. Kubernetes itself goes on after six minutes. */
const patienceMs = 60_000;

/** How long to try to mark a Node that can't be written; without the mark its volumes come free six minutes later. */
const markPatienceMs = 30_000;

/** For a node that can't be looked at, so that nothing may be done. */
const blindPatienceMs = 600_000;

const letGo: PerformStep = async (context) => {
  const { settled, looks } = context;
  // Where there is nothing to do but to wait nobody is harmed, and a look now and then will do. A sign of life calls for one.
  const isLookedAt = looks.sinceLookMs < lookAtNodeEveryMs && context.lifeSign() === undefined;
  const onlyWaits = settled.has(begun) && isLookedAt;
  if (onlyWaits && settled.has(podsGone)) return conclude(context, []);
  const pods = looks.pods ?? (await listPods(context));
  const stuck = pods.filter((pod) => isOurs(pod, context));
  if (onlyWaits) {
    if (stuck.length === 0) return conclude(context, pods);
    const evictionMs = leftToEviction(context, stuck);
    if (evictionMs > 0) return evictionWait(evictionMs);
  }
  // After the list, so that nothing lies between the look and what it allows.
  const notYet = await begin(context, pods);
  if (notYet !== undefined) return notYet;
  settled.set(begun, 'the Node is marked, or it is on record why not');

  const evictionMs = stuck.length === 0 ? 0 : leftToEviction(context, stuck);
  if (evictionMs > 0) return evictionWait(evictionMs);
  if (stuck.length === 0) return conclude(context, pods);
  // Not waiting for the pod garbage collector, which looks only every 20 s.
  const holds = await deletePods(context, stuck);
  return holds.length > 0 ? held(holds) : conclude(context, await listPods(context));
};

/** What these are called among what is settled. */
const begun = 'begun';
const podsGone = 'pods gone';
/** This leader put on record that the mark is to be ours, and whether it then sent it: only what was sent can be. */
const notedHere = 'mark noted';
const sent = 'mark sent';
/** Until an answer says that it wasn't written, it may be. */
const lost = 'no answer says that it was refused';

/** For how long the pods are left to Kubernetes' eviction still, or until it is worth a look; 0 when they no longer are. */
function leftToEviction(context: StepContext, stuck: readonly LiveRead<Pod>[]): number {
  if (context.record.unmarked !== undefined) return 0;
  // From when the node was marked, not from when this step was taken up: a brake may have held it for hours.
  const markedForMs = context.since('marked');
  const evicted = stuck.every(({ object }) => object.metadata.deletionTimestamp !== undefined);
  if (evicted) return Math.max(0, leaveToEvictionMs - context.since('evicted'));
  return markedForMs < evictionPatienceMs ? Math.min(500, Math.max(lookSoonMs, markedForMs)) : 0;
}

const evictionWait = (ms: number): StepResult => wait('waiting for Kubernetes to evict the pods', ms);

/** What there is to say when not even a look is possible any more. */
export const release: PerformStep = withPatience(blindPatienceMs, letGo, (why) => ({
  outcome: 'skipped',
  detail: `gave up: ${why}`,
  left: [why],
}));

async function conclude(context: StepContext, present: readonly LiveRead<Pod>[]): Promise<StepResult> {
  const isGone = (uid: string): boolean => !present.some(({ object }) => object.metadata.uid === uid);
  // A uid that is gone never comes back.
  if (context.record.pods.every(({ uid }) => isGone(uid)))
    context.settled.set(podsGone, 'none of those on record is left');
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
      pods.filter(({ bare, uid }) => bare === true && isGone(uid)),
    ),
  ].map((one) => `; ${one}`);
  if (left.length === 0) {
    const free = pods.filter((pod) => pod.kept !== true);
    return done(`free: ${counted(free.length, 'pod')}, and all volumes${words.join('')}`, findings);
  }
  if (context.spentMs() < patienceMs) {
    const pauseMs = Math.min(longestPauseMs, Math.max(firstPauseMs, context.since('waiting')));
    return { ...wait(`waiting for ${left.join(', ')}`, pauseMs), findings };
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
  const { cluster, term, record, settled, looks } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return leaveAlone(context, live.detail);
  const taints = live.state === 'gone' ? [] : live.node.object.spec?.taints;
  const isMarked = isOutOfService(taints);
  const hasBegun = isMarked && live.state === 'still-dead' && ownsOutOfService(record, live.node.object);
  if (hasBegun && settled.has(notedHere) && !settled.has(sent)) {
    return {
      ...wait('somebody else has marked the Node out of service', 0),
      findings: { outOfService: false },
    };
  }
  if (record.unmarked !== undefined || hasBegun) return undefined;
  const noted = record.outOfService === true;
  const up = live.state === 'gone' ? await signOfGoneHost(context) : undefined;
  const reasons = [...context.holds(), ...(up === undefined ? [] : [up])];
  // Somebody may put it on while we are held: that one would not be ours.
  if (reasons.length > 0) return { ...held(reasons), ...(noted && { findings: { outOfService: false } }) };
  // Somebody else has marked it, with whom the mark stays.
  if (isMarked) return undefined;
  if (live.state === 'gone') return withoutMark('the Node is gone');
  const kept = keptFromMark(pods);
  if (kept !== undefined) {
    const { namespace, name } = kept.metadata;
    return withoutMark(`it would evict pod ${namespace}/${name}, which bears ${keepAnnotation}`);
  }
  const [beyond] = await podsBeyondProof(context, pods);
  if (beyond !== undefined) {
    const { namespace, name } = beyond.metadata;
    return withoutMark(`it would evict pod ${namespace}/${name}, which the proof does not cover`);
  }
  if (!noted) {
    // By the last look of all before the mark: what is on record and not yet on the Node, a human may put there.
    const isStillOurs = await context.putOnRecord({ outOfService: true });
    settled.set(notedHere, 'nobody else has noted it before');
    // The write may have taken its time, and the node or a human may have used it.
    if (!isStillOurs || looks.deadNode === undefined || context.lifeSign() !== undefined) {
      return wait('about to mark the Node out of service', 0);
    }
    const since = context.holds();
    if (since.length > 0) return { ...held(since), findings: { outOfService: false } };
  }
  const wasLost = settled.get(sent) === lost;
  try {
    settled.set(sent, lost);
    const outcome = await cluster.setTaints(term, live.node, withTaints(taints, [outOfServiceTaint]));
    if (outcome !== 'written') {
      if (!wasLost) settled.delete(sent);
      return wait('the Node changed meanwhile', 200);
    }
    context.since('marked');
    settled.set(begun, 'the Node is marked, or it is on record why not');
    return evictionWait(lookSoonMs);
  } catch (error) {
    term.assertValid();
    if (!wasLost && !isUnanswered(error)) settled.delete(sent);
    if (context.spentMs() < markPatienceMs) throw error;
    return withoutMark(wordsOf(error));
  }
}

/** What came onto the Node after the recheck: what it is was never asked. */
async function podsBeyondProof(
  context: StepContext,
  pods: readonly LiveRead<Pod>[],
): Promise<readonly Pod[]> {
  const csiDrivers = isolatedFromOnly(context.record);
  return csiDrivers === undefined ? [] : podsBeyond(context, csiDrivers, pods);
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
