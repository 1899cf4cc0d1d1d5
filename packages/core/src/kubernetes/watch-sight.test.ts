import { describe, expect, test } from 'vitest';
import { WatchSight } from './watch-sight.ts';

const options = { staleAfterBreakMs: 5000, staleAfterSilenceMs: 135_000 };

function watching(from: number): WatchSight {
  const sight = new WatchSight(options);
  sight.synced(from);
  sight.opened(from);
  return sight;
}

describe('a copy is stale', () => {
  test('until its first complete list', () => {
    const sight = new WatchSight(options);
    expect(sight.isStale(0)).toBe(true);
    sight.heard(10);
    expect(sight.isStale(10)).toBe(true);
    sight.synced(20);
    expect(sight.isStale(20)).toBe(false);
    expect(sight.freshSince(20)).toBe(20);
  });

  test('when no watch follows the list soon', () => {
    const sight = new WatchSight(options);
    sight.synced(0);
    expect(sight.isStale(5000)).toBe(false);
    expect(sight.isStale(5001)).toBe(true);
  });

  test('when a broken watch is not open again soon', () => {
    const sight = watching(0);
    sight.broke(60_000);
    expect(sight.isStale(65_000)).toBe(false);
    expect(sight.isStale(65_001)).toBe(true);
  });

  test('counted from the first of several failures', () => {
    const sight = watching(0);
    sight.broke(1000);
    sight.broke(4000);
    expect(sight.isStale(6001)).toBe(true);
  });

  test('when nothing came through an open watch for too long', () => {
    const sight = watching(0);
    expect(sight.isStale(135_000)).toBe(false);
    expect(sight.isStale(135_001)).toBe(true);
    sight.heard(136_000);
    expect(sight.isStale(136_000)).toBe(false);
  });

  test('at once when the server refuses us, until it accepts us again', () => {
    const sight = watching(0);
    sight.lost(1000);
    expect(sight.isStale(1000)).toBe(true);
    sight.heard(1001);
    expect(sight.isStale(1001)).toBe(true);
    sight.opened(2000);
    expect(sight.isStale(2000)).toBe(false);
  });
});

describe('freshSince', () => {
  test('keeps its beginning through a reconnect', () => {
    const sight = watching(0);
    sight.broke(300_000 - 1);
    sight.opened(300_000);
    sight.heard(300_000);
    expect(sight.isStale(300_000)).toBe(false);
  });

  test('is unchanged by breaks too short to be blindness', () => {
    const sight = watching(0);
    for (let at = 60_000; at < 600_000; at += 60_000) {
      sight.broke(at);
      sight.opened(at + 4000);
    }
    expect(sight.freshSince(545_000)).toBe(0);
  });

  test('begins anew after blindness, even if nobody looked meanwhile', () => {
    const sight = watching(0);
    sight.broke(60_000);
    sight.opened(70_000);
    expect(sight.freshSince(70_000)).toBe(70_000);
    sight.heard(70_000 + 200_000);
    expect(sight.freshSince(270_000)).toBe(270_000);
  });

  test('begins anew after a relist that took longer than a break may', () => {
    const sight = watching(0);
    sight.broke(10_000);
    sight.heard(12_000);
    sight.heard(14_000);
    sight.synced(16_000);
    expect(sight.freshSince(16_000)).toBe(16_000);
    expect(sight.generation).toBe(2);
  });

  test('is undefined while the copy is stale', () => {
    const sight = watching(0);
    sight.broke(10_000);
    expect(sight.freshSince(20_000)).toBeUndefined();
  });
});
