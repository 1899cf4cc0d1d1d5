import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('the word that was meant', () => {
  const known = ['mode', 'suspectAfter', 'deadAfter', 'silentProbes'];

  it.each([
    ['deadAftr', 'deadAfter'],
    ['deadafter', 'deadAfter'],
    ['dead_after', 'deadAfter'],
    ['silentprobe', 'silentProbes'],
    ['mod', 'mode'],
  ])('by %s is %s', (word, meant) => {
    expect(nearest(word, known)).toBe(meant);
  });

  it.each(['node', 'after', 'x', '', 'interval'])('by %j is anybody’s guess', (word) => {
    expect(nearest(word, ['suspectAfter', 'deadAfter', 'no'])).toBeUndefined();
  });

  it('is the nearest of several', () => {
    expect(nearest('maxDeed', ['maxDeadPercent', 'maxDead', 'maxDeer'])).toBe('maxDead');
  });
});
