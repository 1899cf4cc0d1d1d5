// Defects of looking before harming: at the term, at signs of life, at brakes, at proofs, and in the right order.
import type { Scenario } from '../world/scenario.ts';
import { withMethods } from './cluster-mutations.ts';
import type { Mutation } from './mutation.ts';
import { fault, only, withPodsEverywhere, withSwitch } from './stages.ts';

const writesWithoutTerm: Mutation = {
  name: 'writes-without-term',
  sentence: 'Whether the term is still valid is not asked before a write leaves.',
  seenBy: ['writes-need-a-term'],
  from: 37,
  defect: {
    edits: [
      {
        file: 'term/leader-term.ts',
        find: '  assertValid(): void {\n    if (',
        replace: '  assertValid(): void {\n    return;\n    if (',
      },
      {
        file: 'term/write-in-term.ts',
        find: 'Math.min(longestRequestMs, term.remainingMs()), signal: term.signal',
        replace: 'longestRequestMs, signal: new AbortController().signal',
      },
    ],
  },
  // Stopped while an answer is on its way, and going on with what it says.
  stage: (scenario) =>
    only(withSwitch(scenario, 500, 'optional'), [
      fault('machine-crash', 'node-1', [5, 200]),
      fault('api-slow', '', [30, 60]),
      fault('replica-pause', 'leader', [36, 25]),
    ]),
};

/** Taken over while its switch thinks, held by a pause until it has come back, and then let go. */
const backDuringAPause = (scenario: Scenario): Scenario => ({
  ...only(withSwitch(scenario, 8_000, 'required'), [
    fault('machine-cut', 'node-1', [5, 50]),
    fault('node-paused', 'node-1', [36, 140]),
  ]),
  repairMs: 30_000,
});

const lifeOverlooked: Mutation = {
  name: 'life-overlooked',
  sentence: 'Signs of life are not looked for once a takeover has begun.',
  seenBy: ['the-living-are-left-alone', 'every-harm-is-preceded-by-a-look'],
  from: 37,
  defect: {
    edits: [
      {
        file: 'takeover/life-signs.ts',
        find: 'if (renewTime !== undefined && renewTime !== record.lastHeartbeat) {',
        replace: 'if (false) {',
      },
      {
        file: 'takeover/life-signs.ts',
        find: "if (bootId !== '' &&",
        replace: 'if (false &&',
      },
      {
        file: 'takeover-witness.ts',
        find: '  lifeSign(record: TakeoverRecord): string | undefined {\n',
        replace: '  lifeSign(record: TakeoverRecord): string | undefined {\n    return undefined;\n',
      },
      {
        file: 'takeover-witness.ts',
        find: "if (assessment?.health === 'dead') return undefined;",
        replace: 'if (assessment !== undefined) return undefined;',
      },
    ],
  },
  stage: backDuringAPause,
};

const proofOptional: Mutation = {
  name: 'proof-optional',
  sentence: 'A takeover goes on without a proof where the policy requires one.',
  seenBy: ['proof-means-proof'],
  defect: {
    parts: (parts) => ({
      ...parts,
      policies: parts.policies.map((policy) => ({
        ...policy,
        fencing: { drivers: ['none'], proof: 'optional' },
      })),
    }),
  },
  stage: (scenario) =>
    only(withSwitch(scenario, 500, 'required'), [fault('machine-crash', 'node-1', [5, 120])]),
};

const goneNodesKnowNoBrake: Mutation = {
  name: 'gone-nodes-know-no-brake',
  sentence: 'Nothing holds the takeover of a node whose Node object is gone, blindness included.',
  seenBy: ['the-blind-stand-still', 'every-harm-is-preceded-by-a-look'],
  defect: {
    edits: [
      {
        file: 'takeover-witness.ts',
        find: '    if (node === undefined) {\n',
        replace: '    if (node === undefined) return undefined;\n    if (node === undefined) {\n',
      },
    ],
  },
  // The first rung hangs for a minute. Meanwhile most others fall silent, and the Node goes.
  stage: (scenario) => {
    const staged = withPodsEverywhere(withSwitch(scenario, 500, 'optional'));
    const others = staged.nodes.slice(1, 2 + Math.floor(staged.nodes.length / 2)).map(({ name }) => name);
    return {
      ...only(staged, [
        fault('machine-crash', 'node-1', [5, 240]),
        ...others.map((name) => fault('machine-cut', name, [42, 150])),
        fault('node-deleted', 'node-1', [75, 0]),
      ]),
      podGcMs: 180_000,
      switches: [{ name: 'bmc', takesMs: 100, usually: 'hanging', timeoutMs: 60_000 }, ...staged.switches],
      policy: { ...staged.policy, fencing: { drivers: ['bmc', 'switch'], proof: 'optional' } },
    };
  },
};

