// What is published of the checks of fencers: sums for each policy, and those nodes by name that somebody has to look after.
import type { FenceCheck } from '../fencing/fence-check.ts';

/** One rung of a policy's ladder, over all nodes that the policy selects. */
export interface RungStatus {
  /** The fencer's name. */
  readonly fencer: string;
  /** It can't be checked: a human, or a driver without a check. Then all counts are 0. */
  readonly unchecked?: true;
  /** For how many nodes it said, when it was last asked, that it could fence them. */
  readonly ready: number;
  /** For how many it did not. */
  readonly notReady: number;
  /** About how many it was not asked yet by this leader. */
  readonly waiting: number;
}

/** One policy and the ladder of its fencers. */
export interface PolicyDrill {
  /** The policy's name. */
  readonly policy: string;
  /** How many nodes it selects. */
  readonly nodes: number;
  /** In the order in which they are asked. */
  readonly ladder: readonly RungStatus[];
}

/** What one fencer said of one node. */
export interface NodeCheck {
  /** The Node's name. */
  readonly node: string;
  /** Name of the policy that counts for it. */
  readonly policy: string;
  /** The fencer's name. */
  readonly fencer: string;
  /** What it said; absent: its answer is only old. */
  readonly problem?: Pick<FenceCheck, 'machine' | 'power' | 'mayAct' | 'detail'>;
  /** When it was last asked, ISO 8601, wall clock of the leader. */
  readonly checkedAt: string;
  /** When it last said that it could; absent: not since this leader began. */
  readonly readyAt?: string;
}

/** All of it, as far as this leader knows. */
export interface DrillStatus {
  /** How often each fencer is asked about each node, in milliseconds. */
  readonly everyMs: number;
  /** Since when, ISO 8601: a leader begins anew. */
  readonly since: string;
  /** Of each policy that selects a node. */
  readonly policies: readonly PolicyDrill[];
  /** Those that are not ready, or whose last success is older than it should be. At most fifty. */
  readonly attention: readonly NodeCheck[];
  /** How many more of these there are. */
  readonly more: number;
}

/** What of it is news: not that time has gone by. */
export function drillNews({ policies, attention, more }: DrillStatus): unknown {
  return [policies, more, attention.map(({ node, fencer, problem }) => [node, fencer, problem?.detail])];
}
