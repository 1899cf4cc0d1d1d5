// Which deaths count towards a budget: those that nobody vouches for, by what we saw and by what is on record.
import { type Deaths, hasReturned, type SeenDeath } from '../evidence/deaths.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { UnprovenDeath } from '../policy/guard.ts';
import type { StoredRecord } from './cluster.ts';
import { isProvenDeath, type TakeoverRecord } from './record.ts';

/** What is known of deaths at one moment. */
export interface DeathsKnown {
  readonly nodes: Pick<ReadonlyMap<string, FleetNode>, 'get' | 'has'>;
  readonly deaths: Deaths;
  /** For how long a death counts at most, in milliseconds. */
  readonly keepMs: number;
  /** Monotonic time since when this replica has watched the nodes. */
  readonly watchedSince: number;
  /** The newest record of each node. */
  readonly records: Iterable<StoredRecord>;
  /** Whether somebody vouched for a death in a takeover that still goes on. */
  readonly isProven: (deathId: string) => boolean;
  /** Monotonic time at which a takeover of the death was opened in this term; undefined when none was. */
  readonly takenOverAt: (deathId: string) => number | undefined;
  /** Monotonic milliseconds. */
  readonly now: number;
}

/** The deaths without proof, of nodes that have not returned. */
export interface UnprovenDeaths {
  readonly newestFirst: readonly UnprovenDeath[];
  readonly byNode: ReadonlyMap<string, UnprovenDeath>;
  /** How many of them have no Node any more. */
  readonly gone: number;
  /** Finished records whose death has counted for as long as any policy may ask: no later leader need count it again. */
  readonly passed: readonly StoredRecord[];
}

/**
 * A death that this replica saw counts from then. One that is only on record happened before this replica watched, for it
 * would remember it otherwise; so it counts from when it began to, however often leaders change: a whole window at most.
 *
 * One that was held for long counts once more from when it is taken over. Without that, all that an outage silenced would be
 * taken over at the same moment, when its window has passed.
 */
export function unprovenDeaths(known: DeathsKnown): UnprovenDeaths {
  const { nodes, deaths, watchedSince, isProven, now } = known;
  const sinceTakenOver = (deathId: string, seenSince: number): number =>
    Math.max(seenSince, known.takenOverAt(deathId) ?? Number.NEGATIVE_INFINITY);
  const byNode = new Map<string, UnprovenDeath>();
  const passed: StoredRecord[] = [];
  for (const { node, since, judged, proven, deathId } of deaths.values()) {
    if (!judged || proven || isProven(deathId)) continue;
    // At once, and not only when the takeover is on record: the next plan may be made before that.
    byNode.set(node, { node, since: sinceTakenOver(deathId, since) });
  }
  for (const stored of known.records) {
    const { node, deathId, result } = stored.record;
    const { name } = node;
    const seen = deaths.get(name);
    // What undid a takeover says nothing of its death, and of another death the record says nothing at all.
    if (result === 'undone' || (seen !== undefined && seen.deathId !== deathId)) continue;
    if (isProven(deathId) || isSettled(stored.record)) {
      byNode.delete(name);
      continue;
    }
    if (isBack(stored.record, seen, nodes.get(name))) continue;
    const since = sinceTakenOver(deathId, seen?.since ?? watchedSince);
    byNode.set(name, { node: name, since });
    if (result !== undefined && now - since >= known.keepMs) passed.push(stored);
  }
  const newestFirst = [...byNode.values()].toSorted(byNewest);
  return { newestFirst, byNode, gone: newestFirst.filter(({ node }) => !nodes.has(node)).length, passed };
}

/** The same order for every replica, whatever the order in which it came to know of them. */
function byNewest(a: UnprovenDeath, b: UnprovenDeath): number {
  return b.since - a.since || (a.node < b.node ? -1 : 1);
}

/**
 * Whether this record, the newest of its node, is all that tells a later leader of a death that still counts. At most one a
 * node; and since those that count hold up others, hardly more than budgets let die in a window: then it is noted that it
 * has passed.
 */
export function tellsOfUnprovenDeath(record: TakeoverRecord): boolean {
  const { result, return: returned } = record;
  return result !== 'undone' && returned?.welcomed !== true && !isSettled(record);
}

/** Somebody vouches for the death, or a leader saw it count for a whole window. */
function isSettled(record: TakeoverRecord): boolean {
  return isProvenDeath(record) || record.windowPassed === true;
}

function isBack(record: TakeoverRecord, seen: SeenDeath | undefined, there: FleetNode | undefined): boolean {
  if (seen !== undefined) return false;
  if (record.return?.welcomed === true) return true;
  if (there === undefined) return false;
  const { renewTime, ready } = there.state;
  return hasReturned(record.lastHeartbeat, { renewTime, ready: ready === 'True' });
}