const recordsInReverse: Mutation = {
  name: 'records-in-reverse',
  sentence: 'Of several takeovers of one node the oldest counts, not the newest.',
  seenBy: ['recovery'],
  defect: {
    edits: [
      {
        file: 'takeover/record.ts',
        find: 'const [first, second] = [placeOf(a), placeOf(b)];',
        replace: 'const [second, first] = [placeOf(a), placeOf(b)];',
      },
    ],
  },
  // It is taken over, returns and is welcomed, and all that once more.
  stage: (scenario) => {
    const staged = withSwitch(scenario, 500, 'required');
    return {
      ...only(staged, [
        fault('machine-crash', 'node-1', [5, 90]),
        fault('machine-crash', 'node-1', [260, 90]),
      ]),
      repairMs: 30_000,
      faultsUntilMs: staged.faultsFromMs + 400_000,
      staysOff: undefined,
      policy: { ...staged.policy, node: 'keep' },
    };
  },
};

const tokenIgnored: Mutation = {
  name: 'token-ignored',
  sentence: 'The fencing token lets every epoch through.',
  seenBy: ['stale-epochs-are-refused'],
  from: 49,
  defect: { tokenIgnored: true },
  // A leader hands over while its deletion of a Node is on its way.
  stage: (scenario) => {
    const staged = withSwitch(scenario, 500, 'required');
    return {
      ...only(staged, [
        fault('machine-crash', 'node-1', [5, 200]),
        fault('api-late-writes', '', [20, 100]),
        ...[34, 38, 42, 46, 50, 54, 58, 62].map((at) => fault('replica-restart', 'leader', [at, 0])),
      ]),
      fencingToken: true,
      policy: { ...staged.policy, node: 'delete' },
    };
  },
};

const permitIgnored: Mutation = {
  name: 'permit-ignored',
  sentence: 'A driver does not ask for its permit before it switches off.',
  seenBy: ['every-harm-is-preceded-by-a-look', 'the-living-are-left-alone', 'one-rung-at-a-time'],
  defect: {
    parts: (parts) => ({
      ...parts,
      fencers: parts.fencers.map((fencer) => ({
        ...fencer,
        fence: (target, context) =>
          fencer.fence(target, {
            ...context,
            permit: async () => ({ outcome: 'granted', validForMs: 60_000 }),
          }),
      })),
    }),
  },
  // It comes back while its switch thinks, which hears nobody calling it off.
  stage: (scenario) => {
    const staged = withSwitch(scenario, 13_000, 'required');
    const switches = staged.switches.map((one) => ({ ...one, usually: 'deaf' as const }));
    return only({ ...staged, switches }, [fault('machine-cut', 'node-1', [5, 36])]);
  },
};

const recordsForgotten: Mutation = {
  name: 'records-forgotten',
  sentence: 'A new leader does not read what its predecessor left on record.',
  seenBy: ['recovery'],
  defect: {
    parts: (parts) => ({
      ...parts,
      cluster: withMethods(parts.cluster, (inner) => ({
        listRecords: async (term) => ({ ...(await inner.listRecords(term)), records: [] }),
      })),
    }),
  },
  // The node that was kept is back when another one begins to lead, so nothing else brings the record to mind.
  stage: (scenario) => {
    const staged = withSwitch(scenario, 500, 'required');
    return {
      ...only(staged, [
        fault('machine-crash', 'node-1', [5, 60]),
        fault('replica-crash', 'leader', [100, 60]),
      ]),
      repairMs: 400_000,
      staysOff: undefined,
      policy: { ...staged.policy, node: 'keep' },
    };
  },
};

export const lookMutations: readonly Mutation[] = [
  writesWithoutTerm,
  lifeOverlooked,
  proofOptional,
  goneNodesKnowNoBrake,
  recordsInReverse,
  tokenIgnored,
  permitIgnored,
  recordsForgotten,
];
