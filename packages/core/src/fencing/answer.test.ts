// What a driver answers that is no answer: it failed, and nothing of it gets any further; and how much of one that is is kept.
import { describe, expect, it } from 'vitest';
import { TakeoverStory } from '../testing/takeover-story.ts';
import { checkedAnswer } from './answer.ts';
import type { FenceResult } from './fencer.ts';

/** What somebody who writes no types may hand to us. */
const nonsense = (value: unknown): never => value as never;

const thrown = (): never => {
  throw new Error('a getter with a bug');
};

const unreadable = {
  get outcome(): string {
    return thrown();
  },
};

const fenced = { outcome: 'fenced', proof: 'powered-off', detail: 'off' } as const;
const isolated = { outcome: 'fenced', proof: 'isolated', detail: 'cut off' } as const;

const answers: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a word', 'fenced'],
  ['an empty mapping', {}],
  ['an outcome that there is not', { ...fenced, outcome: 'done' }],
  ['a proof that there is not', { ...fenced, proof: 'bananas' }],
  ['a proof that every mapping has', { ...fenced, proof: 'toString' }],
  ['a list of proofs', { ...fenced, proof: ['powered-off'] }],
  ['fenced, and no proof', { outcome: 'fenced', detail: 'off' }],
  ['a proof without words', { outcome: 'fenced', proof: 'powered-off' }],
  ['waiting, and no time', { outcome: 'waiting', detail: 'not yet' }],
  ['waiting for no time', { outcome: 'waiting', detail: 'not yet', retryAfterMs: 0 }],
  ['waiting for less than no time', { outcome: 'waiting', detail: 'not yet', retryAfterMs: -5 }],
  ['waiting for no number', { outcome: 'waiting', detail: 'not yet', retryAfterMs: Number.NaN }],
  ['waiting for ever', { outcome: 'waiting', detail: 'not yet', retryAfterMs: Number.POSITIVE_INFINITY }],
  ['waiting for a word', { outcome: 'waiting', detail: 'not yet', retryAfterMs: '2000' }],
  ['a failure without words', { outcome: 'failed' }],
  ['what cannot be read', unreadable],
  ['what can no longer be read', new Proxy({}, { get: thrown })],
  ['a proof for some drivers that is another one', { ...fenced, csiDrivers: ['csi.example.com'] }],
  ['a proof for what is no list', { ...isolated, csiDrivers: 'csi.example.com' }],
  ['a proof for what is no name', { ...isolated, csiDrivers: ['csi.example.com', 7] }],
  ['a proof for a name without end', { ...isolated, csiDrivers: ['x'.repeat(257)] }],
  ['a proof for drivers without end', { ...isolated, csiDrivers: Array.from({ length: 101 }, () => 'x') }],
  ['a proof for a list that has holes', { ...isolated, csiDrivers: Array.from({ length: 3 }) }],
  ['a proof for a list that cannot be read', { ...isolated, csiDrivers: new Proxy(['x'], { get: thrown }) }],
];

