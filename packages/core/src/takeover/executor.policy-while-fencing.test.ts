// A node that is put under another policy while a device of the old one thinks: what is asked next is asked by the policy of now.
import { describe, expect, it } from 'vitest';
import type { FenceResult } from '../fencing/fencer.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import { sleep } from '../time/clock.ts';
import type { RecordedPolicy } from './record.ts';

const failed: FenceResult = { outcome: 'failed', detail: 'no answer' };
const off: FenceResult = { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
const byDevice: RecordedPolicy = {
  name: 'by-device',
  node: 'delete',
  proof: 'optional',
  drivers: ['ipmi', 'pdu'],
};
const byHand: RecordedPolicy = { name: 'by-hand', node: 'delete', proof: 'required', drivers: ['manual'] };

/** "ipmi" thinks for half a minute and then says this; "pdu" switches off at once. */
function thinking(answer: FenceResult): { story: TakeoverStory; asked: string[] } {
  const story = new TakeoverStory();
  const asked: string[] = [];
  story.more = ['pdu', 'cloud'].map((name) => ({
    name,
    fence: async () => {
      asked.push(name);
      return off;
    },
  }));
  story.fence = async (_, { signal }) => {
    await sleep(story.clock, 30_000, signal);
    return answer;
  };
  return { story, asked };
}

describe('a node that is put under another policy while a device thinks', () => {
  it("has none of the old policy's devices asked any more, and waits for what the new one wants", async () => {
    const { story, asked } = thinking(failed);
    await using _ = story;
    await story.start({ policy: byDevice }).pass(10_000);
    story.policy = byHand;
    await story.pass(120_000);
    expect(asked).toEqual([]);
    expect(story.fenced).toHaveLength(1);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record).toMatchObject({ policy: byHand, policyChanges: [{ from: byDevice, to: byHand }] });
    expect(story.record.steps.fence?.detail).toContain('manual: make sure that node-1 is off');
  });

  it("is fenced by the new one's devices", async () => {
    const { story, asked } = thinking(failed);
    await using _ = story;
    await story.start({ policy: byDevice }).pass(10_000);
    story.policy = { ...byDevice, name: 'by-cloud', drivers: ['cloud'] };
    await story.pass(120_000);
    expect(asked).toEqual(['cloud']);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'cloud' });
  });

  it('is not done with for the want of a proof that the new one asks for', async () => {
    const { story } = thinking(failed);
    await using _ = story;
    await story.start({ policy: { ...byDevice, drivers: ['ipmi'] } }).pass(10_000);
    story.policy = byHand;
    await story.pass(120_000);
    expect(story.record).not.toHaveProperty('proof');
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('hears what its old device vouches for, and asks by the new one all the same', async () => {
    const { story } = thinking(off);
    await using _ = story;
    await story.start({ policy: byDevice }).pass(10_000);
    story.policy = byHand;
    await story.pass(120_000);
    expect(story.record).not.toHaveProperty('proof');
    expect(story.progress.map(({ detail }) => detail)).toContainEqual(
      expect.stringMatching(/another policy counts by now: .* although ipmi vouches for "powered-off"/),
    );
  });
});
