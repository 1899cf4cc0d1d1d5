// Facts as lines of a journal: what a line holds, and how it is written. Pure.
import type { SeenDeath } from './evidence/deaths.ts';
import type { Hearing } from './evidence/hearing.ts';
import type { Health, NodeState } from './evidence/judgement.ts';
import type { MaintenanceSight } from './evidence/maintenance-sight.ts';
import type { SightRules } from './evidence/sight.ts';
import { cutNode, cutRecord } from './journal-cut.ts';
import type { Node } from './kubernetes/objects.ts';
import type { UndoneTakeovers } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import type { StoredRecord, UnreadableRecord } from './takeover/cluster.ts';
import type { Fact, KnownCheck } from './world-state.ts';

/** The version of the format that is written and read here. */
export const journalVersion = 1;

/** The first line of every file. */
export interface JournalHead {
  /** Tells a journal from other files. */
  readonly liberator: 'journal';
  /** Of this format. A reader that knows no such version must not guess. */
  readonly version: typeof journalVersion;
  /** The version of the program that wrote it. */
  readonly program: string;
  /** Of the replica: unique among all lives of all of them. */
  readonly identity: string;
  /** From 1 on, which file of this life it is. */
  readonly part: number;
  /** Monotonic milliseconds at which this file begins, on the clock of all times in it. */
  readonly at: number;
  /** The same moment by the wall clock, ISO 8601. For people: nothing is decided by it. */
  readonly wall: string;
  /** Since when this replica had watched. */
  readonly since: number;
  /** The replica only observed. */
  readonly mode: 'act' | 'observe';
  /** What it decided by. */
  readonly policies: readonly Policy[];
  /** By what it knew that it was blind. */
  readonly sight: SightRules;
  /** Names of all guards that it asked, in this order. A journal has no code in it: those of an embedder can't be asked again. */
  readonly guards: readonly string[];
}

/** What was known of everything but single nodes and records when a file began. */
export interface KnownWorld {
  /** Whether every cache had been filled, and why one that was is not to be trusted. */
  readonly watches: { readonly synced: boolean; readonly stale: readonly string[] };
  /** Why everything was paused; absent: it was not. */
  readonly paused?: string;
  /** Why nothing might be decided; empty: it saw. */
  readonly blind: readonly string[];
  /** Heartbeats may have been missed by the replica rather than by their nodes. */
  readonly missedHeartbeats: boolean;
  /** Half of all nodes or more had been heard at some moment. */
  readonly heardMost: boolean;
  /** Monotonic milliseconds before which no silence was to be judged. */
  readonly judgesFrom: number;
  /** Monotonic milliseconds at which old deaths were to be forgotten. */
  readonly forgetsAt: number;
  /** When any node’s Lease had last been heard; absent: never. */
  readonly leaseHeardAt?: number;
  /** Leases without a Node: name and `renewTime`. */
  readonly orphanLeases: Readonly<Record<string, string>>;
  /** Who had died, and when. */
  readonly deaths: readonly SeenDeath[];
  /** Absent: it did not lead. */
  readonly term?: KnownTerm;
}

/** What was known of the term. */
export interface KnownTerm {
  /** Of the term. */
  readonly epoch: number;
  /** When it began. */
  readonly since: number;
  /** When the newest own renewal that had come back was sent; absent: none had. */
  readonly renewalSeenAt?: number;
  /** What of earlier leaders had not been read yet, a sentence each. */
  readonly unread: readonly string[];
  /** Records that could not be used. */
  readonly setAside: readonly UnreadableRecord[];
  /** By node, what worked on it. */
  readonly work: Readonly<Record<string, 'works' | 'waits'>>;
  /** By death, when a takeover of it was opened in this term. */
  readonly takenOverAt: Readonly<Record<string, number>>;
  /** Deaths that somebody had vouched for in a takeover. */
  readonly proven: readonly string[];
  /** By death, how often its takeovers had been undone. */
  readonly undone: Readonly<Record<string, UndoneTakeovers>>;
  /** Names of nodes that only waited their turn, whoever had waited longest first. */
  readonly queue: readonly string[];
  /** What fencers had said, by node and fencer with a blank between. Absent in journals of older versions, and where none was asked. */
  readonly fenceChecks?: Readonly<Record<string, KnownCheck>>;
}

