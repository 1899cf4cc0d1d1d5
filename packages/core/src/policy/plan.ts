// The policy's answer for all deaths at once: whom to take over now and in which order, and for each of the others why not. Pure.
import type { Assessment } from '../evidence/judgement.ts';
import { type Decision, decide } from './decision.ts';
import type { FleetFacts, Guard, NodeFacts, UnprovenDeath } from './guard.ts';
import { mayBeSwitchedOff } from './guards/hung.ts';
import { queue as queueGuard } from './guards/queue.ts';
import type { Policy } from './policy.ts';

/** A node about which something has to be decided. */
export interface Candidate {
  readonly facts: NodeFacts;
  readonly assessment: Assessment;
  readonly policy: Policy;
  /** Monotonic time at which it was first known to be dead: who died first goes first. */
  readonly since: number;
  /**
   * Whether it is dead. One that only would be, were its host not up, is not admitted, unless its policy has such hosts switched off; but
   * everybody may read why.
   */
  readonly dead: boolean;
}

export interface PlanInput {
  /** In any order. Those that are being taken over already are not among them. */
  readonly candidates: readonly Candidate[];
  /** As it is before anything is admitted. */
  readonly fleet: Omit<FleetFacts, 'hanging'> & {
    readonly running: number;
    readonly unproven: readonly UnprovenDeath[];
    /** Names of nodes whose host is up and whose kubelet hangs; those that count as dead without proof left out. Absent: none. */
    readonly hanging?: ReadonlySet<string>;
  };
  /** Names of nodes that only waited their turn in the plan before, whoever has waited longest first. */
  readonly queue: readonly string[];
  readonly guards: readonly Guard[];
  /** Monotonic milliseconds. */
  readonly now: number;
}

export interface Plan {
  /** Names of nodes to be taken over now, in this order. */
  readonly admissions: readonly string[];
  /** By the name of each candidate. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Names of nodes that only wait their turn, whoever has waited longest first. */
  readonly queue: readonly string[];
  /** When another plan may come to something else by the passing of time alone; undefined when no guard says so. */
  readonly nextCheckAt: number | undefined;
}

/**
 * Asks every guard about every candidate. What is admitted counts at once, for those that come after it in the same plan. Its
 * cost is that of the candidates, whatever the size of the fleet; guards must not go through all of `unproven` themselves.
 */
export function makePlan({ candidates, fleet, queue, guards, now }: PlanInput): Plan {
  const decisions = new Map<string, Decision>();
  const admissions: string[] = [];
  const waiting: string[] = [];
  let { unproven } = fleet;
  const hanging = new Set(fleet.hanging);
  let nextCheckAt: number | undefined;
  for (const { facts, assessment, policy, dead } of inTurn(candidates, queue)) {
    const running = fleet.running + admissions.length;
    const others = hanging.size - Number(hanging.has(facts.name));
    const decision = decide(
      { node: facts, assessment, policy, fleet: { ...fleet, unproven, running, hanging: others }, now },
      guards,
    );
    decisions.set(facts.name, decision);
    nextCheckAt = earlier(nextCheckAt, decision.nextCheckAt);
    if (!dead && !mayBeSwitchedOff(assessment, policy)) continue;
    if (decision.action === 'act') {
      admissions.push(facts.name);
      if (assessment.evidence !== 'proven') unproven = withNewest(unproven, facts.name, now);
      hanging.delete(facts.name);
    } else if (onlyWaitsItsTurn(decision)) waiting.push(facts.name);
  }
  return { admissions, decisions, queue: waiting, nextCheckAt };
}

/** Those that wait their turn first, whoever has waited longest before the others; then who died first. */
function inTurn(candidates: readonly Candidate[], queue: readonly string[]): readonly Candidate[] {
  const turns = new Map(queue.map((name, turn) => [name, turn]));
  const turnOf = ({ facts }: Candidate): number => turns.get(facts.name) ?? turns.size;
  return candidates.toSorted(
    (a, b) =>
      turnOf(a) - turnOf(b) ||
      a.since - b.since ||
      (a.facts.name < b.facts.name ? -1 : Number(a.facts.name > b.facts.name)),
  );
}

function onlyWaitsItsTurn({ verdicts }: Decision): boolean {
  return verdicts.every(({ guard, verdict }) => (guard === queueGuard.name) === (verdict.outcome === 'hold'));
}

function withNewest(deaths: readonly UnprovenDeath[], node: string, since: number): readonly UnprovenDeath[] {
  return [{ node, since }, ...deaths.filter((death) => death.node !== node)];
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
