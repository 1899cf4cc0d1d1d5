// What a leader decides, from what it knows: one plan for all deaths, and what is to be told and done about it. Pure.
import type { KnownNode } from './evidence/known-node.ts';
import { type Ledger, zoneLabel } from './evidence/ledger-state.ts';
import { checkKey } from './fencing/check-key.ts';
import { fencersIn } from './fencing/ladder.ts';
import { builtInGuards, type Decision, holdReasons } from './policy/decision.ts';
import type { FenceCheckFacts, ZoneFacts } from './policy/guard.ts';
import { factsOf } from './policy/node-facts.ts';
import { type Candidate, makePlan } from './policy/plan.ts';
import type { Policy } from './policy/policy.ts';
import { newerRecordOf } from './takeover/records/newer-records.ts';
import { latestByNode, openTakeoverId } from './takeover/records/records.ts';
import { type UnprovenDeaths, unprovenDeaths } from './takeover/unproven-deaths.ts';
import { withoutNumbers } from './wording/numbers.ts';
import {
  deathsCountForMs,
  fleetFacts,
  type Intent,
  type Step,
  type TermKnowledge,
  type World,
} from './world-state.ts';

/** Guards of embedders may change their mind for reasons that nobody tells us of. */
const askGuardsEveryMs = 500;

/** Where all guards say when to ask them again, or wait for something that comes as a fact. */
const planEveryMs = 10_000;

/** Decides about every node that is dead, or would be if its host were not up. */
export function plan(world: World, term: TermKnowledge, now: number): Step {
  const { ledger, rules } = world;
  const down = [...ledger.unwell].flatMap((name) => {
    const node = ledger.nodes.get(name);
    return node === undefined || !isDown(node) ? [] : [node];
  });
  const due = down.filter(({ deathId }) => openTakeoverId(term.records, deathId) !== undefined);
  const deaths = deathsThatCount(world, term, now);
  const idle = due.filter(({ node }) => !term.work.has(node.metadata.name));
  // One that was taken over and kept is as dead as before.
  const dead = down.flatMap(({ node, health }) => (health === 'dead' ? [node.metadata.name] : []));
  const busy = new Set([...dead, ...term.work.keys()]);
  const made = makePlan({
    candidates: idle.flatMap((node) => candidateOf(world, term, node, deaths)),
    fleet: {
      ...fleetFacts(world, [...busy]),
      nodes: ledger.nodes.size + deaths.gone,
      unproven: deaths.newestFirst,
      running: term.work.count((state) => state === 'works'),
      hanging: hangingAmong(down, deaths),
      zones: zonesOf(ledger, busy),
    },
    queue: term.queue,
    guards: rules.guards,
    now,
  });
  const { decisions, changes } = decisionsOn(due, term.decisions, made.decisions);
  const intents: Intent[] = [...changes];
  if (deaths.passed.length > 0) intents.push({ kind: 'windows-passed', records: deaths.passed });
  let { takenOverAt, work } = term;
  for (const name of made.admissions) {
    const node = ledger.nodes.get(name);
    const decision = made.decisions.get(name);
    if (node === undefined || decision === undefined) continue;
    takenOverAt = takenOverAt.set(node.deathId, now);
    work = work.set(name, 'works');
    intents.push({ kind: 'take-over', node, decision });
  }
  const next: TermKnowledge = {
    ...term,
    takenOverAt,
    work,
    queue: made.queue,
    decisions,
    planAt: nextPlanAt(world, made.nextCheckAt, idle.length, now),
  };
  return { world: { ...world, term: next }, intents };
}

/** A hanging node is one too: the evidence guard holds it, and somebody has to be told why and what can be done. */
function isDown({ health, assessment }: KnownNode<Policy>): boolean {
  if (health === 'dead') return true;
  if (health !== 'suspect' || assessment?.hostUp !== true) return false;
  return assessment.silentSince !== undefined || assessment.hungSince !== undefined;
}

/** Those that have fallen silent though their hosts are up. Whoever counts as dead without proof already counts there. */
function hangingAmong(down: readonly KnownNode<Policy>[], { byNode }: UnprovenDeaths): ReadonlySet<string> {
  return new Set(
    down.flatMap(({ node: { metadata }, assessment }) => {
      const hangs = assessment?.hungSince !== undefined && assessment.evidence !== 'proven';
      return hangs && !byNode.has(metadata.name) ? [metadata.name] : [];
    }),
  );
}

