// Whether pods put up with taints, as the scheduler and the taint eviction ask. Pure.
import type { Pod, Taint, Toleration } from '../kubernetes/objects.ts';

/** Whether the pod tolerates the taint, for however long. */
export function toleratesTaint({ spec }: Pod, taint: Taint): boolean {
  return (spec?.tolerations ?? []).some((one) => matches(one, taint));
}

function matches({ key, operator = 'Equal', value = '', effect }: Toleration, taint: Taint): boolean {
  return (
    (effect === undefined || effect === '' || effect === taint.effect) &&
    (key === undefined || key === '' ? operator === 'Exists' : key === taint.key) &&
    (operator === 'Exists' || value === (taint.value ?? ''))
  );
}
