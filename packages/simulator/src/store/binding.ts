// Giving a pod to a node: happens once, and leaves a mark in its status.
import { timestamp } from './deletion.ts';
import { type Draft, specOf } from './draft.ts';
import { resources } from './resources.ts';
import { conflict } from './status-error.ts';
import { objectsIn } from './wire-value.ts';

/** The real server blames the subresource. */
const binding = { ...resources.pods, plural: 'pods/binding' };

/** Binds a pod. @throws StatusError 409 when it has a node already, or is being deleted. */
export function bindPod(pod: Draft, nodeName: string, wallTimeMs: number): void {
  const { name, deletionTimestamp } = pod.metadata;
  const spec = specOf(pod);
  if (deletionTimestamp !== undefined) {
    throw conflict(binding, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (spec['nodeName']) {
    throw conflict(
      binding,
      name,
      `pod ${name} is already assigned to node ${JSON.stringify(spec['nodeName'])}`,
    );
  }
  spec['nodeName'] = nodeName;
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(wallTimeMs),
  };
  const others = objectsIn(pod.status?.['conditions']).filter((one) => one['type'] !== scheduled.type);
  pod.status = { ...pod.status, conditions: [...others, scheduled] };
}
