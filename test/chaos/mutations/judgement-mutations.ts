// Defects of what is believed: of sight, of hosts, of budgets and of proofs.
import type { Fencer, Policy } from '@liberator/core';
import type { Mutation } from './mutation.ts';
import { cutAtOnce, fault, only, withSwitch } from './stages.ts';

const neverBlind: Mutation = {
  name: 'never-blind',
  sentence:
    'That most nodes fall silent at once is no reason to stand still, nor that no renewal comes back.',
  seenBy: ['the-blind-stand-still'],
  defect: {
    parts: (parts) => ({ ...parts, sight: { togetherMs: 0, renewalEchoMs: Number.MAX_SAFE_INTEGER } }),
  },
  // More than half, and not all: the watch of node Leases goes on for the others.
  stage: (scenario) => cutAtOnce(scenario, Math.floor(scenario.nodes.length / 2) + 1),
};

const deadKubeletIsDeadNode: Mutation = {
  name: 'dead-kubelet-is-dead-node',
  sentence: 'A host that refuses the connection, or is mute, counts as silent.',
  seenBy: ['the-living-are-left-alone'],
  defect: {
    parts: (parts) => {
      const { probe } = parts;
      if (probe === undefined) return parts;
      return {
        ...parts,
        probe: async (node, signal) => {
          const answer = await probe(node, signal);
          return answer === 'refused' || answer === 'mute' ? 'silent' : answer;
        },
      };
    },
  },
};

const lyingSwitch: Fencer = {
  name: 'switch',
  fence: async () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'so it says' }),
};

const unfounded: Mutation = {
  name: 'unfounded-proof',
  sentence: 'The power switch says that a machine is off without having switched it off.',
  seenBy: ['one-pod-per-identity'],
  defect: {
    parts: (parts) => ({
      ...parts,
      fencers: parts.fencers.map((fencer) => (fencer.name === 'switch' ? lyingSwitch : fencer)),
    }),
  },
};

const spendthrift = (policy: Policy): Policy => ({
  ...policy,
  budget: { maxDead: 1_000, maxDeadPercent: 100 },
});

const noBudget: Mutation = {
  name: 'no-budget',
  sentence: 'As many nodes are taken over at once as are dead.',
  seenBy: ['within-budget'],
  defect: { parts: (parts) => ({ ...parts, policies: parts.policies.map(spendthrift) }) },
  stage: (scenario) => cutAtOnce(scenario, 2),
};

const budgetForgets: Mutation = {
  name: 'budget-forgets',
  sentence: 'Only what is dead and not yet taken over, or is being taken over, counts towards the budget.',
  seenBy: ['within-budget'],
  defect: {
    edits: [
      {
        file: 'policy/guards/budget.ts',
        find: 'if (fleet.unproven === undefined) {',
        replace: 'if (fleet.dead !== undefined) {',
      },
    ],
  },
  // The takeover of the first one is over when the second one dies.
  stage: (scenario) => {
    const staged = withSwitch(scenario, 500, 'optional');
    return {
      ...only(staged, [
        fault('machine-crash', 'node-1', [5, 235]),
        fault('machine-crash', 'node-2', [130, 110]),
      ]),
      sets: [{ name: 'set-1', replicas: 1, volumes: false }],
      policy: {
        ...staged.policy,
        budget: { maxDead: 1, maxDeadPercent: 50 },
        fencing: { drivers: ['none'], proof: 'optional' },
      },
    };
  },
};

export const judgementMutations: readonly Mutation[] = [
  neverBlind,
  deadKubeletIsDeadNode,
  unfounded,
  noBudget,
  budgetForgets,
];
