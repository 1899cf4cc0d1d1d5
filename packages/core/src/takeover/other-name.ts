// A machine that died under one name and runs under another by now: what is asked of its device for the dead would hit the living.
import { compareMachines } from '../evidence/machine.ts';
import type { FenceMachine } from '../fencing/fence-target.ts';
import type { StepContext } from './step.ts';

/**
 * Why the very machine is known to run, as another node that is Ready; undefined when nothing says so. Two that say they are one board
 * can't be told apart, so that one of them is spared.
 */
export function livesAsAnother(
  { neighbours }: Pick<StepContext, 'neighbours'>,
  { noted }: FenceMachine,
): string | undefined {
  for (const { name, isHeard, noted: other } of neighbours()) {
    if (isHeard !== true || compareMachines(noted.machine, other.machine) !== 'same') continue;
    return `${name} says that it is the same machine, and is Ready: whoever switches the one off switches the other off`;
  }
  return undefined;
}
