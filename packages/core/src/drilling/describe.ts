// Sums up for the status document what fencers said: it stays small whatever the size of the fleet. Pure.
import type { Fencer } from '../fencing/fencer.ts';
import { fencersIn } from '../fencing/ladder.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { Policy } from '../policy/policy.ts';
import type { DrillStatus, NodeCheck, PolicyDrill, RungStatus } from '../telling/drill-status.ts';
import { canBeDrilled, type DrillRules } from './drill-rules.ts';
import type { CheckResult, CheckResults } from './results.ts';

/** So many nodes are named; a person looks at no more, and the document has an end. */
const namedNodes = 50;

/** A round may take longer than it should by this much before somebody is told. */
const lateAfterRounds = 2;

const keptDetail = 256;

export interface DrillKnowledge {
  readonly rules: DrillRules;
  readonly fencers: ReadonlyMap<string, Fencer>;
  readonly results: Pick<CheckResults, 'get'>;
  /** Monotonic time at which the leader began. */
  readonly since: number;
  readonly now: number;
  readonly wallTime: number;
}

interface Tally {
  nodes: number;
  readonly ladder: (RungStatus & { ready: number; notReady: number; waiting: number })[];
}

export function describeDrill(nodes: Iterable<FleetNode>, known: DrillKnowledge): DrillStatus {
  const { rules, results, since, now, wallTime } = known;
  const iso = (at: number): string => new Date(wallTime - (now - at)).toISOString();
  const tallies = new Map<string, Tally>();
  const named: NodeCheck[] = [];
  let all = 0;
  for (const { node, policy } of nodes) {
    if (policy === undefined) continue;
    const tally = tallyOf(tallies, policy, known);
    tally.nodes += 1;
    const { name, uid } = node.metadata;
    for (const rung of tally.ladder) {
      if (rung.unchecked === true) continue;
      const found = results.get(name, rung.fencer);
      const result = found?.uid === uid ? found : undefined;
      count(rung, result);
      if (result === undefined || !needsAttention(result, rules, now)) continue;
      all += 1;
      if (named.length < namedNodes) named.push(describeNode(result, policy.name, iso));
    }
  }
  const policies = [...tallies].map(([policy, tally]): PolicyDrill => ({ policy, ...tally }));
  return {
    everyMs: rules.everyMs,
    since: iso(since),
    policies,
    attention: named,
    more: all - named.length,
  };
}

function tallyOf(tallies: Map<string, Tally>, policy: Policy, { fencers }: DrillKnowledge): Tally {
  const known = tallies.get(policy.name);
  if (known !== undefined) return known;
  const tally: Tally = {
    nodes: 0,
    ladder: fencersIn(policy.fencing).map((name) => {
      const fencer = fencers.get(name);
      const unchecked = fencer === undefined || !canBeDrilled(fencer);
      return { fencer: name, ...(unchecked && { unchecked: true }), ready: 0, notReady: 0, waiting: 0 };
    }),
  };
  tallies.set(policy.name, tally);
  return tally;
}

function count(rung: Tally['ladder'][number], result: CheckResult | undefined): void {
  if (result === undefined) rung.waiting += 1;
  else if (result.check.outcome !== 'ready') rung.notReady += 1;
  else rung.ready += 1;
}

function needsAttention({ check, at }: CheckResult, { everyMs }: DrillRules, now: number): boolean {
  return check.outcome !== 'ready' || now - at > everyMs * lateAfterRounds;
}

function describeNode(
  { node, fencer, check, at, readyAt }: CheckResult,
  policy: string,
  iso: (at: number) => string,
): NodeCheck {
  const { outcome, machine, power, mayAct, detail } = check;
  return {
    node,
    policy,
    fencer,
    ...(outcome !== 'ready' && {
      problem: { machine, power, mayAct, detail: detail.slice(0, keptDetail) },
    }),
    checkedAt: iso(at),
    ...(readyAt !== undefined && { readyAt: iso(readyAt) }),
  };
}
