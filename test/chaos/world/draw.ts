// Draws a scenario from its seed.
import { defaultHeartbeatDetection, fencersIn, manualFencer, type Policy } from '@liberator/core';
import { Dice } from './dice.ts';
import type { SwitchCondition } from './power-switch.ts';
import {
  encoreTroubles,
  type PlannedEncore,
  type PlannedFault,
  type PlannedReplica,
  type PlannedSwitch,
  type Scenario,
  type Shape,
} from './scenario.ts';

/** What a kind of fault must say for a scenario to hold it. */
export interface FaultDrawer {
  readonly kind: string;
  /** How often it comes, compared with others. */
  readonly weight: number;
  /** The longest that it lasts; 0 for one that is over at once. */
  readonly longestMs: number;
  draw(dice: Dice, shape: Shape): { target: string; manner?: string };
}

const minute = 60_000;
const faultsFromMs = minute;

/** Draws everything from the seed. */
export function drawScenario(seed: number, drawers: readonly FaultDrawer[]): Scenario {
  const dice = new Dice(`${seed}/scenario`);
  const zones = dice.whole(1, 3);
  const huge = dice.chance(0.015);
  const size = huge ? dice.whole(100, 250) : drawSize(dice);
  const nodes = Array.from({ length: size }, (_, at) => ({
    name: `node-${at + 1}`,
    zone: `zone-${(at % zones) + 1}`,
  }));
  const replicas = drawReplicas(dice, huge);
  const sets = Array.from({ length: dice.whole(1, 2) }, (_, at) => ({
    name: `set-${at + 1}`,
    replicas: dice.whole(1, 3),
    volumes: dice.chance(0.5),
  }));
  const deployments = Array.from({ length: dice.whole(0, 1) }, (_, at) => ({
    name: `web-${at + 1}`,
    replicas: dice.whole(1, 4),
  }));
  const simple = drawSwitches(dice);
  const ladder = drawLadder(new Dice(`${seed}/ladder`), drawPolicy(dice, simple), simple);
  const { policy, switches } = ladder;
  // What goes wrong among hundreds shows soon, and each of their minutes costs as much as ten of a small cluster.
  const faultsUntilMs = faultsFromMs + (huge ? dice.whole(2, 3) : dice.whole(4, 15)) * minute;
  const faults = [
    ...drawFaults(dice, drawers, { nodes, replicas, sets }, faultsUntilMs),
    ...ladder.faults(faultsUntilMs),
  ].toSorted((a, b) => a.atMs - b.atMs);
  const freed = policy.fencing.proof === 'optional' || fencersIn(policy.fencing).includes('switch');
  const staysOff = freed && dice.chance(0.5) ? dice.of(nodes).name : undefined;
  const encore = huge || staysOff !== undefined ? undefined : drawEncore(dice);
  return {
    seed,
    nodes,
    sets,
    deployments,
    replicas,
    policy,
    switches: switches.filter(({ name }) => fencersIn(policy.fencing).includes(name)),
    repairMs: dice.whole(30, 400) * 1_000,
    fencingToken: dice.chance(0.5),
    podGcMs: dice.of([20_000, 20_000, 20_000, 3 * minute]),
    faults,
    faultsFromMs,
    faultsUntilMs,
    staysOff,
    ...(encore && { encore }),
  };
}

/** Most clusters are small: what goes wrong between a few parts does not need many. */
function drawSize(dice: Dice): number {
  return dice.chance(0.8) ? dice.whole(3, 8) : dice.whole(9, 30);
}

function drawReplicas(dice: Dice, huge: boolean): readonly PlannedReplica[] {
  // Nobody's wall clock need be right, and those of two replicas may be hours apart.
  const wrong = dice.chance(0.3);
  return Array.from({ length: dice.whole(2, huge ? 2 : 5) }, (_, at) => ({
    name: `replica-${at + 1}`,
    clockRate: dice.between(0.97, 1.03),
    wallOffsetMs: wrong ? dice.whole(-6 * 60, 6 * 60) * minute : 0,
  }));
}

/** The last one works; those before it, if there are any, are slow or broken from the start. */
function drawSwitches(dice: Dice): readonly PlannedSwitch[] {
  const rungs = dice.of([1, 1, 2, 3]);
  const before = ['bmc', 'pdu'].slice(0, rungs - 1).map(
    (name): PlannedSwitch => ({
      name,
      takesMs: dice.whole(100, 8_000),
      usually: dice.of(['failing', 'failing', 'hanging', 'hanging', 'fine']),
      timeoutMs: dice.whole(5, 40) * 1_000,
    }),
  );
  return [...before, { name: 'switch', takesMs: dice.whole(100, 5_000), usually: 'fine' }];
}

