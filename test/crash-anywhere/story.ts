// What is played with leaders that die: a cluster, the way in which it loses a node, and what becomes of that node.
import { defaultHeartbeatDetection, type FencingRules } from '@liberator/core';
import type { Scenario } from '../chaos/world/scenario.ts';

/**
 * - `stays-off`: the machine lost its power, for good.
 * - `boots`: it lost its power, and gets it back once its takeover is over.
 * - `was-cut-off`: it never stopped; the network comes back once its takeover is over, its kubelet starts anew, and only
 *   when it is in quarantine for that does a human restart it.
 * - `comes-back`: the network was gone for a while only, and is back before the fencer, a slow one, could act.
 */
type Fate = 'stays-off' | 'boots' | 'was-cut-off' | 'comes-back';

export interface Story {
  readonly node: 'delete' | 'keep';
  /** `ladder`: a device that refuses for good, one that accepts and never acts, and the switch that works. */
  readonly fencer: 'switch' | 'none' | 'ladder';
  readonly fate: Fate;
  /** How many leaders may die. */
  readonly deaths: 1 | 2;
}

/** What people put on every Node of a story, and want back when it registers anew. */
export const peoplesLabel = 'example.com/rack';

export function wordsFor({ node, fencer, fate }: Story): string {
  const fenced = { none: 'without a fencer', switch: 'with a fencer', ladder: 'with a ladder' }[fencer];
  const ends = {
    'stays-off': 'whose machine stays off',
    boots: 'whose machine boots',
    'was-cut-off': 'whose machine never stopped',
    'comes-back': 'whose machine comes back before anything was released',
  };
  return `node: ${node}, ${fenced}, ${ends[fate]}`;
}

const fencings: Readonly<Record<Story['fencer'], FencingRules>> = {
  none: { ladder: [{ fencer: 'none' }], proof: 'optional' },
  switch: { ladder: [{ fencer: 'switch' }], proof: 'required' },
  ladder: {
    ladder: [{ fencer: 'bmc' }, { fencer: 'pdu', forMs: 8_000 }, { fencer: 'switch' }],
    proof: 'required',
  },
};

const below: Scenario['switches'] = [
  { name: 'bmc', takesMs: 500, usually: 'refusing' },
  { name: 'pdu', takesMs: 500, usually: 'slow' },
];

/** The machines, the pods and the policy of a story, with so many replicas that one outlives all that die. */
export function scenarioOf({ node, fencer, deaths }: Story): Scenario {
  return {
    seed: 1,
    nodes: ['node-1', 'node-2', 'node-3'].map((name, at) => ({ name, zone: `zone-${at + 1}` })),
    // The second one has a pod on every node, so that the dead one holds at least two.
    sets: [
      { name: 'database', replicas: 1, volumes: true },
      { name: 'queue', replicas: 3, volumes: false },
    ],
    replicas: Array.from({ length: deaths + 1 }, (_, at) => ({ name: `replica-${at + 1}`, clockRate: 1 })),
    policy: {
      name: 'all',
      nodes: { all: true },
      detection: defaultHeartbeatDetection,
      controlPlane: false,
      evidence: 'unreachable',
      budget: { maxDead: 1, maxDeadPercent: 50 },
      fencing: fencings[fencer],
      node,
    },
    switches: [...(fencer === 'ladder' ? below : []), { name: 'switch', takesMs: 500, usually: 'fine' }],
    repairMs: 0,
    podGcMs: 20_000,
    faults: [],
    faultsFromMs: 0,
    faultsUntilMs: 0,
    staysOff: undefined,
  };
}
