// What is noted on a record gets there, in its order, however many write at once.
import { describe, expect, it } from 'vitest';
import { endlessTerm, newRecord } from '../../testing/dead-node.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { StoredRecord } from '../cluster.ts';
import type { TakeoverRecord } from '../record.ts';
import { Draft } from './draft.ts';

/** A writer whose writes end when the test says so, each made of what the one before left. */
function slowWriter(): {
  readonly draft: Draft;
  readonly written: TakeoverRecord[];
  readonly end: (how?: Error) => Promise<void>;
} {
  const written: TakeoverRecord[] = [];
  let turn = Promise.withResolvers<void>();
  const stored: StoredRecord = { record: newRecord(), resourceVersion: '1' } as StoredRecord;
  const draft = new Draft(endlessTerm(new ManualClock({ turns: 1 }), 1), stored, {
    save: async (_, before, change) => {
      const mine = turn.promise;
      const record = change(before.record);
      await mine;
      written.push(record);
      return { ...before, record };
    },
  });
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const end = async (how?: Error): Promise<void> => {
    await settled();
    const { resolve, reject } = turn;
    turn = Promise.withResolvers();
    if (how === undefined) resolve();
    else reject(how);
    await settled();
  };
  return { draft, written, end };
}

const reason =
  (word: string) =>
  (record: TakeoverRecord): TakeoverRecord => ({ ...record, reasons: [...record.reasons, word] });
const [known = ''] = newRecord().reasons;

describe('a draft', () => {
  it('keeps what is noted while a write is under way, for the next one', async () => {
    const { draft, written, end } = slowWriter();
    const told: string[] = [];
    const first = draft.write(reason('a'), () => told.push('a'));
    await Promise.resolve();
    draft.note(reason('b'), () => told.push('b'));
    expect(draft.isWritten).toBe(false);
    await end();
    await first;
    expect(draft.record.reasons).toEqual([known, 'a', 'b']);
    expect(draft.stored.record.reasons).toEqual([known, 'a']);
    expect({ told, isWritten: draft.isWritten }).toEqual({ told: ['a'], isWritten: false });
    const second = draft.write();
    await end();
    await second;
    expect(written.map(({ reasons }) => reasons)).toEqual([
      [known, 'a'],
      [known, 'a', 'b'],
    ]);
    expect({ told, isWritten: draft.isWritten }).toEqual({ told: ['a', 'b'], isWritten: true });
  });

  it('writes one time after another, and both who asked know when theirs is done', async () => {
    const { draft, written, end } = slowWriter();
    const done: string[] = [];
    const both = [
      draft.write(reason('a')).then(() => done.push('a')),
      draft.write(reason('b')).then(() => done.push('b')),
    ];
    await end();
    await end();
    await Promise.all(both);
    expect(written.at(-1)?.reasons).toEqual([known, 'a', 'b']);
    expect(done).toEqual(['a', 'b']);
  });

  it('forgets nothing of a write that fails, in its order', async () => {
    const { draft, end } = slowWriter();
    const failing = draft.write(reason('a'));
    await Promise.resolve();
    draft.note(reason('b'));
    const fails = expect(failing).rejects.toThrow('no answer');
    await end(new Error('no answer'));
    await fails;
    expect(draft.isWritten).toBe(false);
    const writing = draft.write(reason('c'));
    await end();
    await writing;
    expect(draft.stored.record.reasons).toEqual([known, 'a', 'b', 'c']);
  });

  it('writes nothing when there is nothing to write', async () => {
    const { draft, written } = slowWriter();
    await draft.write();
    expect(written).toEqual([]);
  });
});
