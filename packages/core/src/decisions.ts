// What a leader decides about dead nodes, look by look, and what it tells about that.

import type { DecisionChange } from './controller-events.ts';
import type { Fleet, FleetNode } from './evidence/fleet.ts';
import type { Assessment } from './evidence/judgement.ts';
import { confirmWays } from './marks/confirmed.ts';
import { type Decision, decide, holdReasons } from './policy/decision.ts';
import type { FleetFacts, Guard, NodeFacts, UndoneTakeovers, UnprovenDeath } from './policy/guard.ts';
import { budget } from './policy/guards/budget.ts';
import { evidence } from './policy/guards/evidence.ts';
import { queue } from './policy/guards/queue.ts';
import type { Policy } from './policy/policy.ts';
import type { NodeEvent } from './takeover/cluster.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import type { UnprovenDeaths } from './takeover/unproven-deaths.ts';
import { whatHelps } from './telling/what-helps.ts';
import type { Clock } from './time/clock.ts';
import { withoutNumbers } from './wording/numbers.ts';

export interface DecisionsOptions {
  readonly clock: Clock;
  readonly fleet: Pick<Fleet, 'nodes'>;
  readonly guards: readonly Guard[];
  /** Everything that guards may know beyond the node, as it is at this moment. */
  readonly fleetFacts: (dead: readonly string[]) => FleetFacts;
  /** Names of nodes on which a takeover works; one that only verifies does not. */
  readonly underWay: () => readonly string[];
  /** How many takeovers are at work, those that wait for a proof not counted. Default: as many as are under way. */
  readonly working?: () => number;
  /** Name of a record about this death of the node that a newer version wrote; undefined when there is none. */
  readonly newerRecordOf: (node: string, deathId: string) => string | undefined;
  /** Whether this death may still be taken over: it had no takeover yet, or only such as were undone. */
  readonly isOpen: (deathId: string) => boolean;
  /** The takeovers of this death that were undone, if any was. */
  readonly undone: (deathId: string) => UndoneTakeovers | undefined;
  /** The deaths that count towards budgets, as they are at this moment. */
  readonly unproven: () => UnprovenDeaths;
  readonly onDecision: (change: DecisionChange) => void;
  readonly publish: (event: NodeEvent) => void;
}

/** The policy's answer for one node; undefined when no policy speaks for it. */
export type DecideOn = (node: FleetNode, fleet: FleetFacts) => Decision | undefined;

/** Guards that can stop a takeover which has begun; the others were asked when it did. */
const brakes: ReadonlySet<string> = new Set(['blind', 'paused', 'maintenance', 'excluded', 'newer-record']);

export class Decisions {
  readonly #options: DecisionsOptions;
  readonly #told = new Map<string, string>();
  /** The last decision about each node that one is due about. */
  readonly #latest = new Map<string, Decision>();
  /** Names of nodes that only wait their turn, whoever has waited longest first. */
  #queue: readonly string[] = [];

  constructor(options: DecisionsOptions) {
    this.#options = options;
  }

  /** The last decision about each node that is dead, by name. */
  get latest(): ReadonlyMap<string, Decision> {
    return this.#latest;
  }

  /** What would hold a takeover of this node even if it died now: marks that people and other controllers put on it. */
  holdsOn(node: FleetNode): readonly string[] {
    return brakingReasons(
      this.decide(node, { ...this.#options.fleetFacts([]), blind: [], paused: undefined }),
    );
  }

  readonly decide: DecideOn = (node, fleet) => this.#decide(node, factsOf(node), fleet);

  #decide(node: FleetNode, facts: NodeFacts, fleet: FleetFacts): Decision | undefined {
    const { policy, assessment } = node;
    if (policy === undefined || assessment === undefined) return undefined;
    const now = this.#options.clock.now();
    const known = this.#withNewerRecord(facts, node.deathId);
    return decide({ node: known, assessment, policy, fleet, now }, this.#options.guards);
  }

  #withNewerRecord(facts: NodeFacts, deathId: string): NodeFacts {
    const newerRecord = this.#options.newerRecordOf(facts.name, deathId);
    return newerRecord === undefined ? facts : { ...facts, newerRecord };
  }

  /**
   * The same for a takeover whose Node is gone, by what is on record of it. Maintenance and other controllers' taints ended with the
   * Node: they were about taking it away, or about work on it, and it is gone.
   */
  decideOnRecord(
    { node, noted, evidence, reasons, deathId }: TakeoverRecord,
    policy: Policy,
    fleet: FleetFacts,
  ): Decision {
    const facts: NodeFacts = {
      name: node.name,
      uid: node.uid,
      labels: noted?.labels ?? {},
      annotations: noted?.annotations ?? {},
      taints: [],
    };
    const assessment: Assessment = {
      health: 'dead',
      evidence,
      reasons,
      hostUp: false,
      silentSince: undefined,
      nextCheckAt: undefined,
    };
    return decide(
      {
        node: this.#withNewerRecord(facts, deathId),
        assessment,
        policy,
        fleet,
        now: this.#options.clock.now(),
      },
      this.#options.guards,
    );
  }

  /**
   * Decides about every node that is dead, or would be if its host were not up, and tells what changed.
   *
   * @returns whom to take over now.
   */
  evaluate(): readonly { readonly node: FleetNode; readonly decision: Decision }[] {
    const { fleet, fleetFacts, underWay, isOpen } = this.#options;
    const running = new Set(underWay());
    const working = this.#options.working?.() ?? running.size;
    const candidates = [...fleet.nodes.values()].filter((node) => isCandidate(node) && isOpen(node.deathId));
    const dead = candidates.filter(({ health }) => health === 'dead').map(nameOf);
    // Known once for all of them: what costs something for each pair of dead nodes is not to be had in a great outage.
    const deaths = this.#options.unproven();
    const seen = fleetFacts([...new Set([...dead, ...running])]);
    const facts = { ...seen, nodes: seen.nodes + deaths.gone };
    let unproven = deaths.newestFirst;
    const admitted = [];
    const queued = [];
    for (const node of this.#inTurn(candidates)) {
      const name = nameOf(node);
      if (running.has(name)) continue;
      const runningThen = working + admitted.length;
      const decision = this.#decide(node, this.#factsOf(node, deaths), {
        ...facts,
        unproven,
        running: runningThen,
      });
      if (decision === undefined) continue;
      this.#latest.set(name, decision);
      this.#tell(node, decision);
      if (node.health !== 'dead') continue;
      if (decision.action === 'act') {
        admitted.push({ node, decision });
        // It counts from now on, for those that are decided on next in this very look.
        if (node.assessment?.evidence !== 'proven')
          unproven = withNewest(unproven, name, this.#options.clock.now());
      } else if (onlyWaitsItsTurn(decision)) queued.push(name);
    }
    this.#queue = queued;
    const due = new Set(candidates.map(nameOf));
    for (const name of this.#told.keys()) {
      if (due.has(name)) continue;
      this.#told.delete(name);
      this.#latest.delete(name);
    }
    return admitted;
  }