describe('a driver that answers', () => {
  it.each(answers)('%s has failed, by a bug, and may be asked again', (_, answer) => {
    expect(checkedAnswer(answer)).toEqual({
      outcome: 'failed',
      detail: expect.stringMatching(/^a bug in the driver: it answered /),
    });
  });

  it('what belongs to it and more is relieved of the rest', () => {
    expect(checkedAnswer({ ...fenced, more: 'x', retryAfterMs: 5, permanent: true })).toEqual(fenced);
    expect(
      checkedAnswer({ outcome: 'waiting', detail: 'busy', retryAfterMs: 5, proof: 'powered-off' }),
    ).toEqual({ outcome: 'waiting', detail: 'busy', retryAfterMs: 5 });
    expect(checkedAnswer({ outcome: 'failed', detail: 'no', evidence: [], proof: 'powered-off' })).toEqual({
      outcome: 'failed',
      detail: 'no',
    });
  });

  it('one thing now and another later is taken at its first word', () => {
    let reads = 0;
    const answer = {
      ...isolated,
      get csiDrivers() {
        return new Proxy(['a'], {
          get: (list, key) => (key === '0' ? (reads++ === 0 ? 'a' : 7) : Reflect.get(list, key)),
        });
      },
    };
    expect(checkedAnswer(answer)).toEqual({ ...isolated, csiDrivers: ['a'] });
  });

  it.each([
    [true, true],
    ['yes', undefined],
    [1, undefined],
    [false, undefined],
  ])('that it failed for good, by %s, is believed only when it says just that', (permanent, kept) => {
    expect(checkedAnswer({ outcome: 'failed', detail: 'no', permanent })).toEqual({
      outcome: 'failed',
      detail: 'no',
      ...(kept && { permanent: kept }),
    });
  });

  it('at length is cut short: a record must stay small enough to be written', () => {
    const long = 'x'.repeat(5_000);
    const evidence = Array.from({ length: 30 }, (_, at) => ({ witness: `w${at}`, said: long, at: long }));
    const answer = checkedAnswer({ ...fenced, detail: long, evidence });
    expect(answer.detail).toHaveLength(1_024);
    if (answer.outcome !== 'fenced') throw new Error('it is an answer');
    expect(answer.evidence).toHaveLength(10);
    expect(answer.evidence?.map(({ witness }) => witness)).toEqual(
      Array.from({ length: 10 }, (_, at) => `w${at + 20}`),
    );
    for (const { said, at } of answer.evidence ?? []) expect([said.length, at.length]).toEqual([256, 256]);
    expect(JSON.stringify(answer).length).toBeLessThan(10_000);
  });

  it('with evidence that cannot be read is believed without it: that only explains', () => {
    const good = { witness: 'bmc', said: 'PowerState Off', at: '2030-01-01T00:00:00.000Z' };
    const bad = [null, 7, {}, { witness: 'bmc' }, { ...good, said: 7 }];
    expect(checkedAnswer({ ...fenced, evidence: [...bad, good] })).toEqual({ ...fenced, evidence: [good] });
    for (const evidence of [
      'x',
      7,
      {},
      bad,
      new Proxy([good], { get: thrown }),
      [new Proxy({}, { get: thrown })],
    ]) {
      expect(checkedAnswer({ ...fenced, evidence })).toEqual(fenced);
    }
  });

  it('in the words of a device keeps to one line, which steers no terminal', () => {
    const words = 'off\r\n\u001b[2J and\tmore';
    const evidence = [{ witness: 'bmc', said: words, at: 'now' }];
    expect(checkedAnswer({ ...fenced, detail: words, evidence })).toEqual({
      ...fenced,
      detail: 'off [2J and more',
      evidence: [{ witness: 'bmc', said: 'off [2J and more', at: 'now' }],
    });
  });

  it.each([
    ['fenced without a proof', { outcome: 'fenced', detail: 'off' }],
    ['a proof that there is not', { outcome: 'fenced', proof: 'bananas', detail: 'off' }],
    ['waiting for no time', { outcome: 'waiting', detail: 'not yet', retryAfterMs: 0 }],
  ])('%s neither is asked without a pause nor gets it on record', async (_, answer) => {
    await using story = new TakeoverStory();
    let asked = 0;
    const failed: FenceResult = { outcome: 'failed', detail: 'no answer' };
    // Without an end here, a loop without a pause would eat up all memory.
    story.fence = () => (++asked > 50 ? failed : nonsense(answer));
    await story.start().pass(5_000);
    expect(asked).toBeLessThan(5);
    expect(story.record).not.toHaveProperty('proof');
    expect(story.record.climb?.rungs[0]?.detail).toMatch(/^a bug in the driver: it answered /);
    expect(story.cluster.destroyed).toEqual([]);
  });
});
