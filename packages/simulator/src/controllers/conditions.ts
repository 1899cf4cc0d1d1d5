// Reading and writing conditions so that lastTransitionTime moves only when the status does.
import type { Clock } from '@liberator/core';
import { timeText } from './timestamps.ts';
import type { Condition, Draft, Pod } from './wire-objects.ts';

interface Conditioned {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

function findCondition(object: Conditioned | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((condition) => condition.type === type);
}

/** `True`, `False`, `Unknown`, or undefined where there is no such condition. */
export function conditionStatus(
  object: Conditioned | undefined,
  type: string,
): Condition['status'] | undefined {
  return findCondition(object, type)?.status;
}

/** Whether the object's Ready condition is True. */
export function isReady(object: Conditioned | undefined): boolean {
  return conditionStatus(object, 'Ready') === 'True';
}

/** A pod that counts as available to its owner. */
export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isReady(pod);
}

/** A pod that ended by itself or was declared over. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Puts `condition` among `conditions`; returns false when status, reason and message were so already. */
export function setCondition(conditions: Draft<Condition>[], condition: Condition, clock: Clock): boolean {
  const known = conditions.find((one) => one.type === condition.type);
  if (known === undefined) {
    conditions.push({ lastTransitionTime: timeText(clock), ...condition });
    return true;
  }
  if (
    known.status === condition.status &&
    known.reason === condition.reason &&
    known.message === condition.message
  ) {
    return false;
  }
  if (known.status !== condition.status) known.lastTransitionTime = timeText(clock);
  delete known.reason;
  delete known.message;
  Object.assign(known, condition);
  return true;
}