function drawPolicy(dice: Dice, switches: readonly PlannedSwitch[]): Policy {
  // So that all of them have had their turn within the time in which a second node has to be taken over.
  const ladder = switches.map(({ name }) => ({ fencer: name, forMs: 30_000 }));
  const people = { fencer: manualFencer.name };
  const fencing = dice.of<Policy['fencing']>([
    { ladder, proof: 'required' },
    { ladder, proof: 'required' },
    { ladder: [{ ...people, forMs: 20_000 }, ...ladder], proof: 'required' },
    { ladder: [people], proof: 'required' },
    { ladder, proof: 'optional' },
    { ladder: [{ fencer: 'none' }], proof: 'optional' },
  ]);
  return {
    name: 'all',
    nodes: { all: true },
    detection: defaultHeartbeatDetection,
    controlPlane: false,
    evidence: 'unreachable',
    budget: { maxDead: dice.whole(1, 3), maxDeadPercent: dice.of([20, 34, 50]) },
    fencing,
    node: dice.of(['delete', 'keep']),
  };
}

interface DrawnLadder {
  readonly policy: Policy;
  readonly switches: readonly PlannedSwitch[];
  readonly faults: (untilMs: number) => readonly PlannedFault[];
}

/** What may be wrong for good with a device below the one that works. */
const troubles: readonly SwitchCondition[] = [
  'failing',
  'hanging',
  'slow',
  'mute',
  'late',
  'refusing',
  'deaf',
  'belated',
  'fine',
];

/**
 * Makes of most policies that have a working switch one with a ladder: two to four devices, each with a time of its own, people
 * below or above them or not at all, proofs that don't count, a time to give up after, and leaders that die as they hear from one.
 */
function drawLadder(dice: Dice, policy: Policy, switches: readonly PlannedSwitch[]): DrawnLadder {
  const last = switches.at(-1);
  if (last === undefined || !fencersIn(policy.fencing).includes(last.name) || !dice.chance(0.6)) {
    return { policy, switches, faults: () => [] };
  }
  const { proof } = policy.fencing;
  const picky = dice.chance(0.4);
  const below = ['bmc', 'pdu', 'cloud'].slice(0, dice.whole(1, 3)).map(
    (name): PlannedSwitch => ({
      name,
      takesMs: dice.whole(100, 8_000),
      usually: dice.of(picky ? [...troubles, 'isolating' as const, 'isolating' as const] : troubles),
      timeoutMs: dice.whole(5, 40) * 1_000,
      ...(name === 'cloud' && { proof: 'instance-gone' }),
    }),
  );
  const rungs = below.map(({ name }) => ({ fencer: name, forMs: dice.whole(5, 20) * 1_000 }));
  const people = { fencer: manualFencer.name, forMs: dice.whole(5, 30) * 1_000 };
  const working = { fencer: last.name, forMs: dice.whole(20, 60) * 1_000 };
  const fencing: Policy['fencing'] = {
    ladder: dice.of([
      [...rungs, working],
      [...rungs, working],
      [people, ...rungs, working],
      [...rungs, working, people],
    ]),
    proof,
    ...(picky && { accept: ['powered-off', 'confirmed-by-human'] }),
    ...(proof === 'optional' && dice.chance(0.7) && { giveUpAfterMs: dice.whole(20, 120) * 1_000 }),
  };
  const kinds = Array.from({ length: dice.whole(0, 3) }, () =>
    dice.of([
      'leader-dies-at-switch',
      'leader-dies-at-switch',
      'switch-deaf',
      'switch-belated',
      'switch-refusing',
    ]),
  );
  const faults = (untilMs: number): readonly PlannedFault[] =>
    kinds.map((kind) => {
      const atMs = Math.round(dice.between(faultsFromMs, untilMs));
      const target = dice.of(['first', 'last']);
      const forMs = kind === 'leader-dies-at-switch' ? 0 : dice.whole(20, 200) * 1_000;
      return { kind, target, manner: '', atMs, forMs: Math.min(forMs, untilMs - atMs) };
    });
  return { policy: { ...policy, fencing }, switches: [...below, last], faults };
}

function drawFaults(
  dice: Dice,
  drawers: readonly FaultDrawer[],
  shape: Shape,
  untilMs: number,
): readonly PlannedFault[] {
  const weights = drawers.flatMap((drawer) => Array.from({ length: drawer.weight }, () => drawer));
  const faults = Array.from({ length: dice.whole(1, 12) }, () => {
    const drawer = dice.of(weights);
    const atMs = Math.round(dice.between(faultsFromMs, untilMs));
    // Most faults are short; some are long.
    const forMs = Math.round(drawer.longestMs * dice.between(0.02, 1) ** 2);
    return {
      kind: drawer.kind,
      manner: '',
      ...drawer.draw(dice, shape),
      atMs,
      forMs: Math.min(forMs, untilMs - atMs),
    };
  });
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

function drawEncore(dice: Dice): PlannedEncore | undefined {
  if (!dice.chance(0.7)) return undefined;
  return { trouble: dice.of(encoreTroubles), afterMs: dice.whole(15, 90) * 1_000 };
}
