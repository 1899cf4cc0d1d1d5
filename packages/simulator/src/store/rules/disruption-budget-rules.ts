// PodDisruptionBudgets: one limit, not two.
import type { Draft } from '../draft.ts';
import { type FieldError, invalidValue } from '../status-error.ts';

export function disruptionBudgetErrors({ spec = {} }: Draft): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec;
  if (minAvailable === undefined || maxUnavailable === undefined) return [];
  // The real server prints its own struct here.
  const inGo = {
    MinAvailable: minAvailable,
    Selector: selector ?? null,
    MaxUnavailable: maxUnavailable,
    UnhealthyPodEvictionPolicy: unhealthyPodEvictionPolicy ?? null,
  };
  return [invalidValue('spec', inGo, 'minAvailable and maxUnavailable cannot be both set')];
}
