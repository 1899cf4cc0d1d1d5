// What a simulation of deaths begins with, and what it comes to. Pure data.
import type { SightRules } from '../../evidence/sight.ts';
import type { FenceProof } from '../../fencing/proof.ts';
import type { Lease } from '../../kubernetes/objects.ts';
import type { Guard } from '../../policy/guard.ts';
import type { Policy } from '../../policy/policy.ts';
import type { UnreadableRecord } from '../../takeover/cluster.ts';
import type { TakeoverRecord } from '../../takeover/record.ts';
import type { InhabitedCluster } from './evacuation.ts';
import type { SimulatedMoment, SimulatedNode } from './moment.ts';
import type { WayToDie } from './virtual-fleet.ts';

/** What a fencer is taken to come to: a proof, so many milliseconds later; or nothing before a human vouches for the death. */
export type FencerAssumption =
  | 'waits-for-human'
  | {
      /** What it vouches for. */
      readonly proof: FenceProof;
      /** How long it takes. */
      readonly tookMs: number;
    };

/** A cluster as it is, for a simulation. Whatever is absent could not be read. */
export interface SimulatedCluster extends InhabitedCluster {
  /** Those of `kube-node-lease`. Absent: every node is taken to have one. */
  readonly leases?: readonly Lease[];
}

/** Who leads, and who could. */
export interface SimulatedLeader {
  /** The node that the leader runs on. */
  readonly on: string;
  /** The nodes that other replicas run on. */
  readonly others: readonly string[];
  /** How long it takes until another replica leads. Default 17,000 ms: a Lease of 15 s, and a retry after 2 s. */
  readonly electedAfterMs?: number;
}

/** Options of `simulateDeaths`. */
export interface SimulateDeathsOptions {
  /** As it is now. */
  readonly cluster: SimulatedCluster;
  /** As a `Controller` has them. */
  readonly policies: readonly Policy[];
  /** Guards of your own, asked after the built-in ones. Default: none. */
  readonly guards?: readonly Guard[];
  /** As a `Controller` has it. Default `defaultSightRules`. */
  readonly sight?: Partial<SightRules>;
  /**
   * What each fencer is taken to come to, by name. Default: `manual` waits for a human, `none` gives the proof `none` at once.
   */
  readonly fencers?: Readonly<Record<string, FencerAssumption>>;
  /** How hosts are asked. Default: every 2,000 ms, and silent after 3,000 ms. `false`: they are not. */
  readonly probe?: { readonly intervalMs?: number; readonly timeoutMs?: number } | false;
  /** What is on record, in any order. Default: nothing. */
  readonly takeovers?: readonly TakeoverRecord[];
  /** What lies beside the records and can't be used. Default: nothing. */
  readonly setAside?: readonly UnreadableRecord[];
  /** Why everything is paused. Absent: it isn't. */
  readonly paused?: string | undefined;
  /** Absent: somebody leads, whichever nodes die. */
  readonly leader?: SimulatedLeader | undefined;
  /** Names of the nodes that die, all at the same moment. */
  readonly kill: readonly string[];
  /** How they die. Default `crash`. */
  readonly how?: WayToDie;
  /** How long after a takeover asks for it a human confirms the death. Absent: nobody does. */
  readonly confirmAfterMs?: number | undefined;
  /** How long it goes on at most. Default 1,800,000 ms. It ends before when nothing more can change by time. */
  readonly forMs?: number;
}

/** What `simulateDeaths` found. */
export interface SimulatedDeaths {
  /** In the order in which it would happen. What went on before the nodes were killed is not in it. */
  readonly timeline: readonly SimulatedMoment[];
  /** The killed nodes, and others that were not well before. */
  readonly nodes: readonly SimulatedNode[];
  /** Why nothing may be decided, in the end; empty: it may. */
  readonly blind: readonly string[];
  /**
   * How many of the deaths a human would have to confirm so that it can be seen again, though they stay silent. Absent: it
   * can be seen, or no such word would help.
   */
  readonly confirmationsToSee?: number;
  /** When the last thing happened, in milliseconds after the nodes were killed. */
  readonly lastAt: number;
  /** `settled`: nothing more changes by time alone. `time`: it was looked at for no longer. */
  readonly ended: 'settled' | 'time';
}
