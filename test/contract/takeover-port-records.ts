// Records of takeovers as they are kept.
import type { LeaderTerm, StoredRecord, TakeoverRecord } from '@liberator/core';
import { describe, expect, test } from 'vitest';
import { newRecord } from '../../packages/core/src/testing/dead-node.ts';
import type { TakeoverPort } from './takeover-port.ts';
import type { Within } from './takeover-port-suite.ts';

const record = newRecord({ id: 'first', deathId: 'first' });

export function describeRecords(within: Within): void {
  describe('a record', () => {
    test('is read as it was written, alone and among all', () =>
      within(async ({ cluster, ...port }) => {
        const term = port.term(1);
        expect(await cluster.readRecord(term, 'first')).toBeUndefined();
        expect(await cluster.listRecords(term)).toEqual([]);
        const created = await create({ cluster, ...port }, term, record);
        expect(created.record).toEqual(record);
        expect(await cluster.readRecord(term, 'first')).toMatchObject({
          record,
          resourceVersion: created.resourceVersion,
        });
        await create({ cluster, ...port }, term, { ...record, id: 'second' });
        const listed = await cluster.listRecords(term);
        expect(listed.map((one) => one.record.id).toSorted()).toEqual(['first', 'second']);
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
