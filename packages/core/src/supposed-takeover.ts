// A takeover that nobody does: as much of a record as budgets and guards ask for, where it only matters what would be decided.
import type { StoredRecord } from './takeover/cluster.ts';
import { openingRecord } from './takeover/opening.ts';
import { type StepRecord, type TakeoverOrder, takeoverSteps } from './takeover/record.ts';
import { openTakeoverId, type Records } from './takeover/records/records.ts';
import type { Intent, TermKnowledge } from './world-state.ts';

/**
 * It takes no time: its node is let go of as soon as it is begun, and only its pods are still waited for. So it holds up nobody
 * who waits for a place, counts towards budgets as any other, and is not begun a second time.
 *
 * @param openedAt - ISO 8601, for people.
 */
function supposedTakeover(
  { node, decision }: Extract<Intent, { kind: 'take-over' }>,
  term: Pick<TermKnowledge, 'epoch' | 'records'>,
  openedAt: string,
): StoredRecord {
  const step: StepRecord = {
    startedAt: openedAt,
    epoch: term.epoch,
    endedAt: openedAt,
    outcome: 'skipped',
  };
  const id = openTakeoverId(term.records, node.deathId) ?? node.deathId;
  const done = takeoverSteps.slice(0, takeoverSteps.indexOf('verify'));
  return {
    record: {
      ...openingRecord(node, decision, { id, order: orderAfter(term), epoch: term.epoch, openedAt }),
      steps: Object.fromEntries(done.map((name) => [name, step])),
    },
    // No version at all: whatever is really on record under its id is newer.
    resourceVersion: '',
    annotations: {},
  };
}

/** After all that are known, be they of an installation whose epochs are ahead of ours. */
function orderAfter({ epoch, records }: Pick<TermKnowledge, 'epoch' | 'records'>): TakeoverOrder {
  let last: TakeoverOrder = { epoch, number: -1 };
  for (const { record } of records.stored.values()) {
    const { order } = record;
    if (order === undefined) continue;
    if (order.epoch > last.epoch || (order.epoch === last.epoch && order.number > last.number)) last = order;
  }
  return { epoch: last.epoch, number: last.number + 1 };
}

/** The supposed takeovers of one term. Nothing was done about their nodes, so one that shows life is simply back. */
export class SupposedTakeovers {
  /** Of each node, under which id. */
  readonly #ids = new Map<string, string>();

  /** Names of nodes that would have been taken over and have not come back. */
  get nodes(): readonly string[] {
    return [...this.#ids.keys()];
  }

  /** A takeover is begun. What is to be told to the world that asked for it. */
  begin(
    intent: Extract<Intent, { kind: 'take-over' }>,
    term: TermKnowledge,
    openedAt: string,
  ): readonly [{ kind: 'record'; stored: StoredRecord }, { kind: 'work'; node: string; state: 'over' }] {
    const stored = supposedTakeover(intent, term, openedAt);
    const { name } = stored.record.node;
    this.#ids.set(name, stored.record.id);
    return [
      { kind: 'record', stored },
      { kind: 'work', node: name, state: 'over' },
    ];
  }

  /** A node's health is another one: whether its supposed takeover is over, as which record is to be forgotten then. */
  seen({ change }: Extract<Intent, { kind: 'health' }>): { kind: 'record-gone'; id: string } | undefined {
    const id = this.#ids.get(change.node);
    if (id === undefined || (change.to !== 'alive' && change.to !== 'returning')) return undefined;
    this.#ids.delete(change.node);
    return { kind: 'record-gone', id };
  }

  /** There is a real one of the same death: whether the supposed one has to make way for it, under which id. */
  replacedBy({ record }: StoredRecord, records: Records): string | undefined {
    const id = this.#ids.get(record.node.name);
    if (id === undefined || records.stored.get(id)?.record.deathId !== record.deathId) return undefined;
    this.#ids.delete(record.node.name);
    return id;
  }
}
