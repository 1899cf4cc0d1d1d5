import { describe, expect, it } from 'vitest';
import { contradictionsIn, type LeadershipSample } from './leadership-samples.ts';

const yes = (sidecar: string, term: number, sentAt: number, receivedAt: number): LeadershipSample => ({
  sidecar,
  sentAt,
  receivedAt,
  leads: true,
  name: sidecar,
  term,
});
const no = (sidecar: string, sentAt: number, receivedAt: number): LeadershipSample => ({
  ...yes(sidecar, 0, sentAt, receivedAt),
  leads: false,
});

describe('samples of leadership', () => {
  it('contradict nothing when one term follows another', () => {
    expect(contradictionsIn([yes('a', 1, 0, 5), yes('a', 1, 10, 15), yes('b', 2, 20, 25)])).toEqual([]);
  });

  it('contradict nothing when two answers merely were under way at the same time', () => {
    expect(contradictionsIn([yes('a', 1, 0, 20), yes('b', 2, 10, 30)])).toEqual([]);
    // As with a process that was stopped right after it had looked.
    expect(
      contradictionsIn([yes('a', 1, 0, 9_000), yes('b', 2, 5_000, 5_005), yes('b', 2, 8_000, 8_005)]),
    ).toEqual([]);
  });

  it('show two leaders where each was heard before the other was asked for the last time', () => {
    const samples = [yes('a', 1, 0, 5), yes('a', 1, 20, 25), yes('b', 2, 10, 15), yes('b', 2, 30, 35)];
    expect(contradictionsIn(samples)).toEqual(['a in term 1 and b in term 2 led at once']);
  });

  it.each([
    { what: 'lower', samples: [yes('a', 2, 0, 5), yes('b', 1, 10, 15), yes('a', 2, 20, 25)] },
    { what: 'higher', samples: [yes('a', 1, 0, 5), yes('b', 2, 10, 15), yes('a', 1, 20, 25)] },
  ])('show two leaders where a single answer falls into a term that is not the $what', ({ samples }) => {
    expect(contradictionsIn(samples)).toEqual([
      expect.stringMatching(/ in term 1 and . in term 2 led at once$/),
    ]);
  });

  it('show two terms of one sidecar at once', () => {
    const samples = [yes('a', 1, 0, 5), yes('a', 2, 10, 15), yes('a', 1, 20, 25)];
    expect(contradictionsIn(samples)).toEqual(['a in term 1 and a in term 2 led at once']);
  });

  it('show terms that do not grow', () => {
    expect(contradictionsIn([yes('a', 2, 0, 5), yes('b', 1, 10, 15)])).toEqual([
      'a in term 2 came before b in term 1',
    ]);
    expect(contradictionsIn([yes('a', 2, 0, 5), yes('b', 2, 10, 15)])).toEqual([
      'a in term 2 and b in term 2 share a term',
    ]);
  });

  it('show a term that was broken', () => {
    expect(contradictionsIn([yes('a', 1, 0, 5), no('a', 10, 15), yes('a', 1, 20, 25)])).toEqual([
      'a in term 1 was broken',
    ]);
  });
});
