// Records as ConfigMaps: what is read back, what is set aside and why, and that an epoch never goes back.
import { describe, expect, it } from 'vitest';
import type { ConfigMap } from '../../kubernetes/objects.ts';
import type { KubernetesReader } from '../../kubernetes/reader.ts';
import { newRecord } from '../../testing/dead-node.ts';
import {
  decodeRecord,
  encodeRecord,
  epochAfterRecords,
  listingOf,
  readTakeovers,
} from './takeover-records.ts';

function configMap(id: string, data: string | undefined, annotations?: Record<string, string>): ConfigMap {
  return {
    metadata: {
      name: `liberator-takeover-${id}`,
      uid: id,
      resourceVersion: '7',
      ...(annotations && { annotations }),
    },
    ...(data !== undefined && { data: { 'record.json': data } }),
  };
}

const text = (change: Parameters<typeof newRecord>[0] = {}): string => JSON.stringify(newRecord(change));

function readerOf(...items: readonly ConfigMap[]): KubernetesReader {
  return { list: async () => ({ items }) } as unknown as KubernetesReader;
}

describe('a ConfigMap', () => {
  it('that was written as a record is read as that record', () => {
    const written = encodeRecord('ns', newRecord()) as ConfigMap;
    const read = { ...written, metadata: { ...written.metadata, uid: 'u', resourceVersion: '7' } };
    expect(decodeRecord(read)).toEqual({
      record: newRecord(),
      resourceVersion: '7',
      annotations: { 'liberator.dev/node': 'node-1' },
    });
  });

  it.each([
    {
      what: 'without data',
      map: configMap('x', undefined, { 'liberator.dev/node': 'node-3' }),
      node: 'node-3',
    },
    {
      what: 'that is not JSON',
      map: configMap('x', '{', { 'liberator.dev/node': 'node-3' }),
      node: 'node-3',
    },
    { what: 'without a trace of its node', map: configMap('x', '{}'), node: undefined },
    { what: 'whose record belongs under another name', map: configMap('x', text()), node: 'node-1' },
  ])('$what is damaged, and tells the node as far as it can', ({ map, node }) => {
    expect(decodeRecord(map)).toMatchObject({ name: 'liberator-takeover-x', kind: 'damaged', node });
  });

  it('says of itself which node it is about, before any annotation does', () => {
    const map = configMap('x', JSON.stringify({ version: 2, node: { name: 'node-1' } }), {
      'liberator.dev/node': 'node-3',
    });
    expect(decodeRecord(map)).toMatchObject({ kind: 'newer', node: 'node-1' });
  });
});

describe('a record that could not be read back', () => {
  it.each([
    {
      what: 'a verdict that is nothing',
      change: { verdicts: [{ guard: 'mine', verdict: undefined }] },
      problem: 'expected a mapping as verdicts[0].verdict, found nothing',
    },
    {
      what: 'a time that is no number',
      change: {
        verdicts: [{ guard: 'mine', verdict: { outcome: 'hold', reason: 'no', until: Number.NaN } }],
      },
      problem: 'expected a number as verdicts[0].verdict.until, found null',
    },
    {
      what: 'a proof that there is not',
      change: { proof: 'bananas' },
      problem: 'as proof, found "bananas"',
    },
    { what: 'no version', change: { version: undefined }, problem: 'expected 1 as version, found nothing' },
  ])('for $what is refused instead of written', ({ change, problem }) => {
    const record = newRecord(change as never);
    expect(() => encodeRecord('ns', record)).toThrow(TypeError);
    expect(() => encodeRecord('ns', record)).toThrow(problem);
  });
});

it('a listing parts what can be used from what can’t', () => {
  const { records, unreadable } = listingOf([configMap('x', '{'), configMap('death', text())]);
  expect(records.map(({ record }) => record.id)).toEqual(['death']);
  expect(unreadable.map(({ name }) => name)).toEqual(['liberator-takeover-x']);
});

it('takeovers are read with the one that was opened last first, whatever wall clocks said', async () => {
  const reader = readerOf(
    configMap('old', text({ id: 'old', openedAt: '2035-01-01T00:00:00.000Z' })),
    configMap('a', text({ id: 'a', order: { epoch: 2, number: 0 }, openedAt: '2031-01-01T00:00:00.000Z' })),
    configMap('b', text({ id: 'b', order: { epoch: 2, number: 1 }, openedAt: '2030-01-01T00:00:00.000Z' })),
    configMap('x', '{'),
  );
  const { records, unreadable } = await readTakeovers(reader, 'ns');
  expect(records.map(({ id }) => id)).toEqual(['b', 'a', 'old']);
  expect(unreadable).toHaveLength(1);
});

it('the epoch after all records counts those that can’t be read, too', async () => {
  expect(await epochAfterRecords(readerOf(), 'ns')).toBe(0);
  expect(await epochAfterRecords(readerOf(configMap('death', text({ epoch: 3 }))), 'ns')).toBe(4);
  expect(
    await epochAfterRecords(
      readerOf(
        configMap('death', text({ epoch: 3 })),
        configMap('newer', JSON.stringify({ version: 2, epoch: 8 })),
        configMap('half', '{"version": 1, "epoch": 11, "steps": {'),
        configMap('none', undefined),
      ),
      'ns',
    ),
  ).toBe(12);
});
