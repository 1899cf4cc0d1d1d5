// Every deliberate defect that the invariants have to catch.
import { clusterMutations } from './cluster-mutations.ts';
import { electionMutations } from './election-mutations.ts';
import { judgementMutations } from './judgement-mutations.ts';
import type { Mutation } from './mutation.ts';

export const allMutations: readonly Mutation[] = [
  ...electionMutations,
  ...clusterMutations,
  ...judgementMutations,
];
