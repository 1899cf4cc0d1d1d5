import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countNodeDeletes, isNodeDelete } from './audit-log.ts';

const since = new Date('2026-01-01T00:00:00Z');

const event = {
  kind: 'Event',
  stage: 'ResponseComplete',
  verb: 'delete',
  objectRef: { resource: 'nodes', name: 'node-2' },
  responseStatus: { code: 200 },
  requestReceivedTimestamp: '2026-01-01T00:00:01.000000Z',
};

const counts = (changes: object): boolean => isNodeDelete(JSON.stringify({ ...event, ...changes }), since);

describe('a deletion of a Node in the audit log', () => {
  it('counts once it is answered', () => {
    expect(counts({})).toBe(true);
    expect(counts({ stage: 'RequestReceived' })).toBe(false);
  });

  it('does not count when it was refused, was before, or was of something else', () => {
    expect(counts({ responseStatus: { code: 409 } })).toBe(false);
    expect(counts({ requestReceivedTimestamp: '2025-12-31T23:59:59.000000Z' })).toBe(false);
    expect(counts({ objectRef: { resource: 'pods' } })).toBe(false);
    expect(counts({ objectRef: { resource: 'nodes', subresource: 'status' } })).toBe(false);
    expect(counts({ verb: 'get', note: 'delete' })).toBe(false);
  });

  it('is counted over a whole log, whose last line may be half written', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'audit-log-test-'));
    try {
      const path = join(directory, 'audit.log');
      const line = JSON.stringify(event);
      writeFileSync(path, `${line}\n${line}\n${line.slice(0, -9)}`);
      expect(await countNodeDeletes(path, since)).toBe(2);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
