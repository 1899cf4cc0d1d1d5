// Makes a failing run smaller: what remains when no fault can be left out without losing the failure is its story.
import { type Outcome, simulate } from './simulation.ts';

/** Leaves faults out one at a time for as long as the same invariant still breaks. */
export async function shrink(failing: Outcome, run: typeof simulate = simulate): Promise<Outcome> {
  let smallest = failing;
  let at = 0;
  while (at < smallest.scenario.faults.length) {
    const { faults } = smallest.scenario;
    const outcome = await run({ ...smallest.scenario, faults: faults.toSpliced(at, 1) });
    if (outcome.violation?.invariant === failing.violation?.invariant) smallest = outcome;
    else at++;
  }
  return smallest;
}
