// What a seed stands for: the shape of a cluster, its policy, and the faults that will happen to it. Data alone.
import type { FenceProof, Policy } from '@liberator/core';
import type { NodeSpec } from '@liberator/simulator';
import type { SwitchCondition } from './power-switch.ts';

/** One fault as it was drawn. */
export interface PlannedFault {
  readonly kind: string;
  /** Of the faulty part: a machine, a replica, a zone, a pod; empty when the whole cluster is meant. */
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

export interface PlannedReplica {
  readonly name: string;
  /** Milliseconds of its monotonic clock in one true millisecond. */
  readonly clockRate: number;
  /** How wrong its wall clock is from its first life on. Default: right. */
  readonly wallOffsetMs?: number;
}

/** One rung of the ladder as it is when nothing happens to it. */
export interface PlannedSwitch {
  readonly name: string;
  readonly takesMs: number;
  readonly usually: SwitchCondition;
  /** Of its driver; absent for core's default. */
  readonly timeoutMs?: number;
  /** What it vouches for. Default `powered-off`. */
  readonly proof?: FenceProof;
}

/**
 * What happens once all is well again: something is wrong with one node for good, and it dies; a while later another
 * one dies, with which nothing is wrong.
 */
export interface PlannedEncore {
  readonly trouble: EncoreTrouble;
  readonly afterMs: number;
}

export const encoreTroubles = [
  'none',
  'refused-pod',
  'held-pod',
  'refused-node',
  'held-node',
  'unreadable-record',
  'hanging-switch',
] as const;

export type EncoreTrouble = (typeof encoreTroubles)[number];

export interface Scenario {
  readonly seed: number;
  readonly nodes: readonly NodeSpec[];
  readonly sets: readonly PlannedSet[];
  readonly deployments?: readonly PlannedDeployment[];
  readonly replicas: readonly PlannedReplica[];
  readonly policy: Policy;
  /** Of the policy's ladder, in its order. */
  readonly switches: readonly PlannedSwitch[];
  /** For how long a human leaves a machine off that a switch switched off. */
  readonly repairMs: number;
  /** The API server compares epochs, too. Default: it does not. */
  readonly fencingToken?: boolean;
  /** The period of Kubernetes' own pod garbage collector: minutes stand for a controller manager that is down. */
  readonly podGcMs: number;
  readonly faults: readonly PlannedFault[];
  /** When the faults begin to be possible, and when the last of them ends. */
  readonly faultsFromMs: number;
  readonly faultsUntilMs: number;
  /** A machine that is off at the end and stays so; undefined when all are repaired. */
  readonly staysOff: string | undefined;
  readonly encore?: PlannedEncore;
}

/** What is known of a cluster when its faults are drawn. */
export type Shape = Pick<Scenario, 'nodes' | 'replicas' | 'sets'>;