  /** Those that wait their turn first, whoever has waited longest before the others. */
  #inTurn(candidates: readonly FleetNode[]): readonly FleetNode[] {
    const turns = new Map(this.#queue.map((name, turn) => [name, turn]));
    const turnOf = (node: FleetNode): number => turns.get(nameOf(node)) ?? turns.size;
    return candidates.toSorted((a, b) => turnOf(a) - turnOf(b));
  }

  #factsOf(node: FleetNode, { byNode }: UnprovenDeaths): NodeFacts {
    const since = byNode.get(nameOf(node))?.since;
    const undone = this.#options.undone(node.deathId);
    return { ...factsOf(node), ...(since !== undefined && { deadSince: since }), ...(undone && { undone }) };
  }

  #tell(node: FleetNode, decision: Decision): void {
    const { name, uid } = node.node.metadata;
    const reasons = holdReasons(decision);
    const words = `${decision.action}: ${reasons.map(withoutNumbers).join('; ')}`;
    if (this.#told.get(name) === words) return;
    this.#told.set(name, words);
    this.#options.onDecision({ node: name, uid, deathId: node.deathId, decision });
    if (decision.action === 'hold') {
      const held = `not taken over: ${reasons.join('; ')}`;
      const message = wantsProof(decision)
        ? `${held}. ${whatHelps(node, confirmWays(name, node.deathId))}`
        : held;
      this.#options.publish({ type: 'Warning', reason: 'TakeoverHeld', message, node: { name, uid } });
    }
  }
}

/** What of a decision would stop a takeover that has begun. */
export function brakingReasons(decision: Decision | undefined): readonly string[] {
  const verdicts = (decision?.verdicts ?? []).filter(({ guard }) => brakes.has(guard));
  return verdicts.flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
  );
}

/** A hanging node is one too: the evidence guard holds it, and somebody has to be told why and what can be done. */
function isCandidate({ health, assessment }: FleetNode): boolean {
  if (health === 'dead') return true;
  return health === 'suspect' && assessment?.hostUp === true && assessment.silentSince !== undefined;
}

/** Whether a human who vouches for the death would change anything: a death that is proven needs no budget. */
function wantsProof({ verdicts }: Decision): boolean {
  return verdicts.some(
    ({ guard, verdict }) => (guard === evidence.name || guard === budget.name) && verdict.outcome === 'hold',
  );
}

function onlyWaitsItsTurn({ verdicts }: Decision): boolean {
  return verdicts.every(({ guard, verdict }) => (guard === queue.name) === (verdict.outcome === 'hold'));
}

function nameOf({ node }: FleetNode): string {
  return node.metadata.name;
}

function factsOf({ node, maintenance }: FleetNode): NodeFacts {
  const { name, uid, labels, annotations } = node.metadata;
  return {
    name,
    uid,
    labels: labels ?? {},
    annotations: annotations ?? {},
    taints: node.spec?.taints ?? [],
    ...(maintenance && { maintenance }),
  };
}

function withNewest(deaths: readonly UnprovenDeath[], node: string, since: number): readonly UnprovenDeath[] {
  return [{ node, since }, ...deaths.filter((death) => death.node !== node)];
}
