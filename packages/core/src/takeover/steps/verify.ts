// Watches until every StatefulSet pod of the dead node is Ready elsewhere, and says what is in the way of those that aren't.
import { whyNotReady } from '../readiness.ts';
import type { AffectedPod } from '../record.ts';
import { done, type PerformStep, type StepContext } from '../step.ts';
import { counted } from '../wording.ts';

const lookEveryMs = 500;

/** A database may replay its log for long; but a leader can't watch one pod for ever. */
const patienceMs = 600_000;

export const verify: PerformStep = async (context) => {
  const pods: AffectedPod[] = [];
  const obstacles: string[] = [];
  for (const pod of context.record.pods) {
    const { seen, obstacle } = await look(context, pod);
    pods.push(seen);
    if (obstacle !== undefined) obstacles.push(`${pod.namespace}/${pod.name}: ${obstacle}`);
  }
  const findings = { pods };
  if (obstacles.length === 0) {
    const recovered = pods.filter((pod) => pod.replacement !== undefined);
    return done(`Ready elsewhere: ${counted(recovered.length, 'StatefulSet pod')}`, findings);
  }
  return context.clock.now() - context.takenUpAt < patienceMs
    ? { outcome: 'wait', detail: obstacles.join('; '), retryAfterMs: lookEveryMs, findings }
    : done(`not recovered: ${obstacles.join('; ')}`, findings);
};

async function look(
  context: StepContext,
  pod: AffectedPod,
): Promise<{ seen: AffectedPod; obstacle: string | undefined }> {
  if (pod.statefulSet === undefined || pod.replacement !== undefined)
    return { seen: pod, obstacle: undefined };
  const current = await context.cluster.readPod(context.term, pod.namespace, pod.name);
  if (current === undefined)
    return { seen: pod, obstacle: `not recreated yet by StatefulSet ${pod.statefulSet}` };
  if (current.metadata.uid === pod.uid) return { seen: pod, obstacle: 'the old pod is still there' };
  const node = current.spec?.nodeName;
  const obstacle = node === undefined ? (whyPinned(pod) ?? whyNotReady(current)) : whyNotReady(current);
  if (node === undefined || obstacle !== undefined) return { seen: pod, obstacle };
  const readyAt = new Date(context.clock.wallTime()).toISOString();
  return { seen: { ...pod, replacement: { uid: current.metadata.uid, node, readyAt } }, obstacle: undefined };
}

function whyPinned({ volumes }: AffectedPod): string | undefined {
  const pinned = volumes.find(({ pinnedTo }) => pinnedTo !== undefined);
  return (
    pinned && `volume ${pinned.volume ?? pinned.claim} can only be used on ${pinned.pinnedTo?.join(', ')}`
  );
}
