// Where a StatefulSet's pod stands on its way from one node to another, told from what is there under its name. Pure.
import type { Pod } from '../kubernetes/objects.ts';
import { whyNotReady } from '../pods/readiness.ts';
import type { PlannedPod } from './plan.ts';
import type { PodPhase } from './progress.ts';

export interface Sight {
  readonly phase: PodPhase;
  readonly detail: string;
}

/** @param current what has the pod's name now, if anything does. */
export function lookAtReplacement(planned: PlannedPod, current: Pod | undefined, from: string): Sight {
  if (current?.metadata.uid === planned.uid) return { phase: 'leaving', detail: leaving(current) };
  if (planned.awaits === 'nothing') return { phase: 'done', detail: 'gone' };
  if (current === undefined) {
    return { phase: 'replacing', detail: `not made anew yet by StatefulSet ${planned.statefulSet}` };
  }
  const node = current.spec?.nodeName;
  if (node === from) {
    return { phase: 'replacing', detail: `came back to ${from}: it tolerates cordoned nodes` };
  }
  const obstacle = whyNotReady(current);
  if (obstacle !== undefined) return { phase: 'replacing', detail: obstacle };
  return { phase: 'done', detail: `Ready on ${node}` };
}

function leaving({ metadata, spec }: Pod): string {
  const grace = spec?.terminationGracePeriodSeconds;
  if (metadata.deletionTimestamp === undefined) return 'evicted';
  return `terminating${grace === undefined ? '' : `, for up to ${grace} s`}`;
}
