// Every takeover record known in one term, and the questions that are asked of all of them together. Pure.
import { OrderedMap, OrderedSet, Map as PersistentMap } from 'immutable';
import { takeoverIdOf, takeoverNumberOf } from '../../evidence/death-id.ts';
import type { StoredRecord } from '../cluster.ts';
import { byOrder, occupiesNode, type TakeoverRecord, tookNothing } from '../record.ts';

/** A value: putting a record in makes another one. */
export interface Records {
  /** By takeover id. */
  readonly stored: OrderedMap<string, StoredRecord>;
  /** Ids by the node's name, and by the death's id. */
  readonly byNode: PersistentMap<string, OrderedSet<string>>;
  readonly byDeath: PersistentMap<string, OrderedSet<string>>;
}

export const noRecords: Records = {
  stored: OrderedMap(),
  byNode: PersistentMap(),
  byDeath: PersistentMap(),
};

/** In place of what was known under its id, unless that was newer: two who write one record may both put it here. */
export function withRecord(records: Records, stored: StoredRecord): Records {
  const { id, node, deathId } = stored.record;
  const known = records.stored.get(id);
  if (known !== undefined && isOlder(stored, known)) return records;
  const others = withoutRecord(records, id);
  return {
    stored: others.stored.set(id, stored),
    byNode: others.byNode.set(node.name, (others.byNode.get(node.name) ?? OrderedSet<string>()).add(id)),
    byDeath: others.byDeath.set(deathId, (others.byDeath.get(deathId) ?? OrderedSet<string>()).add(id)),
  };
}

export function withoutRecord(records: Records, id: string): Records {
  const known = records.stored.get(id);
  if (known === undefined) return records;
  const { node, deathId } = known.record;
  return {
    stored: records.stored.delete(id),
    byNode: without(records.byNode, node.name, id),
    byDeath: without(records.byDeath, deathId, id),
  };
}

function without(
  index: Records['byNode'],
  key: string,
  id: string,
): PersistentMap<string, OrderedSet<string>> {
  const left = index.get(key)?.delete(id);
  return left === undefined || left.isEmpty() ? index.delete(key) : index.set(key, left);
}

/** Those of a node, in the order in which they were opened. */
export function recordsOfNode(records: Records, name: string): readonly StoredRecord[] {
  return those(records, records.byNode.get(name)).toSorted((a, b) => byOrder(a.record, b.record));
}

/** The record of each node that was opened last. */
export function latestByNode({ stored }: Records): ReadonlyMap<string, StoredRecord> {
  const latest = new Map<string, StoredRecord>();
  for (const one of stored.values()) {
    const { name } = one.record.node;
    const known = latest.get(name);
    if (known === undefined || byOrder(known.record, one.record) < 0) latest.set(name, one);
  }
  return latest;
}

/**
 * The id for a takeover of this death, or undefined when it has had one that was not undone.
 *
 * @param isTaken - Whether something lies under an id that is no record in here.
 */
export function openTakeoverId(
  records: Records,
  deathId: string,
  isTaken: (id: string) => boolean = () => false,
): string | undefined {
  let undone = 0;
  for (const { record } of those(records, records.byDeath.get(deathId))) {
    if (occupiesNode(record)) return record.id;
    if (record.result !== 'undone') return undefined;
    undone = Math.max(undone, takeoverNumberOf(record));
  }
  // Earlier ones may be pruned by now: the next one goes by the last.
  while (isTaken(takeoverIdOf(deathId, undone))) undone++;
  return takeoverIdOf(deathId, undone);
}

/** The takeover of the same death that was opened after this one, if there is one: this record could not be read then. */
export function successorOf(records: Records, record: TakeoverRecord): string | undefined {
  const successor = recordsOfNode(records, record.node.name).find(
    ({ record: one }) => one.deathId === record.deathId && byOrder(one, record) > 0 && !tookNothing(one),
  );
  return successor?.record.id;
}

/** The takeover of a later death of the same node that took a pod of this uid along, if there is one. */
export function laterWith(records: Records, record: TakeoverRecord, podUid: string): string | undefined {
  const later = recordsOfNode(records, record.node.name).find(
    ({ record: one }) =>
      byOrder(one, record) > 0 && !tookNothing(one) && one.pods.some(({ uid }) => uid === podUid),
  );
  return later?.record.id;
}

/** Finished records that nobody needs any more, beyond the `kept` newest; the oldest first. */
export function obsoleteRecords(
  { stored }: Records,
  kept: number,
  isNeeded: (record: TakeoverRecord) => boolean,
): readonly StoredRecord[] {
  const finished = [...stored.values()].filter(
    ({ record }) => record.result !== undefined && !isNeeded(record),
  );
  if (finished.length <= kept) return [];
  return finished.toSorted((a, b) => byOrder(a.record, b.record)).slice(0, finished.length - kept);
}

function those({ stored }: Records, ids: Iterable<string> = []): StoredRecord[] {
  return [...ids].flatMap((id) => stored.get(id) ?? []);
}

/**
 * Versions of one object are numbers that only grow, which Kubernetes has always held and promises since 1.35. Where they
 * are anything else, the one that comes last counts.
 */
function isOlder({ resourceVersion: one }: StoredRecord, { resourceVersion: other }: StoredRecord): boolean {
  const numbers = /^\d+$/;
  return numbers.test(one) && numbers.test(other) && BigInt(one) < BigInt(other);
}
