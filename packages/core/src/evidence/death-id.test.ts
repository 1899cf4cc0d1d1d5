// One death, one name, whoever looks.
import { describe, expect, it } from 'vitest';
import { deathIdOf, takeoverIdOf } from './death-id.ts';

describe('the id of a death', () => {
  it('is the same for every replica and every leader', () => {
    expect(deathIdOf('uid-1', '2030-01-01T00:00:00.000000Z')).toBe(
      deathIdOf('uid-1', '2030-01-01T00:00:00.000000Z'),
    );
    expect(deathIdOf('uid-1', '2030-01-01T00:00:00.000000Z')).toMatch(/^[0-9a-f]{10}$/);
  });

  it('is another one after a renewal, for another node, and for a node that registered anew', () => {
    const ids = [
      deathIdOf('a', '1'),
      deathIdOf('a', '2'),
      deathIdOf('b', '1'),
      deathIdOf('a', ''),
      deathIdOf('', 'a'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('does not change by where uid and heartbeat meet', () => {
    expect(deathIdOf('ab', 'c')).not.toBe(deathIdOf('a', 'bc'));
  });
});

describe('the id of a takeover', () => {
  it('is the death’s own, and counts up with each that was undone', () => {
    expect([0, 1, 2].map((undone) => takeoverIdOf('d', undone))).toEqual(['d', 'd-2', 'd-3']);
  });

  it('fits into the name of a ConfigMap', () => {
    expect(takeoverIdOf(deathIdOf('a', 'b'), 12)).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
  });
});
