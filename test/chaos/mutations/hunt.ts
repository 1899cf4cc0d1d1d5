// Runs seeds with a deliberate defect built in until an invariant notices: a check that can't fail proves nothing.
import { outcomesOf } from '../crew.ts';
import { perform } from '../task.ts';
import type { Violation } from '../world/world.ts';
import type { Mutation } from './mutation.ts';

export interface Catch {
  readonly seedsTried: number;
  /** The first run that broke an invariant which is meant to see this defect; undefined when none did. */
  readonly caught: { readonly seed: number; readonly violation: Violation } | undefined;
}

/**
 * Asks the invariants that are meant to see the defect, pending or not. What the program breaks without it, on the same
 * stage, is no catch.
 *
 * @param seeds - Tried in this order from {@link Mutation.from} on, and then the ones before, until one catches it.
 */
export async function hunt(
  { name, seenBy, on = [], from }: Mutation,
  seeds: readonly number[],
  jobs: number,
): Promise<Catch> {
  const first = seeds.findIndex((seed) => from !== undefined && seed >= from);
  const ordered = first < 0 ? seeds : [...seeds.slice(first), ...seeds.slice(0, first)];
  const tasks = ordered.map((seed) => ({ seed, mutation: name, on: [...seenBy, ...on] }));
  let seedsTried = 0;
  for await (const { task, outcome } of outcomesOf(tasks, jobs)) {
    seedsTried++;
    const { violation } = outcome;
    if (violation === undefined || !seenBy.includes(violation.invariant)) continue;
    const { violation: anyway } = await perform({ ...task, harmless: true });
    if (anyway === undefined) return { seedsTried, caught: { seed: task.seed, violation } };
  }
  return { seedsTried, caught: undefined };
}
