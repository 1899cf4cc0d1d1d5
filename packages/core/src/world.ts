// The world as one replica knows it. Pure: a world, a fact and a time go in; another world comes out, and what it asks to have
// done. Nothing here reads a clock, waits, or throws on what a cluster says, so that the same facts always come to the same.
import { OrderedMap, Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { withoutFirst } from './evidence/agenda.ts';
import { takeoverNumberOf } from './evidence/death-id.ts';
import type { NodeFact } from './evidence/fact.ts';
import type { KnownNode } from './evidence/known-node.ts';
import {
  arrange,
  forgetOldDeaths,
  type HealthChange,
  isSeenInTime,
  judge,
  keepAppointment,
  type Ledger,
  newLedger,
  note,
  regainSight,
  zoneLabel,
} from './evidence/ledger.ts';
import { lookAround, type SightRules, silentAfterMs } from './evidence/sight.ts';
import { builtInGuards, type Decision, holdReasons } from './policy/decision.ts';
import type { FleetFacts, Guard, UndoneTakeovers, ZoneFacts } from './policy/guard.ts';
import { factsOf } from './policy/node-facts.ts';
import { selects } from './policy/node-selector.ts';
import { type Candidate, makePlan } from './policy/plan.ts';
import { defaultBudget, type Policy } from './policy/policy.ts';
import type { StoredRecord, UnreadableRecord } from './takeover/cluster.ts';
import { judgeOf, pastOf } from './takeover/node-past.ts';
import { hasProof, occupiesNode, type TakeoverRecord } from './takeover/record.ts';
import { newerRecordOf } from './takeover/records/newer-records.ts';
import {
  latestByNode,
  noRecords,
  openTakeoverId,
  type Records,
  recordsOfNode,
  withoutRecord,
  withRecord,
} from './takeover/records/records.ts';
import { type UnprovenDeaths, unprovenDeaths } from './takeover/unproven-deaths.ts';
import { withoutNumbers } from './wording/numbers.ts';

/** One thing that became known. Times in it are monotonic, on our own clock. */
export type Fact =
  | NodeFact
  /** Whether every cache has been filled, and why one that was is not to be trusted, a sentence each. */
  | { readonly kind: 'watches'; readonly synced: boolean; readonly stale: readonly string[] }
  /** Why everything is paused; undefined when it isn't. */
  | { readonly kind: 'pause'; readonly paused: string | undefined }
  /** We ourselves stood still for so long: what others said meanwhile has not been read yet. */
  | { readonly kind: 'stalled'; readonly forMs: number }
  /** We lead. */
  | { readonly kind: 'term'; readonly epoch: number }
  | { readonly kind: 'term-over' }
  /** An own renewal of the election Lease has come back through our own watch; when it was sent. */
  | { readonly kind: 'echo'; readonly sentAt: number }
  /** What a leader has to know of earlier ones and has not read yet, a sentence each. */
  | { readonly kind: 'unread'; readonly what: readonly string[] }
  /** A record of a takeover as it is now. */
  | { readonly kind: 'record'; readonly stored: StoredRecord }
  | { readonly kind: 'record-gone'; readonly id: string }
  /** All that lies where records lie and can't be used. */
  | { readonly kind: 'set-aside'; readonly records: readonly UnreadableRecord[] }
  /** A takeover works on a node; waits for a proof, which leaves its place to others; or no longer does. */
  | { readonly kind: 'work'; readonly node: string; readonly state: 'works' | 'waits' | 'over' }
  /** Nothing happened, but time has passed: now it is said what all of it means. */
  | { readonly kind: 'wake' };

/** What a world asks to have done. */
export type Intent =
  | { readonly kind: 'health'; readonly change: HealthChange }
  | { readonly kind: 'sight'; readonly blind: readonly string[] }
  /** The policy's answer about a node is another one than before. */
  | { readonly kind: 'decided'; readonly node: KnownNode<Policy>; readonly decision: Decision }
  /** To be begun, in this order. */
  | { readonly kind: 'take-over'; readonly node: KnownNode<Policy>; readonly decision: Decision }
  /** Finished records whose death has counted for as long as any policy may ask. */
  | { readonly kind: 'windows-passed'; readonly records: readonly StoredRecord[] };

/** What an operator decided, and what doesn't change while a world lasts. */
export interface WorldRules {
  /** The first that selects a node counts for it. */
  readonly policies: readonly Policy[];
  /** All that are asked, in this order. */
  readonly guards: readonly Guard[];
  /** By what we know that we are blind. */
  readonly sight: SightRules;
}

/** What a leader knows. It begins with nothing in each term. */
export interface TermKnowledge {
  readonly epoch: number;
  /** When the term began. */
  readonly since: number;
  /** When the newest own renewal that came back was sent; undefined before the first. */
  readonly renewalSeenAt: number | undefined;
  readonly unread: readonly string[];
  readonly records: Records;
  readonly setAside: readonly UnreadableRecord[];
  /** By node, what works on it. */
  readonly work: PersistentMap<string, 'works' | 'waits'>;
  /** By death, when a takeover of it was opened in this term: there are no more of them than takeovers. */
  readonly takenOverAt: PersistentMap<string, number>;
  /** Deaths that somebody vouched for in a takeover of this term. */
  readonly proven: PersistentSet<string>;
  /** By death, how often its takeovers were undone, and since when we know of the last one. */
  readonly undone: PersistentMap<string, UndoneTakeovers>;
  /** The last decision about each node that one is due about. */
  readonly decisions: OrderedMap<string, Decision>;
  /** In which words each was told. */
  readonly told: PersistentMap<string, string>;
  /** Names of nodes that only wait their turn, whoever has waited longest first. */
  readonly queue: readonly string[];
  /** When to decide again though nothing happens. */
  readonly planAt: number;
}

/** Everything that a replica knows. A value: nothing in it changes. */
export interface World {
  readonly rules: WorldRules;
  readonly ledger: Ledger<Policy>;
  readonly watches: { readonly synced: boolean; readonly stale: readonly string[] };
  readonly paused: string | undefined;
  /** Why nothing may be decided; empty when we see. */
  readonly blind: readonly string[];
  /** Heartbeats may have been missed by us rather than by their nodes, since we last saw. */
  readonly missedHeartbeats: boolean;
  /** Half of all nodes or more were heard at some moment since we began to look. */
  readonly heardMost: boolean;
  /** Silence is not judged before: facts that came while we stood still have to be read first. */
  readonly judgesFrom: number;
  /** When we first stood still since silence was last judged; undefined when it was judged since. */
  readonly deferredSince: number | undefined;
  /** When old deaths are forgotten next. */
  readonly forgetsAt: number;
  /** What policies decide by has changed since they were last asked. */
  readonly stirred: boolean;
  /** Undefined while we don't lead. */
  readonly term: TermKnowledge | undefined;
}

export interface Step {
  readonly world: World;
  readonly intents: readonly Intent[];
}

/** Guards of embedders may change their mind for reasons that nobody tells us of. */
const askGuardsEveryMs = 500;

/** Where all guards say when to ask them again, or wait for something that comes as a fact. */
const planEveryMs = 10_000;

const forgetEveryMs = 60_000;

/** How long facts that came during a standstill may take to be read, as a share of it, and at most. */
const readingShare = 0.25;
const longestReadingMs = 2_000;

/**
 * Who stands still no longer than this misses one renewal of a node at most, which is no death yet. A process that has too little
 * of its machine is late each time, and must judge all the same.
 */
const briefStallMs = 5_000;

export function newWorld(rules: WorldRules, at: number): World {
  return {
    rules,
    ledger: newLedger(at),
    watches: { synced: false, stale: [] },
    paused: undefined,
    blind: ['just started'],
    missedHeartbeats: true,
    heardMost: false,
    judgesFrom: at,
    deferredSince: undefined,
    forgetsAt: at,
    stirred: false,
    term: undefined,
  };
}

/** The world after one more fact, and what follows from it. */
export function step(world: World, fact: Fact, now: number): Step {
  switch (fact.kind) {
    case 'node':
    case 'node-gone':
    case 'lease':
    case 'lease-gone':
    case 'probe':
      return stepNode(world, fact, now);
    case 'wake':
      return wake(world, now);
    case 'watches':
      return quietly({ ...world, watches: { synced: fact.synced, stale: fact.stale }, stirred: true });
    case 'pause':
      return quietly({ ...world, paused: fact.paused, stirred: true });
    case 'stalled':
      return quietly(defer(world, fact.forMs, now));
    case 'term':
      return quietly({ ...world, term: newTerm(fact.epoch, now), stirred: true });
    case 'term-over':
      return rejudge({ ...world, term: undefined }, world.ledger.unwell, now);
    default:
      return world.term === undefined ? quietly(world) : stepTerm(world, world.term, fact, now);
  }
}

/** When the world wants to be woken: at once, or at this monotonic time. */
export function nextWakeAt({ ledger, term, stirred, judgesFrom, blind }: World, now: number): number {
  if (stirred) return Math.max(now, judgesFrom);
  const planAt = term === undefined || blind.length > 0 ? Infinity : term.planAt;
  return Math.max(judgesFrom, Math.min(ledger.agenda?.at ?? Infinity, planAt));
}

/** The policy that counts for nodes with these labels. */
export function policyFor({ rules }: World, labels: Readonly<Record<string, string>>): Policy | undefined {
  return rules.policies.find(({ nodes }) => selects(nodes, labels));
}

/** For as long as any policy's budget may ask for a death. */
function deathsCountForMs({ policies }: WorldRules): number {
  return Math.max(0, ...policies.map(({ budget }) => budget.windowMs ?? defaultBudget.windowMs));
}

/** What guards may know beyond a node, as it is at this moment. */
export function fleetFacts(world: World, dead: readonly string[]): FleetFacts {
  const { ledger, blind, paused } = world;
  return { nodes: ledger.nodes.size, dead, blind, paused };
}

function stepNode(world: World, fact: NodeFact, now: number): Step {
  const name = fact.kind === 'node' ? fact.node.metadata.name : fact.name;
  const before = world.ledger.nodes.get(name);
  const ledger = note(world.ledger, fact, now, (labels) => policyFor(world, labels));
  const after = ledger.nodes.get(name);
  if (after === before) return quietly({ ...world, ledger });
  const next = {
    ...world,
    ledger,
    stirred: world.stirred || (isDeciding(world) && isStirring(before, after)),
  };
  // A heartbeat of a node that is well says that it still is.
  if (after === undefined || (fact.kind === 'lease' && isWell(after, world.rules.sight)))
    return quietly(next);
  return rejudge(next, [name], now);
}

/** What came while we stood still is read before silence is judged. */
function defer(world: World, forMs: number, now: number): World {
  const { judgesFrom, deferredSince = now } = world;
  if (forMs < briefStallMs && now - deferredSince >= longestReadingMs) return world;
  const reading = Math.min(longestReadingMs, forMs * readingShare);
  return { ...world, deferredSince, judgesFrom: Math.max(judgesFrom, now + reading) };
}

/** Only a leader decides, and only where there is something to decide. */
function isDeciding({ term, ledger }: World): boolean {
  return term !== undefined && (!ledger.unwell.isEmpty() || !term.records.stored.isEmpty());
}

/**
 * How many nodes there are, and where, decides; and the marks of one that is not well. Thousands that are well post their status
 * every few minutes, and with many dead each plan costs milliseconds.
 */
function isStirring(before: KnownNode<Policy> | undefined, after: KnownNode<Policy> | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  if (before.node === after.node) return false;
  const [was, is] = [before.node.metadata, after.node.metadata];
  const isMoved = was.uid !== is.uid || was.labels?.[zoneLabel] !== is.labels?.[zoneLabel];
  return isMoved || before.health !== 'alive' || after.health !== 'alive';
}

function isWell(known: KnownNode<Policy>, sight: SightRules): boolean {
  const { health, policy, assessment } = known;
  // Whose first Lease it is has no time yet at which to be looked at; and where a policy is patient, the one that was arranged
  // while the node was silent may be long after it is so again.
  if (!isSeenInTime(known, silentAfterMs(sight))) return false;
  return health === 'alive' && assessment !== undefined && policy?.detection.mode !== 'poll';
}

/** Says of these nodes where they stand; or, while facts of before are still to be read, notes that somebody has to. */
function rejudge(world: World, names: Iterable<string>, now: number): Step {
  if (now < world.judgesFrom) {
    let { ledger } = world;
    for (const name of names) ledger = arrange(ledger, name, world.judgesFrom);
    return quietly({ ...world, ledger });
  }
  const intents: Intent[] = [];
  let { ledger, stirred } = world;
  const blind = world.blind.length > 0;
  const silentAfter = silentAfterMs(world.rules.sight);
  for (const name of names) {
    const returning = isReturning(world, name);
    const judged = judge(ledger, name, now, { blind, returning, silentAfterMs: silentAfter });
    ledger = judged.ledger;
    stirred ||= judged.stirred;
    if (judged.change !== undefined) intents.push({ kind: 'health', change: judged.change });
  }
  return { world: { ...world, ledger, stirred }, intents };
}

/** It was taken over, and has not been taken in again. Known to the leader alone, from its records. */
function isReturning({ term }: World, name: string): boolean {
  if (term === undefined || !term.records.byNode.has(name)) return false;
  return judgeOf(pastOf(recordsOfNode(term.records, name))) !== undefined;
}

function wake(world: World, now: number): Step {
  if (now < world.judgesFrom) return quietly(world);
  const due = keepAppointments({ ...world, deferredSince: undefined }, now);
  const looked = look(due.world, now);
  const judged = rejudge(
    looked.world,
    looked.changed ? new Set([...due.names, ...looked.world.ledger.unwell]) : due.names,
    now,
  );
  const remembered = forgetNowAndThen(judged.world, now);
  const intents: Intent[] = [...judged.intents];
  if (looked.world.blind.join() !== world.blind.join())
    intents.push({ kind: 'sight', blind: looked.world.blind });
  const { term, blind, stirred } = remembered;
  if (term === undefined || blind.length > 0) return { world: { ...remembered, stirred: false }, intents };
  if (!stirred && now < term.planAt) return { world: remembered, intents };
  const planned = plan(remembered, term, now);
  return { world: { ...planned.world, stirred: false }, intents: [...intents, ...planned.intents] };
}

/** Deaths that no budget asks for any more take nothing but room. */
function forgetNowAndThen(world: World, now: number): World {
  if (now < world.forgetsAt) return world;
  const ledger = forgetOldDeaths(world.ledger, deathsCountForMs(world.rules), now);
  return { ...world, ledger, forgetsAt: now + forgetEveryMs };
}

/** Those whose time has come. */
function keepAppointments(
  world: World,
  now: number,
): { readonly world: World; readonly names: readonly string[] } {
  const names: string[] = [];
  const silentAfter = silentAfterMs(world.rules.sight);
  let { ledger } = world;
  for (let first = ledger.agenda; first !== undefined && first.at <= now; first = ledger.agenda) {
    const { at, name } = first;
    ledger = { ...ledger, agenda: withoutFirst(ledger.agenda) };
    // Another time may have been arranged since.
    if (ledger.nodes.get(name)?.checkAt !== at) continue;
    ledger = keepAppointment(ledger, name, now, silentAfter);
    names.push(name);
  }
  return { world: { ...world, ledger }, names };
}

function look(world: World, now: number): { readonly world: World; readonly changed: boolean } {
  const { ledger, watches, term, rules } = world;
  const sight = lookAround(
    {
      ...watches,
      leading: term,
      heard: ledger.heard,
      silences: silencesIn(ledger),
      unheard: [...ledger.unheard.values()],
      heardMost: world.heardMost,
      leaseHeardAt: ledger.leaseHeardAt,
    },
    now,
    rules.sight,
  );
  const sees = sight.blind.length === 0;
  const missed = world.missedHeartbeats || sight.missedHeartbeats;
  const changed = sees !== (world.blind.length === 0);
  return {
    changed,
    world: {
      ...world,
      ledger: sees && missed ? regainSight(ledger, now) : ledger,
      blind: sight.blind,
      heardMost: sight.heardMost,
      missedHeartbeats: missed && !sees,
      stirred: world.stirred || changed,
    },
  };
}

const sortedSilences = new WeakMap<Ledger<Policy>['silent'], readonly number[]>();

/** The same for the same set, which is most often the one of the wake before: in a great outage there are thousands. */
function silencesIn({ silent }: Ledger<Policy>): readonly number[] {
  const known = sortedSilences.get(silent);
  if (known !== undefined) return known;
  const sorted = [...silent.values()].toSorted((a, b) => a - b);
  sortedSilences.set(silent, sorted);
  return sorted;
}

function newTerm(epoch: number, now: number): TermKnowledge {
  return {
    epoch,
    since: now,
    renewalSeenAt: undefined,
    unread: [],
    records: noRecords,
    setAside: [],
    work: PersistentMap(),
    takenOverAt: PersistentMap(),
    proven: PersistentSet(),
    undone: PersistentMap(),
    decisions: OrderedMap(),
    told: PersistentMap(),
    queue: [],
    planAt: now,
  };
}

/** Facts that only a leader makes anything of. */
type TermFact = Exclude<
  Fact,
  NodeFact | { readonly kind: 'wake' | 'watches' | 'pause' | 'stalled' | 'term' | 'term-over' }
>;

function stepTerm(world: World, term: TermKnowledge, fact: TermFact, now: number): Step {
  const withTerm = (change: Partial<TermKnowledge>): World => ({
    ...world,
    term: { ...term, ...change },
    stirred: true,
  });
  switch (fact.kind) {
    case 'echo':
      return quietly({
        ...withTerm({ renewalSeenAt: fact.sentAt }),
        stirred: world.stirred || term.renewalSeenAt === undefined,
      });
    case 'unread':
      return quietly(withTerm({ unread: fact.what }));
    case 'set-aside':
      return quietly(withTerm({ setAside: fact.records }));
    case 'work':
      // What was just admitted is known to be worked on.
      if (term.work.get(fact.node) === fact.state) return quietly(world);
      return quietly(
        withTerm({
          work: fact.state === 'over' ? term.work.delete(fact.node) : term.work.set(fact.node, fact.state),
        }),
      );
    case 'record': {
      const { record } = fact.stored;
      const known = term.records.stored.get(record.id)?.record;
      const next = withTerm({
        records: withRecord(term.records, fact.stored),
        undone: withUndone(term.undone, record, now),
        ...(hasProof(record) && { proven: term.proven.add(record.deathId) }),
      });
      const stirred = world.stirred || known === undefined || isAnotherToPlans(known, record);
      return rejudge({ ...next, stirred }, [record.node.name], now);
    }
    case 'record-gone': {
      const node = term.records.stored.get(fact.id)?.record.node.name;
      const next = withTerm({ records: withoutRecord(term.records, fact.id) });
      return node === undefined ? quietly(next) : rejudge(next, [node], now);
    }
  }
}

/** Whether two versions of a record differ in what plans go by. Mostly a takeover has only come a step further. */
function isAnotherToPlans(before: TakeoverRecord, after: TakeoverRecord): boolean {
  return (
    before.result !== after.result ||
    occupiesNode(before) !== occupiesNode(after) ||
    hasProof(before) !== hasProof(after) ||
    before.windowPassed !== after.windowPassed ||
    before.return?.welcomed !== after.return?.welcomed ||
    before.lastHeartbeat !== after.lastHeartbeat ||
    before.deathId !== after.deathId ||
    before.node.name !== after.node.name
  );
}

/** A new leader counts from when it first knows: how often is on record, and when is nobody else's clock to say. */
function withUndone(
  undone: TermKnowledge['undone'],
  record: TakeoverRecord,
  now: number,
): TermKnowledge['undone'] {
  if (record.result !== 'undone') return undone;
  const count = takeoverNumberOf(record);
  const known = undone.get(record.deathId)?.count ?? 0;
  return count > known ? undone.set(record.deathId, { count, since: now }) : undone;
}

/** Decides about every node that is dead, or would be if its host were not up. */
function plan(world: World, term: TermKnowledge, now: number): Step {
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
      zones: zonesOf(ledger, busy),
    },
    queue: term.queue,
    guards: rules.guards,
    now,
  });
  const told = tellDecisions(term, idle, made.decisions);
  const intents: Intent[] = [...told.intents];
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
  const stillDue = new Set(due.map(({ node }) => node.metadata.name));
  const next: TermKnowledge = {
    ...term,
    takenOverAt,
    work,
    queue: made.queue,
    decisions: told.decisions.filter((_, name) => stillDue.has(name)),
    told: told.told.filter((_, name) => stillDue.has(name)),
    planAt: nextPlanAt(world, made.nextCheckAt, idle.length, now),
  };
  return { world: { ...world, term: next }, intents };
}

