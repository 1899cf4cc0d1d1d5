// What is asked of all records together: which came last, which id is free, and which copy of one is the newest.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRecord } from '../../testing/dead-node.ts';
import type { StoredRecord } from '../cluster.ts';
import { byOrder, type TakeoverRecord } from '../record.ts';
import { RecordBook } from './record-book.ts';

const stored = (change: Partial<TakeoverRecord>, resourceVersion = '1'): StoredRecord => ({
  record: newRecord(change),
  resourceVersion,
  annotations: {},
});

function bookOf(...records: readonly StoredRecord[]): RecordBook {
  const book = new RecordBook();
  for (const one of records) book.put(one);
  return book;
}

describe('the order of records', () => {
  it('goes by epoch and number, whatever wall clocks said', () => {
    const orders = fc.uniqueArray(fc.record({ epoch: fc.nat(5), number: fc.nat(5) }), {
      selector: ({ epoch, number }) => epoch * 10 + number,
    });
    fc.assert(
      fc.property(orders, fc.infiniteStream(fc.date({ noInvalidDate: true })), (all, times) => {
        const records = all.map((order, i) =>
          newRecord({ id: `${i}`, order, openedAt: (times.next().value as Date).toISOString() }),
        );
        const places = records
          .toSorted(byOrder)
          .map(({ order }) => (order?.epoch ?? 0) * 10 + (order?.number ?? 0));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }),
    );
  });

  it('puts those without one first: by the epoch of the claim, not of who wrote last, and then by id', () => {
    const claimedIn = (epoch: number): TakeoverRecord['steps'] => ({ claim: { startedAt: '', epoch } });
    const records = [
      newRecord({ id: 'ordered', order: { epoch: 0, number: 0 } }),
      newRecord({ id: 'b', epoch: 3, steps: claimedIn(2) }),
      newRecord({ id: 'a', epoch: 2, steps: claimedIn(2) }),
      newRecord({ id: 'first', epoch: 9, steps: claimedIn(1) }),
      newRecord({ id: 'unclaimed', epoch: 4 }),
    ];
    expect(records.toSorted(byOrder).map(({ id }) => id)).toEqual([
      'first',
      'a',
      'b',
      'unclaimed',
      'ordered',
    ]);
  });
});

describe('the book', () => {
  it('never puts back an older copy of a record', () => {
    const book = bookOf(stored({ leader: 'new' }, '10'));
    book.put(stored({ leader: 'old' }, '9'));
    expect(book.get('death')?.record.leader).toBe('new');
    book.put(stored({ leader: 'newer' }, '11'));
    expect(book.get('death')?.record.leader).toBe('newer');
  });

  it('takes the last copy where versions are no numbers', () => {
    const book = bookOf(stored({ leader: 'one' }, 'zz'));
    book.put(stored({ leader: 'two' }, 'aa'));
    expect(book.get('death')?.record.leader).toBe('two');
  });

  it('knows the records of a node in their order, and forgets', () => {
    const book = bookOf(
      stored({ id: 'b', order: { epoch: 2, number: 0 } }),
      stored({ id: 'a', order: { epoch: 1, number: 7 } }),
      stored({ id: 'c', node: { name: 'node-2', uid: 'n2', bootId: '' } }),
    );
    expect(book.ofNode('node-1').map(({ record }) => record.id)).toEqual(['a', 'b']);
    expect([...book.nodes()]).toEqual(['node-1', 'node-2']);
    expect(book.latestByNode().get('node-1')?.record.id).toBe('b');
    const { records } = book;
    book.forget('c');
    book.forget('c');
    expect([...book.nodes()]).toEqual(['node-1']);
    expect(book.ofNode('node-2')).toEqual([]);
    expect(book.records).not.toBe(records);
  });
});

describe('the id of the next takeover of a death', () => {
  it('is the death’s own, and counts those that were undone', () => {
    expect(bookOf().openTakeoverId('d')).toBe('d');
    const undone = stored({ id: 'd', deathId: 'd', result: 'undone' });
    expect(bookOf(undone).openTakeoverId('d')).toBe('d-2');
  });

  it('counts on from the last when the earlier ones are pruned', () => {
    expect(bookOf(stored({ id: 'd-4', deathId: 'd', result: 'undone' })).openTakeoverId('d')).toBe('d-5');
  });

  it('is none once it has had one that was not undone, though an earlier one is pruned', () => {
    expect(
      bookOf(stored({ id: 'd-2', deathId: 'd', result: 'recovered' })).openTakeoverId('d'),
    ).toBeUndefined();
  });

  it('is that of the one that goes on', () => {
    const book = bookOf(
      stored({ id: 'd', deathId: 'd', result: 'undone' }),
      stored({ id: 'd-2', deathId: 'd' }),
    );
    expect(book.openTakeoverId('d')).toBe('d-2');
  });

  it('is none while a takeover of it watches its pods: the node has been seen to', () => {
    const removed = { startedAt: '', epoch: 1, outcome: 'done' as const };
    const watching = stored({ id: 'd', deathId: 'd', steps: { remove: removed } });
    expect(bookOf(watching).openTakeoverId('d')).toBeUndefined();
  });

  it('leaves out those under which something else lies', () => {
    const taken = new Set(['d', 'd-2']);
    expect(bookOf().openTakeoverId('d', (id) => taken.has(id))).toBe('d-3');
  });
});
