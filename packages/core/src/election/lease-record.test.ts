// The format that Kubernetes insists on, and when two records are the same.
import { describe, expect, it } from 'vitest';
import { type LeaseRecord, microTime, sameRecord } from './lease-record.ts';

const record: LeaseRecord = {
  holderIdentity: 'a',
  leaseDurationSeconds: 15,
  leaseTransitions: 3,
  acquireTime: '2030-01-01T00:00:00.000000Z',
  renewTime: '2030-01-01T00:00:10.000000Z',
};

describe('a MicroTime', () => {
  it('has exactly six fraction digits', () => {
    expect(microTime(Date.UTC(2026, 0, 31, 12, 0, 0, 123))).toBe('2026-01-31T12:00:00.123000Z');
    expect(microTime(0.75)).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('carries a count in the three digits that a JavaScript Date has no use for', () => {
    expect(microTime(0, 7)).toBe('1970-01-01T00:00:00.000007Z');
    expect(microTime(0, 1_999)).toBe('1970-01-01T00:00:00.000999Z');
  });
});

describe('two records', () => {
  it('are the same when all their fields are', () => {
    expect(sameRecord(record, { ...record })).toBe(true);
  });

  it.each<Partial<LeaseRecord>>([
    { holderIdentity: '' },
    { leaseDurationSeconds: 16 },
    { leaseTransitions: 4 },
    { acquireTime: '' },
    { renewTime: '' },
  ])('differ by %j', (difference) => {
    expect(sameRecord(record, { ...record, ...difference })).toBe(false);
  });
});
