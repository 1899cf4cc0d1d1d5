// What a takeover is still for once its Node is gone: the pods that are bound to the name, until Kubernetes has collected them.

import type { Pod } from '../kubernetes/objects.ts';
import { mustGo } from '../pods/affected-pods.ts';
import type { LiveRead } from '../term/live-read.ts';
import type { StepContext, StepResult } from './step.ts';

/** Read live: all pods on the node. */
export async function listPods({
  cluster,
  term,
  record,
  clock,
  looks,
}: StepContext): Promise<readonly LiveRead<Pod>[]> {
  const at = clock.now();
  const pods = await cluster.listPodsOn(term, record.node.name);
  looks.sawPods(pods, at);
  return pods;
}

/** Read live: all pods on the node that have to run elsewhere. */
export async function podsToRelease(context: StepContext): Promise<readonly LiveRead<Pod>[]> {
  return (await listPods(context)).filter(({ object }) => mustGo(object));
}

/** For a node whose Node is gone: undefined while there is something left to release. */
export async function endedByOthers(context: StepContext): Promise<StepResult | undefined> {
  const pods = await podsToRelease(context);
  if (pods.length > 0) return undefined;
  return { outcome: 'overtaken', detail: 'the Node was deleted, and no pod of it is left to release' };
}
