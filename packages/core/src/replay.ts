// Runs a journal through the world once more: what was decided and when, by the rules of the time or by others. Pure: the same
// lines come to the same, whoever asks and whenever.
import type { Evidence, Health } from './evidence/judgement.ts';
import { defaultSightRules, type SightRules } from './evidence/sight.ts';
import type { JournalEntry, JournalHead } from './journal-format.ts';
import { WorldRestorer } from './journal-snapshot.ts';
import { builtInGuards } from './policy/decision.ts';
import type { Guard } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import { ReplayedTakeovers } from './replayed-takeovers.ts';
import type { StoredRecord } from './takeover/cluster.ts';
import { step } from './world.ts';
import { type Fact, type Intent, newWorld, type World, type WorldRules } from './world-state.ts';

/** When something came about in a replay. */
export interface ReplayMoment {
  /** Monotonic milliseconds, on the clock of the replica that wrote the journal. */
  readonly at: number;
  /** The same by the wall clock of that replica as it was when the file was begun, ISO 8601. For people. */
  readonly time: string;
}

/** One thing that a replay came to. */
export type ReplayEvent = ReplayMoment &
  (
    | {
        /** A file begins. `continues`: where the one before it ended, so that nothing is missing. */
        readonly kind: 'begins';
        readonly identity: string;
        readonly program: string;
        readonly part: number;
        readonly continues: boolean;
        /** Guards that the replica asked and that this replay doesn't know. */
        readonly unknownGuards: readonly string[];
      }
    /** So many facts are missing. What was known after them is known again. */
    | { readonly kind: 'gap'; readonly facts: number }
    /** The replica stood still. */
    | { readonly kind: 'stalled'; readonly forMs: number }
    /** From here on it led, and decided. */
    | { readonly kind: 'term'; readonly epoch: number }
    | { readonly kind: 'term-over' }
    /** Why nothing could be decided; empty when it saw again. */
    | { readonly kind: 'sight'; readonly blind: readonly string[] }
    | {
        /** Where a node stands is another place than before. */
        readonly kind: 'health';
        readonly node: string;
        readonly uid: string;
        readonly from: Health;
        readonly to: Health;
        readonly evidence: Evidence;
        readonly reasons: readonly string[];
      }
    | {
        /** The policy's answer about a node is another one than before. */
        readonly kind: 'decision';
        readonly node: string;
        readonly uid: string;
        readonly deathId: string;
        readonly policy: string;
        readonly action: 'act' | 'hold';
        /** Every guard that holds, and why. */
        readonly holds: readonly { readonly guard: string; readonly reason: string }[];
      }
    | {
        /** A takeover would have been begun. */
        readonly kind: 'takeover';
        readonly node: string;
        readonly uid: string;
        readonly deathId: string;
        readonly policy: string;
      }
  );

/** Other rules than those of the journal. Each default: what the journal's head says. */
export interface ReplayRules {
  /** The first that selects a node counts for it. */
  readonly policies?: readonly Policy[];
  /** By what it would have known that it was blind. */
  readonly sight?: Partial<SightRules>;
  /** Beside the built-in ones. Default none: a journal has no code in it. */
  readonly guards?: readonly Guard[];
}

/** A replay's world as it is after all that was fed; undefined before the first head. Nobody's business outside of the core. */
export let worldOf: (replay: Replay) => World | undefined;

/**
 * One replay. With the rules of the journal it comes to exactly what the replica came to.
 *
 * With other rules, facts stay what they were, and two things are known only as far as they go. What nobody asked is not
 * there: a host that was not probed is not silent. And what the replica did is not what these rules would have done: a
 * takeover that it began counts only from when these rules would have begun one for the same death. Before that, and where
 * they never would, its record, its marks on the Node and its deletion of the Node are left out. One that they begin and it
 * did not takes no time, and lasts until the node is gone or back.
 */
export class Replay {
  readonly #rules: ReplayRules;
  readonly #others: boolean;
  #head: JournalHead | undefined;
  #world: World | undefined;
  /** While what was known is read: the world that comes of it, if it is needed. */
  #restoring: { readonly restorer: WorldRestorer; readonly records: StoredRecord[] } | undefined;
  /** What was known is not needed: it is known already. */
  #skips = false;
  #lost = false;
  #takeovers: ReplayedTakeovers | undefined;

  constructor(rules: ReplayRules = {}) {
    this.#rules = rules;
    this.#others = rules.policies !== undefined || rules.sight !== undefined;
  }

  static {
    worldOf = (replay) => replay.#world;
  }

