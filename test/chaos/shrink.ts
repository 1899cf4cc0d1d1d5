// Makes a failing run smaller: what remains when no fault can be left out without losing the failure is its story.
import { outcomeOf } from './crew.ts';
import type { Outcome } from './simulation.ts';
import type { Task } from './task.ts';

export interface Shrunk {
  readonly task: Task;
  readonly outcome: Outcome;
}

/** Leaves faults out, one at a time, until the same invariant no longer breaks with any one less. */
export async function shrink(
  task: Task,
  failing: Outcome,
  run: (task: Task) => Promise<Outcome> = outcomeOf,
): Promise<Shrunk> {
  let faults = task.faults ?? failing.scenario.faults.map((_, at) => at);
  let outcome = failing;
  let tried = 0;
  for (let at = 0; tried < faults.length; tried++) {
    at %= faults.length;
    const fewer = faults.toSpliced(at, 1);
    const smaller = await run({ ...task, faults: fewer });
    if (smaller.violation?.invariant === failing.violation?.invariant) {
      faults = fewer;
      outcome = smaller;
      // One less may make another one needless that was needed before.
      tried = -1;
    } else at++;
  }
  return { task: { ...task, faults }, outcome };
}