/** What was known of one node. */
export interface KnownJournalNode {
  /** The Node, cut down to what is used. */
  readonly node: Node;
  /** What was remembered about it. */
  readonly state: NodeState;
  /** What had been heard of it. */
  readonly hearing: Hearing;
  /** Where it stood. */
  readonly health: Health;
  /** Somebody’s work on it; absent: there was none. */
  readonly maintenance?: MaintenanceSight;
  /** The `renewTime` of its Lease; absent: it had none. */
  readonly lease?: string;
  /** Whether a probe had ever heard its host. */
  readonly hostHeard: boolean;
}

/** One line after the head. */
export type JournalEntry =
  | { readonly kind: 'fact'; readonly at: number; readonly fact: Fact }
  /** So many facts could not be written. What is known follows anew. */
  | { readonly kind: 'gap'; readonly at: number; readonly facts: number }
  /** Here begins what was known at this moment: until `known-all`, no line is a fact that came in. */
  | { readonly kind: 'known'; readonly at: number; readonly world: KnownWorld }
  | { readonly kind: 'known-node'; readonly at: number; readonly node: KnownJournalNode }
  | { readonly kind: 'known-record'; readonly at: number; readonly stored: StoredRecord }
  | { readonly kind: 'known-all'; readonly at: number };

/** The head as a line, without its end. */
export function journalHeadLine(head: JournalHead): string {
  return JSON.stringify(head);
}

/** A line without its end. Renewals are nearly all there is, so they are short. */
export function journalLine(entry: JournalEntry): string {
  return JSON.stringify([entry.at, ...partsOf(entry)]);
}

function partsOf(entry: JournalEntry): readonly unknown[] {
  switch (entry.kind) {
    case 'fact':
      return partsOfFact(entry.fact);
    case 'gap':
      return ['gap', entry.facts];
    case 'known':
      return ['known', entry.world];
    case 'known-node':
      return ['known-node', { ...entry.node, node: cutNode(entry.node.node) }];
    case 'known-record':
      return ['known-record', ...partsOfRecord(entry.stored)];
    case 'known-all':
      return ['known-all'];
  }
}

function partsOfFact(fact: Fact): readonly unknown[] {
  switch (fact.kind) {
    case 'lease': {
      const { name, renewTime = null, listed } = fact;
      return listed ? ['lease', name, renewTime, true] : ['lease', name, renewTime];
    }
    case 'node':
      return ['node', cutNode(fact.node)];
    case 'node-gone':
    case 'lease-gone':
      return [fact.kind, fact.name];
    case 'probe':
      return ['probe', fact.name, fact.uid, fact.result, ...(fact.hostOnly ? [true] : [])];
    case 'wake':
    case 'term-over':
      return [fact.kind];
    case 'watches':
      return ['watches', fact.synced, fact.stale];
    case 'pause':
      return ['pause', fact.paused ?? null];
    case 'stalled':
      return ['stalled', fact.forMs];
    case 'term':
      return ['term', fact.epoch];
    case 'echo':
      return ['echo', fact.sentAt];
    case 'unread':
      return ['unread', fact.what];
    case 'record':
      return ['record', ...partsOfRecord(fact.stored)];
    case 'record-gone':
      return ['record-gone', fact.id];
    case 'set-aside':
      return ['set-aside', fact.records];
    case 'work':
      return ['work', fact.node, fact.state];
    case 'fence-check':
      return ['fence-check', fact.node, fact.uid, fact.fencer, fact.outcome, fact.detail];
  }
}

function partsOfRecord(stored: StoredRecord): readonly unknown[] {
  const { record, resourceVersion } = cutRecord(stored);
  return [record, resourceVersion];
}