/** A hanging node is one too: the evidence guard holds it, and somebody has to be told why and what can be done. */
function isDown({ health, assessment }: KnownNode<Policy>): boolean {
  if (health === 'dead') return true;
  return health === 'suspect' && assessment?.hostUp === true && assessment.silentSince !== undefined;
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
  return [
    {
      facts: {
        ...factsOf(node),
        ...(deadSince !== undefined && { deadSince }),
        ...(undone && { undone }),
        ...(newerRecord !== undefined && { newerRecord }),
      },
      assessment,
      policy,
      since: seen?.since ?? assessment.silentSince ?? 0,
      dead: node.health === 'dead',
    },
  ];
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

/** What is another decision than before, numbers that count up or down left aside. */
function tellDecisions(
  term: TermKnowledge,
  nodes: readonly KnownNode<Policy>[],
  made: ReadonlyMap<string, Decision>,
): Pick<TermKnowledge, 'decisions' | 'told'> & { readonly intents: readonly Intent[] } {
  const intents: Intent[] = [];
  const decisions = term.decisions.asMutable();
  const told = term.told.asMutable();
  for (const node of nodes) {
    const { name } = node.node.metadata;
    const decision = made.get(name);
    if (decision === undefined) continue;
    decisions.set(name, decision);
    const words = `${decision.action}: ${holdReasons(decision).map(withoutNumbers).join('; ')}`;
    if (told.get(name) === words) continue;
    told.set(name, words);
    intents.push({ kind: 'decided', node, decision });
  }
  return { decisions: decisions.asImmutable(), told: told.asImmutable(), intents };
}

function nextPlanAt({ rules }: World, asked: number | undefined, candidates: number, now: number): number {
  const builtIn = rules.guards.every((guard) => builtInGuards.includes(guard));
  const every = builtIn || candidates === 0 ? planEveryMs : askGuardsEveryMs;
  return Math.min(now + every, Math.max(asked ?? Infinity, now + 1));
}

function quietly(world: World): Step {
  return { world, intents: [] };
}
