// Deletes the Node, unless the policy or a pod keeps it or it has come back.

import type { Node, Pod } from '../../kubernetes/objects.ts';
import { keepAnnotation } from '../../marks/pods.ts';
import { epochAnnotation } from '../../marks/taints.ts';
import { isKept, mustGo } from '../../pods/affected-pods.ts';
import type { LiveRead } from '../../term/live-read.ts';
import { podsBeyond } from '../isolation.ts';
import { readLiveNode } from '../life-signs.ts';
import { listPods } from '../nothing-left.ts';
import { isolatedFromOnly } from '../record.ts';
import {
  done,
  isUnanswered,
  type PerformStep,
  type StepContext,
  type StepResult,
  wait,
  withPatience,
  wordsOf,
} from '../step.ts';

const lookEveryMs = 500;

/** How long to try before going on to verify: the pods are free, and the Node bears the marks that keep others away. */
const patienceMs = 60_000;

/** What these are called among a step's attempts. */
const deletion = 'the deletion of the Node';
const stamping = 'the stamp on the Node';

const removeNode: PerformStep = async (context) => {
  const { cluster, term, record, attempts, clock } = context;
  if (record.policy.node === 'keep') {
    return {
      outcome: 'skipped',
      detail: 'the policy keeps the Node, tainted, until it has returned for certain',
    };
  }
  const pods = await podsNow(context);
  // After the list, so that nothing lies between the look and what it allows.
  const live = await readLiveNode(context);
  if (live.state === 'gone') return gone(context, live.detail);
  if (live.state === 'alive') {
    const now = await cluster.readNode(term, record.node.name);
    return now?.object.metadata.uid === record.node.uid
      ? { outcome: 'skipped', detail: `kept: ${live.detail}` }
      : gone(context, now === undefined ? 'the Node no longer exists' : live.detail);
  }
  const { metadata } = live.node.object;
  if (metadata.deletionTimestamp !== undefined) {
    return wait(`being deleted; ${holdersOf(metadata.finalizers)}`, lookEveryMs);
  }
  // Without its Node a pod is garbage, which Kubernetes collects.
  const kept = pods.find(({ object }) => mustGo(object) && isKept(object));
  if (kept !== undefined) {
    const { namespace, name } = kept.object.metadata;
    return { outcome: 'skipped', detail: `kept for pod ${namespace}/${name}, which bears ${keepAnnotation}` };
  }
  const csiDrivers = isolatedFromOnly(record);
  const [beyond] = csiDrivers === undefined ? [] : await podsBeyond(context, csiDrivers, pods);
  if (beyond !== undefined) {
    const { namespace, name } = beyond.metadata;
    return {
      outcome: 'skipped',
      detail: `kept for pod ${namespace}/${name}, which the proof does not cover`,
    };
  }
  if (!attempts.isDue(deletion, clock.now())) {
    return wait(attempts.problem(deletion) ?? 'waiting for the Node to go', lookEveryMs);
  }
  try {
    return await askToGo(context, live.node);
  } catch (error) {
    term.assertValid();
    if (isUnanswered(error)) throw error;
    attempts.note(deletion, clock.now(), wordsOf(error));
    return wait(wordsOf(error), lookEveryMs);
  }
};

/**
 * People may mark a pod as kept at any moment, so the pods are looked at right before the Node goes. Only where the last look, of
 * a moment ago, saw none that could be marked it serves still.
 */
async function podsNow(context: StepContext): Promise<readonly LiveRead<Pod>[]> {
  const seen = context.looks.pods;
  return seen === undefined || seen.some(({ object }) => mustGo(object)) ? listPods(context) : seen;
}

async function askToGo(context: StepContext, node: LiveRead<Node>): Promise<StepResult> {
  const { cluster, term, attempts, clock } = context;
  const { metadata, spec } = node.object;
  if (metadata.annotations?.[epochAnnotation] !== String(term.epoch)) {
    // An earlier leader's stamp: ours first, then a fresh look.
    await cluster.setTaints(term, node, spec?.taints ?? []);
    attempts.note(stamping, clock.now());
    // What takes it off again, or is always there first, is not to be raced.
    return wait('stamping the Node with our epoch', attempts.count(stamping) > 1 ? lookEveryMs : 0);
  }
  const outcome = await cluster.deleteNode(term, node);
  if (outcome === 'conflict') return wait('the Node changed meanwhile', 200);
  if (outcome === 'gone') return done('the Node was gone already');
  attempts.note(deletion, clock.now());
  if (outcome === 'written') return done('Node deleted');
  // Accepted is not gone.
  const after = await cluster.readNode(term, metadata.name);
  if (after?.object.metadata.uid !== metadata.uid) return done('Node deleted');
  return wait(`being deleted; ${holdersOf(after.object.metadata.finalizers)}`, lookEveryMs);
}

export const remove: PerformStep = withPatience(patienceMs, removeNode, (why) => ({
  outcome: 'skipped',
  detail: `the Node is still there: ${why}`,
  left: [`the Node: ${why}`],
}));

function gone({ attempts }: StepContext, detail: string): StepResult {
  const isOurs = attempts.count(deletion) > 0 && attempts.problem(deletion) === undefined;
  return done(isOurs ? 'Node deleted' : detail);
}

function holdersOf(finalizers: readonly string[] = []): string {
  if (finalizers.length === 0) return 'nothing is known to hold it';
  return `held by ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}