function candidateOf(
  { ledger }: World,
  term: TermKnowledge,
  node: KnownNode<Policy>,
  deaths: UnprovenDeaths,
): readonly Candidate[] {
  const { policy, assessment, deathId } = node;
  const { name } = node.node.metadata;
  if (policy === undefined || assessment === undefined) return [];
  const deadSince = deaths.byNode.get(name)?.since;
  const undone = term.undone.get(deathId);
  const newerRecord = newerRecordOf(term.setAside, name, deathId);
  const seen = ledger.deaths.get(name);
  const fenceCheck = fenceCheckOf(term, node, policy);
  return [
    {
      facts: {
        ...factsOf(node),
        ...(deadSince !== undefined && { deadSince }),
        ...(undone && { undone }),
        ...(newerRecord !== undefined && { newerRecord }),
        ...(fenceCheck && { fenceCheck }),
      },
      assessment,
      policy,
      since: seen?.since ?? assessment.silentSince ?? 0,
      dead: node.health === 'dead',
    },
  ];
}

/** What the fencers of its ladder said that were asked about this very Node; undefined where the policy doesn't ask for that. */
function fenceCheckOf(
  { fenceChecks }: TermKnowledge,
  { node }: KnownNode<Policy>,
  { fencing }: Policy,
): FenceCheckFacts | undefined {
  if (fencing.maxCheckAgeMs === undefined) return undefined;
  const { name, uid } = node.metadata;
  const known = fencersIn(fencing).flatMap((fencer) => {
    const check = fenceChecks.get(checkKey(name, fencer));
    return check?.uid === uid ? [{ fencer, ...check }] : [];
  });
  const readyAts = known.flatMap(({ readyAt }) => (readyAt === undefined ? [] : [readyAt]));
  const against = known.filter(({ outcome }) => outcome !== 'ready');
  const words = against.map(({ fencer, detail }) => `${fencer}: ${detail}`).join('; ');
  return {
    ...(readyAts.length > 0 && { readyAt: Math.max(...readyAts) }),
    ...(words !== '' && { detail: words }),
  };
}

/** Those that nobody vouches for, and that count towards budgets at this moment. */
function deathsThatCount({ ledger, rules }: World, term: TermKnowledge, now: number): UnprovenDeaths {
  return unprovenDeaths({
    nodes: ledger.nodes,
    deaths: ledger.deaths,
    keepMs: deathsCountForMs(rules),
    watchedSince: ledger.watchedSince,
    records: latestByNode(term.records).values(),
    isProven: (deathId) => term.proven.has(deathId),
    takenOverAt: (deathId) => term.takenOverAt.get(deathId),
    now,
  });
}

function zonesOf({ zones, nodes }: Ledger<Policy>, dead: Iterable<string>): ReadonlyMap<string, ZoneFacts> {
  const counted = new Map<string, ZoneFacts>();
  for (const [zone, count] of zones) counted.set(zone, { nodes: count, dead: 0 });
  for (const name of dead) {
    const zone = nodes.get(name)?.node.metadata.labels?.[zoneLabel];
    const known = zone === undefined ? undefined : counted.get(zone);
    if (zone !== undefined && known !== undefined) counted.set(zone, { ...known, dead: known.dead + 1 });
  }
  return counted;
}

/** Decisions about those that one is due about, and which of them are others than before. */
function decisionsOn(
  due: readonly KnownNode<Policy>[],
  before: ReadonlyMap<string, Decision>,
  made: ReadonlyMap<string, Decision>,
): { readonly decisions: ReadonlyMap<string, Decision>; readonly changes: readonly Intent[] } {
  const changes: Intent[] = [];
  const decisions = new Map<string, Decision>();
  for (const node of due) {
    const { name } = node.node.metadata;
    const decision = made.get(name) ?? before.get(name);
    if (decision === undefined) continue;
    decisions.set(name, decision);
    if (isNews(before.get(name), decision)) changes.push({ kind: 'decided', node, decision });
  }
  return { decisions, changes };
}

/** Numbers that count up or down are none. */
function isNews(before: Decision | undefined, after: Decision): boolean {
  if (before === undefined || before.action !== after.action) return true;
  const [was, is] = [holdReasons(before), holdReasons(after)];
  return (
    was.length !== is.length ||
    was.some((reason, i) => reason !== is[i] && withoutNumbers(reason) !== withoutNumbers(is[i] ?? ''))
  );
}

function nextPlanAt({ rules }: World, asked: number | undefined, candidates: number, now: number): number {
  const builtIn = rules.guards.every((guard) => builtInGuards.includes(guard));
  const every = builtIn || candidates === 0 ? planEveryMs : askGuardsEveryMs;
  return Math.min(now + every, Math.max(asked ?? Infinity, now + 1));
}
