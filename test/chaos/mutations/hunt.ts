// Runs seeds with a deliberate defect built in until an invariant notices: a check that can't fail proves nothing.
import { type Outcome, scenarioOf, simulate } from '../simulation.ts';
import type { Mutation } from './mutation.ts';

export interface Catch {
  readonly mutation: Mutation;
  /** The first run that broke an invariant which is meant to see this defect; undefined when none did. */
  readonly outcome: Outcome | undefined;
  readonly seedsTried: number;
}

/** @param seeds tried in this order, until one catches it */
export async function hunt(mutation: Mutation, seeds: readonly number[]): Promise<Catch> {
  let seedsTried = 0;
  for (const seed of seeds) {
    seedsTried++;
    const scenario = scenarioOf(seed);
    const outcome = await simulate(mutation.stage?.(scenario) ?? scenario, mutation.defect);
    const seen = outcome.violation?.invariant;
    if (seen !== undefined && mutation.seenBy.includes(seen)) return { mutation, outcome, seedsTried };
  }
  return { mutation, outcome: undefined, seedsTried };
}
