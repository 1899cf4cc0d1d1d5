// The world as one replica knows it. Pure: a world, a fact and a time go in; another world comes out, and what it asks to have
// done. Nothing here reads a clock, waits, or throws on what a cluster says, so that the same facts always come to the same.
import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { withoutFirst } from './evidence/agenda.ts';
import { takeoverNumberOf } from './evidence/death-id.ts';
import type { NodeFact } from './evidence/fact.ts';
import type { KnownNode } from './evidence/known-node.ts';
import {
  arrange,
  forgetOldDeaths,
  isSeenInTime,
  judge,
  keepAppointment,
  note,
  regainSight,
} from './evidence/ledger.ts';
import { type Ledger, zoneLabel } from './evidence/ledger-state.ts';
import { lookAround, type SightRules, silentAfterMs } from './evidence/sight.ts';
import { checkKey, nodeInKey } from './fencing/check-key.ts';
import type { Policy } from './policy/policy.ts';
import { judgeOf, pastOf } from './takeover/node-past.ts';
import { isProvenDeath, occupiesNode, type TakeoverRecord } from './takeover/record.ts';
import { noRecords, recordsOfNode, withoutRecord, withRecord } from './takeover/records/records.ts';
import { plan } from './world-plan.ts';
import {
  deathsCountForMs,
  type Fact,
  type Intent,
  policyFor,
  type Step,
  type TermKnowledge,
  type World,
} from './world-state.ts';

const forgetEveryMs = 60_000;

/** How long facts that came during a standstill may take to be read, as a share of it, and at most. */
const readingShare = 0.25;
const longestReadingMs = 2_000;

/**
 * Who stands still no longer than this misses one renewal of a node at most, which is no death yet. A process that has too little
 * of its machine is late each time, and must judge all the same.
 */
const briefStallMs = 5_000;

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
  const term = world.term && { ...world.term, fenceChecks: checksOfNodes(world.term.fenceChecks, ledger) };
  return { ...world, ledger, term, forgetsAt: now + forgetEveryMs };
}

/** Without those of Nodes that are gone: names come and go in a cluster that grows and shrinks. */
function checksOfNodes(
  checks: TermKnowledge['fenceChecks'],
  { nodes }: Ledger<Policy>,
): TermKnowledge['fenceChecks'] {
  return checks.filter((_, key) => nodes.has(nodeInKey(key)));
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
    decisions: new Map(),
    queue: [],
    fenceChecks: PersistentMap(),
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
    case 'fence-check': {
      const next = withTerm({ fenceChecks: withCheck(term.fenceChecks, fact, now) });
      // Thousands that are well are asked about all the time, and nothing is to be decided of them.
      return quietly({ ...next, stirred: world.stirred || world.ledger.unwell.has(fact.node) });
    }
    case 'record': {
      const { record } = fact.stored;
      const known = term.records.stored.get(record.id)?.record;
      const next = withTerm({
        records: withRecord(term.records, fact.stored),
        undone: withUndone(term.undone, record, now),
        // What undid a takeover says nothing of its death.
        ...(isProvenDeath(record) &&
          record.result !== 'undone' && { proven: term.proven.add(record.deathId) }),
      });
      const stirred = world.stirred || known === undefined || isAnotherToPlans(known, record);
      return rejudge({ ...next, stirred }, [record.node.name], now);
    }
    case 'record-gone': {
      const gone = term.records.stored.get(fact.id)?.record;
      if (gone === undefined) return quietly(world);
      const records = withoutRecord(term.records, fact.id);
      const undone = records.byDeath.has(gone.deathId) ? term.undone : term.undone.delete(gone.deathId);
      return rejudge(withTerm({ records, undone }), [gone.node.name], now);
    }
  }
}

function withCheck(
  checks: TermKnowledge['fenceChecks'],
  { node, uid, fencer, outcome, detail }: Extract<Fact, { kind: 'fence-check' }>,
  now: number,
): TermKnowledge['fenceChecks'] {
  const key = checkKey(node, fencer);
  const before = checks.get(key);
  const readyAt = outcome === 'ready' ? now : before?.uid === uid ? before.readyAt : undefined;
  return checks.set(key, { uid, outcome, detail, ...(readyAt !== undefined && { readyAt }) });
}

/** Whether two versions of a record differ in what plans go by. Mostly a takeover has only come a step further. */
function isAnotherToPlans(before: TakeoverRecord, after: TakeoverRecord): boolean {
  return (
    before.result !== after.result ||
    occupiesNode(before) !== occupiesNode(after) ||
    isProvenDeath(before) !== isProvenDeath(after) ||
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

function quietly(world: World): Step {
  return { world, intents: [] };
}