  /** The next file, in the order in which they were written. */
  begin(head: JournalHead): readonly ReplayEvent[] {
    const before = this.#head;
    const continues =
      before !== undefined &&
      !this.#lost &&
      this.#world !== undefined &&
      before.identity === head.identity &&
      before.part + 1 === head.part;
    this.#head = head;
    if (!continues) {
      this.#world = head.part === 1 ? newWorld(this.#worldRules(head), head.since) : undefined;
      this.#takeovers = this.#others ? new ReplayedTakeovers(head) : undefined;
      this.#lost = false;
    }
    const known = new Set([...builtInGuards, ...(this.#rules.guards ?? [])].map((guard) => guard.name));
    const { identity, program, part } = head;
    const unknownGuards = head.guards.filter((guard) => !known.has(guard));
    return [{ ...this.#moment(head.at), kind: 'begins', identity, program, part, continues, unknownGuards }];
  }

  /** The next line. What it comes to, in order. */
  feed(entry: JournalEntry): readonly ReplayEvent[] {
    const { at } = entry;
    switch (entry.kind) {
      case 'gap':
        this.#lost = true;
        return [{ ...this.#moment(at), kind: 'gap', facts: entry.facts }];
      case 'known': {
        this.#skips = this.#world !== undefined && !this.#lost;
        const head = this.#head;
        if (this.#skips || head === undefined) return [];
        const restorer = new WorldRestorer(this.#worldRules(head), head.since, entry.world);
        this.#restoring = { restorer, records: [] };
        return [];
      }
      case 'known-node':
        this.#restoring?.restorer.node(entry.node, at);
        return [];
      case 'known-record':
        this.#restoring?.records.push(entry.stored);
        return [];
      case 'known-all':
        return this.#restored(at);
      case 'fact':
        return this.#fact(entry.fact, at);
    }
  }

  #restored(at: number): readonly ReplayEvent[] {
    if (this.#restoring === undefined) return [];
    const { restorer, records } = this.#restoring;
    this.#restoring = undefined;
    this.#lost = false;
    const world = restorer.restored(records, at);
    this.#world = world;
    this.#takeovers?.restored(world, records);
    const { term, blind } = world;
    return [
      ...(blind.length > 0 ? [{ ...this.#moment(at), kind: 'sight', blind } as const] : []),
      ...(term ? [{ ...this.#moment(at), kind: 'term', epoch: term.epoch } as const] : []),
    ];
  }

  #fact(fact: Fact, at: number): readonly ReplayEvent[] {
    if (this.#world === undefined) return [];
    const events: ReplayEvent[] = [...this.#ofItself(fact, at)];
    const facts = this.#takeovers === undefined ? [fact] : this.#takeovers.pass(fact, this.#world);
    for (const one of facts) events.push(...this.#step(one, at));
    return events;
  }

  #step(fact: Fact, at: number): readonly ReplayEvent[] {
    if (this.#world === undefined) return [];
    const { world, intents } = step(this.#world, fact, at);
    this.#world = world;
    const events: ReplayEvent[] = [];
    for (const intent of intents) {
      const event = this.#eventOf(intent, at);
      if (event !== undefined) events.push(event);
      const follows = this.#takeovers?.follow(intent, this.#world, this.#moment(at).time) ?? [];
      for (const one of follows) events.push(...this.#step(one, at));
    }
    return events;
  }

  #ofItself(fact: Fact, at: number): readonly ReplayEvent[] {
    const moment = this.#moment(at);
    if (fact.kind === 'stalled') return [{ ...moment, kind: 'stalled', forMs: fact.forMs }];
    if (fact.kind === 'term') return [{ ...moment, kind: 'term', epoch: fact.epoch }];
    if (fact.kind === 'term-over') return [{ ...moment, kind: 'term-over' }];
    return [];
  }

  #eventOf(intent: Intent, at: number): ReplayEvent | undefined {
    const moment = this.#moment(at);
    switch (intent.kind) {
      case 'sight':
        return { ...moment, kind: 'sight', blind: intent.blind };
      case 'health': {
        const { node, uid, from, to, assessment } = intent.change;
        const { evidence, reasons } = assessment;
        return { ...moment, kind: 'health', node, uid, from, to, evidence, reasons };
      }
      case 'decided': {
        const { action, verdicts } = intent.decision;
        const holds = verdicts.flatMap(({ guard, verdict }) =>
          verdict.outcome === 'hold' ? [{ guard, reason: verdict.reason }] : [],
        );
        return { ...moment, kind: 'decision', ...deathOf(intent), action, holds };
      }
      case 'take-over':
        return { ...moment, kind: 'takeover', ...deathOf(intent) };
      case 'windows-passed':
        return undefined;
    }
  }

  #moment(at: number): ReplayMoment {
    const head = this.#head;
    const wall = head === undefined ? 0 : Date.parse(head.wall) + (at - head.at);
    return { at, time: new Date(Math.round(wall)).toISOString() };
  }

  #worldRules(head: JournalHead): WorldRules {
    const { policies = head.policies, guards = [] } = this.#rules;
    const sight =
      this.#rules.sight === undefined ? head.sight : { ...defaultSightRules, ...this.#rules.sight };
    return { policies, guards: [...builtInGuards, ...guards], sight };
  }
}

function deathOf({ node }: Extract<Intent, { kind: 'decided' | 'take-over' }>): {
  readonly node: string;
  readonly uid: string;
  readonly deathId: string;
  readonly policy: string;
} {
  const { name, uid } = node.node.metadata;
  return { node: name, uid, deathId: node.deathId, policy: node.policy?.name ?? '' };
}
