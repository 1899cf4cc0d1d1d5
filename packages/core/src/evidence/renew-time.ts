// Reads the one thing that a node's Lease says: the text of its last renewal.
import type { Lease } from '../kubernetes/objects.ts';

/**
 * The Lease's `renewTime`, for comparison with another one. Undefined when it tells none: without a Lease or a `spec`, and
 * where somebody wrote `null`, an empty text or anything else that no kubelet writes.
 */
export function renewTimeOf(lease: Lease | undefined): string | undefined {
  const text: unknown = lease?.spec?.renewTime;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
