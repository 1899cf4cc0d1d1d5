// What a world knows at one moment, as lines of a journal, and a world from such lines: a file that begins in the middle of a
// life can be replayed by itself. Pure, and lazy: of a large fleet the lines are made one after another, whenever it suits.
import { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import { KnownNode } from './evidence/known-node.ts';
import { remember } from './evidence/ledger.ts';
import type { JournalEntry, KnownJournalNode, KnownTerm, KnownWorld } from './journal-format.ts';
import type { Policy } from './policy/policy.ts';
import { step } from './world.ts';
import { newWorld, policyFor, type TermKnowledge, type World, type WorldRules } from './world-state.ts';

/** Since a world never changes, it may change for others while this is gone through. */
export function* journalSnapshot(world: World, at: number): Generator<JournalEntry> {
  yield { kind: 'known', at, world: knownWorld(world) };
  for (const known of world.ledger.nodes.values()) yield { kind: 'known-node', at, node: knownNode(known) };
  for (const stored of world.term?.records.stored.values() ?? []) yield { kind: 'known-record', at, stored };
  yield { kind: 'known-all', at };
}

function knownWorld(world: World): KnownWorld {
  const { watches, paused, blind, missedHeartbeats, heardMost, judgesFrom, forgetsAt, ledger, term } = world;
  const { leaseHeardAt, orphanLeases, deaths } = ledger;
  return {
    watches,
    ...(paused !== undefined && { paused }),
    blind,
    missedHeartbeats,
    heardMost,
    judgesFrom,
    forgetsAt,
    ...(leaseHeardAt !== undefined && { leaseHeardAt }),
    orphanLeases: orphanLeases.toObject(),
    deaths: [...deaths.values()],
    ...(term && { term: knownTerm(term) }),
  };
}

function knownTerm(term: TermKnowledge): KnownTerm {
  const { epoch, since, renewalSeenAt, unread, setAside, queue } = term;
  return {
    epoch,
    since,
    ...(renewalSeenAt !== undefined && { renewalSeenAt }),
    unread,
    setAside,
    work: term.work.toObject(),
    takenOverAt: term.takenOverAt.toObject(),
    proven: [...term.proven],
    undone: term.undone.toObject(),
    queue,
    ...(term.fenceChecks.size > 0 && { fenceChecks: term.fenceChecks.toObject() }),
  };
}

function knownNode(known: KnownNode<Policy>): KnownJournalNode {
  const { node, state, hearing, health, maintenance, lease, hostHeard } = known;
  return {
    node,
    state,
    hearing,
    health,
    ...(maintenance && { maintenance }),
    ...(lease !== undefined && { lease }),
    hostHeard,
  };
}

/** Puts a world together from the lines of {@link journalSnapshot}. */
export class WorldRestorer {
  #world: World;
  readonly #known: KnownWorld;

  constructor(rules: WorldRules, since: number, known: KnownWorld) {
    const { watches, paused, blind, missedHeartbeats, heardMost, judgesFrom, forgetsAt, leaseHeardAt } =
      known;
    const world = newWorld(rules, since);
    this.#known = known;
    this.#world = {
      ...world,
      watches,
      paused,
      blind,
      missedHeartbeats,
      heardMost,
      judgesFrom,
      forgetsAt,
      ledger: { ...world.ledger, leaseHeardAt, orphanLeases: PersistentMap(known.orphanLeases) },
      term: undefined,
    };
  }

  node(known: KnownJournalNode, at: number): void {
    const { node, state, hearing, health, maintenance, lease, hostHeard } = known;
    const policy = policyFor(this.#world, node.metadata.labels ?? {});
    const fields = {
      node,
      // JSON leaves out what is undefined.
      state: { ...undefinedState, ...state },
      hearing: { ...undefinedHearing, ...hearing },
      policy,
      assessment: undefined,
      health,
      maintenance,
      lease,
      hostHeard,
      checkAt: Number.POSITIVE_INFINITY,
    };
    this.#world = { ...this.#world, ledger: remember(this.#world.ledger, new KnownNode<Policy>(fields), at) };
  }

  /** The world, with all records in it. */
  restored(records: Iterable<Extract<JournalEntry, { kind: 'known-record' }>['stored']>, at: number): World {
    const { deaths, term } = this.#known;
    // After the nodes, each of which says anew of its death what is known here already.
    const ledger = { ...this.#world.ledger, deaths: PersistentMap(deaths.map((one) => [one.node, one])) };
    let world: World = { ...this.#world, ledger };
    if (term === undefined) return world;
    world = step(world, { kind: 'term', epoch: term.epoch }, at).world;
    for (const stored of records) world = step(world, { kind: 'record', stored }, at).world;
    const begun = world.term;
    if (begun === undefined) return world;
    return {
      ...world,
      term: {
        ...begun,
        since: term.since,
        renewalSeenAt: term.renewalSeenAt,
        unread: term.unread,
        setAside: term.setAside,
        work: PersistentMap(term.work),
        takenOverAt: PersistentMap(term.takenOverAt),
        proven: PersistentSet(term.proven),
        undone: PersistentMap(term.undone),
        queue: term.queue,
        fenceChecks: PersistentMap(term.fenceChecks ?? {}),
        decisions: new Map(),
      },
      stirred: true,
    };
  }
}

const undefinedState = {
  renewTime: undefined,
  unknownSince: undefined,
  lastProbe: undefined,
  proof: undefined,
  notReadyCount: undefined,
  countingSince: undefined,
  readySince: undefined,
};

const undefinedHearing = { heardAt: undefined, unknownSince: undefined };
