// Deletes pods of a dead node by force, each by itself: what is refused for one holds up no other.

import type { Pod } from '../kubernetes/objects.ts';
import type { LiveRead } from '../term/live-read.ts';
import { readLiveNode } from './life-signs.ts';
import { isUnanswered, type StepContext, wordsOf } from './step.ts';

/**
 * How long to leave the pods to Kubernetes' own taint eviction first. It deletes by name, without a uid, and tries again
 * when the pod is gone: forestalled, it deletes the replacement. Seen on 1.36, within 70 ms of the taint.
 */
export const leaveToEvictionMs = 1_000;

/** How many requests at a time: a webhook that hangs takes ten seconds for each. */
const atOnce = 10;

/**
 * Asks for the deletion of each that can still be hastened. What comes of it is seen at the next look. To be called right
 * after a live look at the node.
 *
 * @returns why the rest was not asked for, by the brakes; empty when none held any
 */
export async function deletePods(
  context: StepContext,
  pods: readonly LiveRead<Pod>[],
): Promise<readonly string[]> {
  const due = pods.filter(({ object }) => isDue(context, object));
  for (let first = 0; first < due.length; first += atOnce) {
    // Whoever calls has looked for the first of them; by now that may be long ago.
    if (first > 0 && (await readLiveNode(context)).state === 'alive') return [];
    // Last of all. Not for the further ones only: what a pause left over comes first at the next look.
    const holds = context.holds();
    if (holds.length > 0) return holds;
    const asked = due.slice(first, first + atOnce).map((pod) => deletePod(context, pod));
    const unanswered = (await Promise.allSettled(asked)).find(({ status }) => status === 'rejected');
    context.term.assertValid();
    if (unanswered?.status === 'rejected') throw unanswered.reason;
  }
  return [];
}

async function deletePod(context: StepContext, pod: LiveRead<Pod>): Promise<void> {
  const { cluster, term, clock, attempts, lifeSign } = context;
  // A forced delete beside a kubelet that is back would start the replacement while the old containers still run.
  if (lifeSign() !== undefined) return;
  const { uid } = pod.object.metadata;
  try {
    const outcome = await cluster.deletePod(term, pod);
    // It changed meanwhile: the next look shows how, and nothing was refused.
    if (outcome !== 'conflict') attempts.note(uid, clock.now());
  } catch (error) {
    if (isUnanswered(error)) throw error;
    attempts.note(uid, clock.now(), wordsOf(error));
  }
}

/** Accepted is not gone, but once is enough: from then on a finalizer holds it, and no request hastens that. */
function isDue({ clock, attempts }: StepContext, { metadata }: Pod): boolean {
  const isForced = metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
  return !isForced && attempts.isDue(metadata.uid, clock.now());
}

/** The pod's name and, as far as it is known, what holds it. */
export function describeStuck({ attempts }: StepContext, { metadata }: Pod): string {
  const name = `${metadata.namespace}/${metadata.name}`;
  const refused = attempts.problem(metadata.uid);
  if (refused !== undefined) return `${name}: ${refused}`;
  const { finalizers = [], deletionTimestamp } = metadata;
  if (deletionTimestamp === undefined || finalizers.length === 0) return name;
  return `${name}: held by ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}
