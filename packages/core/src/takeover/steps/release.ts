// Frees what the dead node holds: its pods, by uid, and through the out-of-service taint its volumes.
import type { LiveRead } from '../../kubernetes/live-read.ts';
import type { Pod } from '../../kubernetes/objects.ts';
import { mustGo } from '../affected-pods.ts';
import { readLiveNode } from '../life-signs.ts';
import { done, held, type PerformStep, type StepContext, type StepResult, wait } from '../step.ts';
import { hasTaint, outOfServiceTaint, withTaints } from '../taints.ts';
import { counted } from '../wording.ts';

/** How often to look whether pods and attachments are gone. */
const lookEveryMs = 500;

/**
 * How long to leave the pods to Kubernetes' own taint eviction first. It deletes by name, without a uid, and tries again
 * when the pod is gone: forestalled, it deletes the replacement. Seen on 1.36, within 70 ms of the taint.
 */
const leaveToEvictionMs = 1_000;

/** How long to wait for an eviction that doesn't come: the controller manager may be the one that is down. */
const evictionPatienceMs = 5_000;

/** How long to wait for them before going on, saying what is left. Kubernetes itself goes on after six minutes. */
const patienceMs = 60_000;

export const release: PerformStep = async (context) => {
  const tainted = await markOutOfService(context);
  if (tainted !== undefined) return tainted;

  const stuck = (await context.cluster.listPodsOn(context.term, context.record.node.name)).filter((pod) =>
    isOnRecord(pod, context),
  );
  // From when the node was marked, not from when this step was taken up: a brake may have held it for hours.
  const waitedMs = context.since('marked');
  const evicted = stuck.every(({ object }) => object.metadata.deletionTimestamp !== undefined);
  const evicting = evicted ? context.since('evicted') < leaveToEvictionMs : waitedMs < evictionPatienceMs;
  if (stuck.length > 0 && evicting) {
    return wait('waiting for Kubernetes to evict the pods', 100);
  }
  // Not waiting for the pod garbage collector, which looks only every 20 s.
  for (const pod of stuck) {
    // A forced delete beside a kubelet that is back would start the replacement while the old containers still run.
    if (context.lifeSign() !== undefined) break;
    await context.cluster.deletePod(context.term, pod);
  }

  const left = (await context.cluster.listPodsOn(context.term, context.record.node.name))
    .filter((pod) => isOnRecord(pod, context))
    .map(({ object }) => `pod ${object.metadata.namespace}/${object.metadata.name}`);
  const attachments = await context.cluster.listAttachmentsOn(context.term, context.record.node.name);
  left.push(
    ...attachments.map(({ spec }) => `volume ${spec?.source?.persistentVolumeName ?? 'without a name'}`),
  );
  if (left.length === 0) return done(`free: ${counted(context.record.pods.length, 'pod')}, and all volumes`);
  return waitedMs < patienceMs
    ? wait(`waiting for ${left.join(', ')}`, lookEveryMs)
    : done(`gave up waiting for ${left.join(', ')}`);
};

/** Only pods that were there at the recheck, by uid: what came later is not what died. */
function isOnRecord({ object }: LiveRead<Pod>, { record }: StepContext): boolean {
  return mustGo(object) && record.pods.some(({ uid }) => uid === object.metadata.uid);
}

/** Undefined when the node bears the taint, or is gone so that there is nothing to mark. */
async function markOutOfService(context: StepContext): Promise<StepResult | undefined> {
  const live = await readLiveNode(context);
  if (live.state === 'gone') return undefined;
  if (live.state === 'alive') {
    const node = await context.cluster.readNode(context.term, context.record.node.name);
    // The taint goes first, so nothing has been released yet from a Node that lacks it. Of another Node nobody knows.
    const sameNode = node?.object.metadata.uid === context.record.node.uid;
    const untouched = sameNode && !hasTaint(node.object.spec?.taints, outOfServiceTaint);
    return { outcome: untouched ? 'undo' : 'skipped', detail: live.detail };
  }
  const taints = live.node.object.spec?.taints;
  if (hasTaint(taints, outOfServiceTaint)) return undefined;
  const reasons = context.holds();
  if (reasons.length > 0) return held(reasons);
  const outcome = await context.cluster.setTaints(
    context.term,
    live.node,
    withTaints(taints, [outOfServiceTaint]),
  );
  return outcome === 'written' ? undefined : wait('the Node changed meanwhile', 200);
}
