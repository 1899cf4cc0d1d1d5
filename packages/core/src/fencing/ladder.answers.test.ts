// What a driver answers that is no answer: it failed, by name, and nothing of it gets any further.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceResult, Fencer } from './fencer.ts';
import { type Climb, climbLadder } from './ladder.ts';

/** What somebody who writes no types may hand to us. */
const nonsense = (value: unknown): never => value as never;

const target: FenceTarget = {
  name: 'node-1',
  uid: 'u',
  deathId: 'd',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

const climb = (proof: Climb['proof'] = 'required'): Climb => ({
  proof,
  signal: new AbortController().signal,
  clock: new ManualClock({ turns: 1 }),
  permit: async () => ({ outcome: 'granted', validForMs: 5_000 }),
});

const answering = (name: string, answer: unknown): Fencer => ({ name, fence: async () => nonsense(answer) });
const good = answering('good', { outcome: 'fenced', proof: 'powered-off', detail: 'off' });

const unreadable = {
  get outcome(): string {
    throw new Error('a getter with a bug');
  },
};

const answers: readonly (readonly [string, unknown])[] = [
  ['nothing', undefined],
  ['null', null],
  ['a word', 'fenced'],
  ['an empty mapping', {}],
  ['an outcome that there is not', { outcome: 'done', proof: 'powered-off', detail: 'off' }],
  ['a proof that there is not', { outcome: 'fenced', proof: 'bananas', detail: 'off' }],
  ['a proof that every mapping has', { outcome: 'fenced', proof: 'toString', detail: 'off' }],
  ['a list of proofs', { outcome: 'fenced', proof: ['powered-off'], detail: 'off' }],
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
];

describe('a driver that answers', () => {
  it.each(answers)('%s has failed, and the next one is asked', async (_, answer) => {
    expect(await climbLadder([answering('bad', answer), good], target, climb())).toMatchObject({
      outcome: 'fenced',
      fencer: 'good',
      proof: 'powered-off',
    });
  });

  it.each(answers)('%s is told of by name, and waited for as for any failure', async (_, answer) => {
    expect(await climbLadder([answering('bad', answer)], target, climb())).toMatchObject({
      outcome: 'waiting',
      detail: expect.stringMatching(/^bad: a bug in the driver: it answered /),
      retryAfterMs: 10_000,
    });
    // Where no proof is required, none is what it comes to, and no word of the driver's.
    expect(await climbLadder([answering('bad', answer)], target, climb('optional'))).toMatchObject({
      outcome: 'fenced',
      proof: 'none',
    });
  });

  it('that it wants to be asked again at once gets a pause all the same', async () => {
    const hasty = answering('hasty', { outcome: 'waiting', detail: 'not yet', retryAfterMs: 0.001 });
    expect(await climbLadder([hasty], target, climb())).toMatchObject({ retryAfterMs: 100 });
  });

  it('by throwing what cannot be put into words has failed, too', async () => {
    const bad: Fencer = { name: 'bad', fence: () => Promise.reject(Object.create(null)) };
    expect(await climbLadder([bad, good], target, climb())).toMatchObject({ fencer: 'good' });
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
    expect(story.cluster.destroyed).toEqual([]);
  });
});
