// Defects of the ladder: turns that are begun anew, devices that work side by side, proofs that don't count, patience that ends early.
import { defaultHeartbeatDetection } from '@liberator/core';
import type { SwitchCondition } from '../world/power-switch.ts';
import type { Scenario } from '../world/scenario.ts';
import type { Mutation } from './mutation.ts';
import { fault, only, withPodsEverywhere, withSwitch } from './stages.ts';

/** Below the switch that works there is one more device, with which something is wrong for good. */
function withDeviceBelow(
  scenario: Scenario,
  usually: SwitchCondition,
  {
    forMs = 20_000,
    proof = 'required',
  }: { readonly forMs?: number; readonly proof?: 'required' | 'optional' } = {},
): Scenario {
  const staged = withPodsEverywhere(withSwitch(scenario, 500, proof));
  const ladder = [{ fencer: 'bmc', forMs }, { fencer: 'switch' }];
  return {
    ...staged,
    switches: [{ name: 'bmc', takesMs: 500, usually }, ...staged.switches],
    policy: { ...staged.policy, detection: defaultHeartbeatDetection, fencing: { ladder, proof } },
    staysOff: undefined,
  };
}

const begunAnew: Mutation = {
  name: 'begun-anew',
  sentence: 'A new leader climbs the ladder from its first rung on, whatever is on record.',
  seenBy: ['one-rung-at-a-time'],
  defect: {
    edits: [
      {
        file: 'takeover/climb.ts',
        find: 'const next = nextRung(ladder, record.climb, context.spentMs());',
        replace:
          'const mine = record.climb?.rungs[record.climb.rung]?.epoch === context.term.epoch;\n' +
          '  const next = nextRung(ladder, mine ? record.climb : undefined, context.spentMs());',
      },
    ],
  },
  // The one who began the first rung dies in the middle of it.
  stage: (scenario) =>
    only(withDeviceBelow(scenario, 'slow', { forMs: 60_000 }), [
      fault('machine-crash', 'node-1', [5, 240]),
      fault('replica-crash', 'leader', [50, 60]),
    ]),
};

const sideBySide: Mutation = {
  name: 'side-by-side',
  sentence: 'Whoever was called off still gets a permit, while the next one is at work.',
  seenBy: ['one-rung-at-a-time'],
  defect: {
    edits: [
      {
        file: 'fencing/ask-fencer.ts',
        find: '  const stop = (detail: string, reason: unknown): void => {\n    open = false;\n',
        replace: '  const stop = (detail: string, reason: unknown): void => {\n',
      },
      {
        file: 'fencing/ask-fencer.ts',
        find: '  } finally {\n    open = false;\n',
        replace: '  } finally {\n',
      },
    ],
  },
  // It wakes up in the turn of the next one, which is slow.
  stage: (scenario) => {
    const staged = withDeviceBelow(scenario, 'deaf');
    const switches = staged.switches.map((one) =>
      one.name === 'switch' ? { ...one, usually: 'slow' as const } : one,
    );
    return only({ ...staged, switches }, [fault('machine-crash', 'node-1', [5, 200])]);
  },
};

const acceptIgnored: Mutation = {
  name: 'accept-ignored',
  sentence: 'Any proof counts, whichever the policy accepts.',
  seenBy: ['proof-means-proof', 'one-pod-per-identity'],
  defect: {
    edits: [
      {
        file: 'fencing/ladder.ts',
        find: ': accept.includes(given);',
        replace: ': accept.length > 0;',
      },
    ],
  },
  stage: (scenario) => {
    const staged = withDeviceBelow(scenario, 'isolating');
    const fencing = { ...staged.policy.fencing, accept: ['powered-off'] } as const;
    return only({ ...staged, policy: { ...staged.policy, fencing } }, [
      fault('machine-crash', 'node-1', [5, 200]),
    ]);
  },
};

const givesUpEarly: Mutation = {
  name: 'gives-up-early',
  sentence:
    'A takeover goes on without a proof once each rung has had its turn, whatever time was agreed on.',
  seenBy: ['no-sooner-than-agreed'],
  defect: {
    edits: [
      {
        file: 'fencing/ladder.ts',
        find: "if (proof === 'optional' && giveUpAfterMs === undefined) return",
        replace: "if (proof === 'optional') return",
      },
    ],
  },
  stage: (scenario) => {
    const staged = withDeviceBelow(scenario, 'refusing', { proof: 'optional' });
    const switches = staged.switches.map((one) => ({ ...one, usually: 'refusing' as const }));
    const fencing = { ...staged.policy.fencing, giveUpAfterMs: 60_000 };
    return only({ ...staged, switches, policy: { ...staged.policy, fencing } }, [
      fault('machine-crash', 'node-1', [5, 200]),
    ]);
  },
};

const turnWithoutRecord: Mutation = {
  name: 'turn-without-record',
  sentence: 'Whose turn it is is put on record only once its fencer has answered.',
  seenBy: ['one-rung-at-a-time'],
  defect: {
    edits: [
      {
        file: 'takeover/climb.ts',
        find: "if (next.move === 'begin' && fencer.harmless !== true && !(",
        replace: "if (next.move === 'begin' && fencer.name === 'nobody' && !(",
      },
    ],
  },
  stage: (scenario) =>
    only(withDeviceBelow(scenario, 'refusing'), [fault('machine-cut', 'node-1', [5, 200])]),
};

export const ladderMutations: readonly Mutation[] = [
  begunAnew,
  sideBySide,
  acceptIgnored,
  givesUpEarly,
  turnWithoutRecord,
];
