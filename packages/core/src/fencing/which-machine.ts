// Finds the one machine among those that a device knows which is the one that died, or refuses. Pure.
import { sameBoard } from '../evidence/machine.ts';
import type { FenceTarget } from './fence-target.ts';

/** One machine as a device knows it. */
export interface Candidate {
  /** As the device names it: what it is asked to switch. */
  readonly id: string;
  /** The board's UUID as the device has it, in either byte order; empty or absent where it has none. */
  readonly uuid?: string | undefined;
}

/** Which machine is meant, or why nobody can tell. */
export type WhichMachine =
  | {
      readonly outcome: 'found';
      readonly id: string;
      /** `matched`: by its board. `chosen`: by the operator, since the device or the Node names no board. */
      readonly by: 'matched' | 'chosen';
    }
  | { readonly outcome: 'refused'; readonly detail: string };

/**
 * Exactly one machine must have the board that the Node named. Where the operator chose one, it must be that one, unless
 * nothing is known of its board. Doubt is a refusal: the power of another machine is somebody's data.
 */
export function whichMachine(
  candidates: readonly Candidate[],
  { noted }: Pick<FenceTarget, 'noted'>,
  chosen?: string,
): WhichMachine {
  const { systemUuid } = noted.machine;
  const matching = candidates.filter(({ uuid = '' }) => sameBoard(systemUuid, uuid) === 'same');
  const [match, another] = matching;
  if (match !== undefined && another !== undefined) {
    return refusedBy(`${matching.length} machines have the UUID ${systemUuid}`);
  }
  if (chosen === undefined) {
    if (match !== undefined) return { outcome: 'found', id: match.id, by: 'matched' };
    return refusedBy(
      systemUuid === '' ? 'the Node names no system UUID' : `no machine has the UUID ${systemUuid}`,
    );
  }
  const there = candidates.filter(({ id }) => id === chosen);
  const [one] = there;
  if (one === undefined || there.length > 1) {
    return refusedBy(
      one === undefined ? `there is no machine ${chosen}` : `${there.length} machines are called ${chosen}`,
    );
  }
  if (match !== undefined) {
    return match === one
      ? { outcome: 'found', id: one.id, by: 'matched' }
      : refusedBy(`the UUID of the Node is that of ${match.id}, not of ${chosen}`);
  }
  return sameBoard(systemUuid, one.uuid ?? '') === 'unknown'
    ? { outcome: 'found', id: one.id, by: 'chosen' }
    : refusedBy(`${chosen} has the UUID ${one.uuid}, and the Node ${systemUuid}`);
}

function refusedBy(detail: string): WhichMachine {
  return { outcome: 'refused', detail };
}
