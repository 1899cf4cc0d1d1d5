// What a replica knows, as a value: facts make another one of it, and intents are what it asks to have done.
import type { Map as PersistentMap, Set as PersistentSet } from 'immutable';
import type { NodeFact } from './evidence/fact.ts';
import type { KnownNode } from './evidence/known-node.ts';
import type { HealthChange } from './evidence/ledger.ts';
import { type Ledger, newLedger } from './evidence/ledger-state.ts';
import type { SightRules } from './evidence/sight.ts';
import type { FenceCheck } from './fencing/fence-check.ts';
import type { Decision } from './policy/decision.ts';
import type { FleetFacts, Guard, UndoneTakeovers } from './policy/guard.ts';
import { selects } from './policy/node-selector.ts';
import { defaultBudget, type Policy } from './policy/policy.ts';
import type { StoredRecord, UnreadableRecord } from './takeover/cluster.ts';
import type { Records } from './takeover/records/records.ts';

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
  /** A fencer was asked whether it could fence a node, and what came of it. */
  | {
      readonly kind: 'fence-check';
      readonly node: string;
      readonly uid: string;
      readonly fencer: string;
      readonly outcome: FenceCheck['outcome'];
      readonly detail: string;
    }
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

/** What one fencer said of one node when it was last asked in this term. */
export interface KnownCheck {
  /** Of the Node that it was asked about. */
  readonly uid: string;
  /** See {@link FenceCheck.outcome}. */
  readonly outcome: FenceCheck['outcome'];
  /** See {@link FenceCheck.detail}. */
  readonly detail: string;
  /** Monotonic time at which it last said that it could; absent: never. */
  readonly readyAt?: number;
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
  readonly decisions: ReadonlyMap<string, Decision>;
  /** Names of nodes that only wait their turn, whoever has waited longest first. */
  readonly queue: readonly string[];
  /** What fencers said that were asked, by node and fencer. */
  readonly fenceChecks: PersistentMap<string, KnownCheck>;
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

/** The policy that counts for nodes with these labels. */
export function policyFor({ rules }: World, labels: Readonly<Record<string, string>>): Policy | undefined {
  return rules.policies.find(({ nodes }) => selects(nodes, labels));
}

/** For as long as any policy's budget may ask for a death. */
export function deathsCountForMs({ policies }: WorldRules): number {
  return Math.max(0, ...policies.map(({ budget }) => budget.windowMs ?? defaultBudget.windowMs));
}

/** What guards may know beyond a node, as it is at this moment. */
export function fleetFacts(world: World, dead: readonly string[]): FleetFacts {
  const { ledger, blind, paused } = world;
  return { nodes: ledger.nodes.size, dead, blind, paused };
}
