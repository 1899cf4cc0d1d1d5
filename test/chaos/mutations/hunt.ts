// Runs seeds with a deliberate defect built in until an invariant notices: a check that can't fail proves nothing.
import { outcomesOf } from '../crew.ts';
import type { Violation } from '../world/world.ts';
import type { Mutation } from './mutation.ts';

export interface Catch {
  readonly seedsTried: number;
  /** The first run that broke an invariant which is meant to see this defect; undefined when none did. */
  readonly caught: { readonly seed: number; readonly violation: Violation } | undefined;
}

/** @param seeds - Tried in this order, until one catches it. */
export async function hunt(
  { name, seenBy }: Mutation,
  seeds: readonly number[],
  jobs: number,
): Promise<Catch> {
  const tasks = seeds.map((seed) => ({ seed, mutation: name }));
  let seedsTried = 0;
  for await (const { task, outcome } of outcomesOf(tasks, jobs)) {
    seedsTried++;
    const { violation } = outcome;
    if (violation !== undefined && seenBy.includes(violation.invariant)) {
      return { seedsTried, caught: { seed: task.seed, violation } };
    }
  }
  return { seedsTried, caught: undefined };
}
