// Records of takeovers as they are kept.
import type { LeaderTerm, StoredRecord, TakeoverRecord } from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { newRecord } from '../../packages/core/src/testing/dead-node.ts';
import type { TakeoverPort, Within } from './takeover-port.ts';

const record = newRecord({ id: 'first', deathId: 'first' });

export function describeRecords(within: Within): void {
  describe('a record', () => {
    test('is read as it was written, alone and among all', () =>
      within(async ({ cluster, ...port }) => {
        const term = port.term(1);
        expect(await cluster.readRecord(term, 'first')).toBeUndefined();
        expect(await cluster.listRecords(term)).toEqual({ records: [], unreadable: [] });
        const created = await create({ cluster, ...port }, term, record);
        expect(created.record).toEqual(record);
        expect(await cluster.readRecord(term, 'first')).toMatchObject({
          record,
          resourceVersion: created.resourceVersion,
        });
        await create({ cluster, ...port }, term, { ...record, id: 'second' });
        const { records } = await cluster.listRecords(term);
        expect(records.map((one) => one.record.id).toSorted()).toEqual(['first', 'second']);
      }));

    test('can be created once', () =>
      within(async (port) => {
        const term = port.term(1);
        await create(port, term, record);
        expect(await port.cluster.createRecord(term, { ...record, epoch: 9 })).toBe('exists');
        expect((await port.cluster.readRecord(term, 'first'))?.record).toEqual(record);
      }));

    test('is updated under the condition that nobody did since it was read', () =>
      within(async (port) => {
        const term = port.term(1);
        const seen = await create(port, term, record);
        const changed = { ...record, epoch: 2, result: 'recovered' } as const;
        const updated = await port.cluster.updateRecord(term, seen, changed);
        if (updated === 'conflict' || updated === 'gone')
          throw new Error(`expected it written, found ${updated}`);
        expect(updated.record).toEqual(changed);
        expect(Number(updated.resourceVersion)).toBeGreaterThan(Number(seen.resourceVersion));
        expect(await port.cluster.readRecord(term, 'first')).toMatchObject({
          record: changed,
          resourceVersion: updated.resourceVersion,
        });
        expect(await port.cluster.updateRecord(term, seen, { ...record, epoch: 3 })).toBe('conflict');
        expect((await port.cluster.readRecord(term, 'first'))?.record).toEqual(changed);
        // The answer of an update serves as what was seen.
        expect(await port.cluster.updateRecord(term, updated, { ...changed, epoch: 3 })).toMatchObject({
          record: { epoch: 3 },
        });
      }));

    test('keeps its version when what is written is what is there', () =>
      within(async (port) => {
        const term = port.term(1);
        const seen = await create(port, term, record);
        expect(await port.cluster.updateRecord(term, seen, record)).toMatchObject({
          resourceVersion: seen.resourceVersion,
        });
      }));

    test('is removed under the same condition, and gone afterwards for everybody', () =>
      within(async (port) => {
        const term = port.term(1);
        const seen = await create(port, term, record);
        const updated = (await port.cluster.updateRecord(term, seen, {
          ...record,
          epoch: 2,
        })) as StoredRecord;
        expect(await port.cluster.deleteRecord(term, seen)).toBe('conflict');
        expect(await port.cluster.readRecord(term, 'first')).toBeDefined();
        expect(await port.cluster.deleteRecord(term, updated)).toBe('written');
        expect(await port.cluster.readRecord(term, 'first')).toBeUndefined();
        expect(await port.cluster.deleteRecord(term, updated)).toBe('gone');
        expect(await port.cluster.updateRecord(term, updated, record)).toBe('gone');
        // Made anew it is another one, and what was seen of the old one is worth nothing.
        await create(port, term, record);
        expect(await port.cluster.deleteRecord(term, updated)).toBe('conflict');
      }));

    test('says which node it is about, and what people wrote on it, whoever writes it', () =>
      within(async (port) => {
        const term = port.term(1);
        const seen = await create(port, term, record);
        expect(seen.annotations).toEqual({ 'liberator.dev/node': 'node-1' });
        port.annotateRecord('first', { note: 'looked at' });
        expect(await port.cluster.updateRecord(term, seen, { ...record, epoch: 2 })).toBe('conflict');
        const now = await port.cluster.readRecord(term, 'first');
        if (now === undefined) throw new Error('expected the record, found none');
        const annotations = { 'liberator.dev/node': 'node-1', note: 'looked at' };
        expect(now).toMatchObject({ record, annotations });
        expect(await port.cluster.updateRecord(term, now, { ...record, epoch: 2 })).toMatchObject({
          annotations,
        });
        expect((await port.cluster.listRecords(term)).records).toMatchObject([
          { record: { epoch: 2 }, annotations },
        ]);
      }));

    test('that can’t be read is set aside, named, and in nobody’s way but its own', () =>
      within(async (port) => {
        const term = port.term(1);
        port.putRecordObject('first', 'no JSON', { 'liberator.dev/node': 'node-1' });
        await create(port, term, { ...record, id: 'second' });
        const { records, unreadable } = await port.cluster.listRecords(term);
        expect(records.map((one) => one.record.id)).toEqual(['second']);
        expect(unreadable).toMatchObject([
          { name: 'liberator-takeover-first', node: 'node-1', kind: 'damaged' },
        ]);
        expect(await port.cluster.readRecord(term, 'first')).toBeUndefined();
        expect(await port.cluster.readUnreadable(term, 'first')).toEqual(unreadable[0]);
        expect(await port.cluster.readUnreadable(term, 'second')).toBeUndefined();
        expect(await port.cluster.readUnreadable(term, 'third')).toBeUndefined();
        expect(await port.cluster.createRecord(term, record)).toBe('exists');
      }));

    test('that somebody else wrote is read like any other', () =>
      within(async (port) => {
        const term = port.term(1);
        port.putRecordObject('first', JSON.stringify(record));
        expect(await port.cluster.readRecord(term, 'first')).toMatchObject({ record });
      }));

    test('loses what JSON can’t hold', () =>
      within(async (port) => {
        const term = port.term(1);
        const odd = { ...record, result: undefined } as unknown as TakeoverRecord;
        await create(port, term, odd);
        const stored = await port.cluster.readRecord(term, 'first');
        expect(stored?.record).not.toHaveProperty('result');
      }));
  });
}

export async function create(
  { cluster }: Pick<TakeoverPort, 'cluster'>,
  term: LeaderTerm,
  what: TakeoverRecord,
): Promise<StoredRecord> {
  const created = await cluster.createRecord(term, what);
  if (created === 'exists') throw new Error(`expected no record ${what.id}, found one`);
  return created;
}
