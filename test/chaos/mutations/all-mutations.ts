// Every deliberate defect that the invariants have to catch, by name.
import { clusterMutations } from './cluster-mutations.ts';
import { electionMutations } from './election-mutations.ts';
import { judgementMutations } from './judgement-mutations.ts';
import { ladderMutations } from './ladder-mutations.ts';
import { lookMutations } from './look-mutations.ts';
import type { Mutation } from './mutation.ts';
import { tellingMutations } from './telling-mutations.ts';

export const allMutations: readonly Mutation[] = [
  ...electionMutations,
  ...clusterMutations,
  ...judgementMutations,
  ...lookMutations,
  ...ladderMutations,
  ...tellingMutations,
];

export const mutationNames: readonly string[] = allMutations.map(({ name }) => name);

/** @throws RangeError when there is none of that name */
export function mutationNamed(name: string): Mutation {
  const found = allMutations.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`expected the name of a mutation (${mutationNames.join(', ')}), found "${name}"`);
}
