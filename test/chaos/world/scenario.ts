// What a seed stands for: the shape of a cluster, its policy, and the faults that will happen to it. Data alone.
import { defaultHeartbeatDetection, type Policy } from '@liberator/core';
import type { NodeSpec } from '@liberator/simulator';
import { Dice } from './dice.ts';

/** One fault as it was drawn. */
export interface PlannedFault {
  readonly kind: string;
  /** Of the faulty part: a machine, a replica, a zone; empty when the whole cluster is meant. */
  readonly target: string;
  readonly atMs: number;
  readonly forMs: number;
  /** How: in words that the kind of fault understands. */
  readonly manner: string;
}

export interface PlannedSet {
  readonly name: string;
  readonly replicas: number;
  readonly volumes: boolean;
}

export interface PlannedDeployment {
  readonly name: string;
  readonly replicas: number;
}

export interface Scenario {
  readonly seed: number;
  readonly nodes: readonly NodeSpec[];
  readonly sets: readonly PlannedSet[];
  readonly deployments?: readonly PlannedDeployment[];
  readonly replicas: readonly { readonly name: string; readonly clockRate: number }[];
  readonly policy: Policy;
  /** How long a power switch takes, and for how long a human leaves a machine off that it switched off. */
  readonly switchMs: number;
  readonly repairMs: number;
  readonly faults: readonly PlannedFault[];
  /** When the faults begin to be possible, and when the last of them ends. */
  readonly faultsFromMs: number;
  readonly faultsUntilMs: number;
  /** A machine that is off at the end and stays so; undefined when all are repaired. */
  readonly staysOff: string | undefined;
}

/** What a kind of fault must say for a scenario to hold it. */
export interface FaultDrawer {
  readonly kind: string;
  /** How often it comes, compared with others. */
  readonly weight: number;
  /** The longest that it lasts; 0 for one that is over at once. */
  readonly longestMs: number;
  draw(dice: Dice, shape: Pick<Scenario, 'nodes' | 'replicas'>): { target: string; manner?: string };
}

const faultsFromMs = 60_000;

/** Draws everything from the seed. */
export function drawScenario(seed: number, drawers: readonly FaultDrawer[]): Scenario {
  const dice = new Dice(`${seed}/scenario`);
  const zones = dice.whole(1, 3);
  // Most clusters are small: what goes wrong between a few parts does not need many.
  const size = dice.chance(0.8) ? dice.whole(3, 8) : dice.whole(9, 30);
  const nodes = Array.from({ length: size }, (_, at) => ({
    name: `node-${at + 1}`,
    zone: `zone-${(at % zones) + 1}`,
  }));
  const replicas = Array.from({ length: dice.whole(2, 5) }, (_, at) => ({
    name: `replica-${at + 1}`,
    clockRate: dice.between(0.97, 1.03),
  }));
  const sets = Array.from({ length: dice.whole(1, 2) }, (_, at) => ({
    name: `set-${at + 1}`,
    replicas: dice.whole(1, 3),
    volumes: dice.chance(0.5),
  }));
  const deployments = Array.from({ length: dice.whole(0, 1) }, (_, at) => ({
    name: `web-${at + 1}`,
    replicas: dice.whole(1, 4),
  }));
  const policy = drawPolicy(dice);
  const faultsUntilMs = faultsFromMs + dice.whole(4, 15) * 60_000;
  const faults = drawFaults(dice, drawers, { nodes, replicas }, faultsUntilMs);
  const freed = policy.fencing.proof === 'optional' || policy.fencing.drivers.includes('switch');
  return {
    seed,
    nodes,
    sets,
    deployments,
    replicas,
    policy,
    switchMs: dice.whole(100, 5_000),
    repairMs: dice.whole(30, 400) * 1_000,
    faults,
    faultsFromMs,
    faultsUntilMs,
    staysOff: freed && dice.chance(0.5) ? dice.of(nodes).name : undefined,
  };
}

function drawPolicy(dice: Dice): Policy {
  const fencing = dice.of([
    { drivers: ['switch'], proof: 'required' },
    { drivers: ['switch'], proof: 'required' },
    { drivers: ['manual', 'switch'], proof: 'required' },
    { drivers: ['manual'], proof: 'required' },
    { drivers: ['switch'], proof: 'optional' },
    { drivers: ['none'], proof: 'optional' },
  ] as const);
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

function drawFaults(
  dice: Dice,
  drawers: readonly FaultDrawer[],
  shape: Pick<Scenario, 'nodes' | 'replicas'>,
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
