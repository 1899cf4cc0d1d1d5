// What somebody puts on a Node while a device thinks counts, though the Node is deleted before the device has answered.
import { describe, expect, it } from 'vitest';
import type { FenceResult } from './fencing/fencer.ts';
import type { Policy } from './policy/policy.ts';
import { LeadershipStory } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

const optional: Partial<Policy> = { fencing: { drivers: ['ipmi'], proof: 'optional' } };
const failed: FenceResult = { outcome: 'failed', detail: 'no answer' };
const off: FenceResult = { outcome: 'fenced', proof: 'powered-off', detail: 'off' };

const mark = (story: LeadershipStory, annotations: Readonly<Record<string, string>>): void =>
  story.cluster.changeNode('node-1', (node) => ({
    ...node,
    metadata: { ...node.metadata, annotations: { ...node.metadata.annotations, ...annotations } },
  }));

const deleteNode = (story: LeadershipStory): void => {
  story.cluster.nodes.delete('node-1');
  story.cluster.leases.delete('node-1');
};

/** A device that thinks for half a minute, and then says this. */
function thinking(answer: FenceResult, policy: Partial<Policy> = optional): LeadershipStory {
  const story = new LeadershipStory(policy);
  story.fence = async (_, { signal }) => {
    await sleep(story.clock, 30_000, signal);
    return answer;
  };
  return story.lead(1);
}

const brakes = [
  ['a pause', { 'liberator.dev/paused': 'mine' }],
  ['an exclusion', { 'liberator.dev/exclude': 'true' }],
] as const;

describe('a Node that somebody marks and then deletes, both while a device thinks', () => {
  it.each(brakes)('leaves %s in force, and on record', async (_, annotations) => {
    const story = thinking(failed);
    await story.pass(32);
    mark(story, annotations);
    await story.pass(3);
    deleteNode(story);
    await story.pass(120);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.records[0]?.noted?.annotations).toMatchObject(annotations);
  });

  it.each(brakes)('leaves %s in force whatever the device vouches for', async (_, annotations) => {
    const story = thinking(off);
    await story.pass(32);
    mark(story, annotations);
    await story.pass(3);
    deleteNode(story);
    await story.pass(120);
    expect(story.records[0]).toMatchObject({ proof: 'powered-off' });
    expect(story.cluster.destroyed).toEqual([]);
  });

  it.each(brakes)('leaves %s in force under the next leader', async (_, annotations) => {
    const story = thinking(failed);
    await story.pass(32);
    mark(story, annotations);
    await story.pass(3);
    deleteNode(story);
    await story.pass(3);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(120);
    expect(story.cluster.destroyed).toEqual([]);
  });

  it.each(brakes)('gets no permit against %s for what the device does next', async (_, annotations) => {
    const story = new LeadershipStory(optional);
    const permits: unknown[] = [];
    story.fence = async (_, { signal, permit }) => {
      await sleep(story.clock, 30_000, signal);
      permits.push(await permit());
      return failed;
    };
    story.lead(1);
    await story.pass(32);
    mark(story, annotations);
    await story.pass(3);
    deleteNode(story);
    await story.pass(60);
    expect(permits).toMatchObject([{ outcome: 'refused', code: 'held' }]);
  });

  it('leaves the word of whoever vouched for the death on it', async () => {
    const story = new LeadershipStory({ fencing: { drivers: ['ipmi'], proof: 'required' } });
    const heard: (string | undefined)[] = [];
    story.fence = async ({ confirmation }, { signal }) => {
      heard.push(confirmation?.by);
      await sleep(story.clock, 20_000, signal);
      return failed;
    };
    story.lead(1);
    await story.pass(32);
    const [record] = story.records;
    mark(story, {
      'liberator.dev/confirmed-dead': record?.deathId ?? '',
      'liberator.dev/confirmed-by': 'alice',
    });
    await story.pass(3);
    deleteNode(story);
    await story.pass(60);
    expect(heard.slice(0, 2)).toEqual([undefined, 'alice']);
  });
});

describe('a Node that somebody deletes while a device thinks', () => {
  it('does not release the pods of a host that answers by then: without its Node its kubelet renews no Lease', async () => {
    const story = thinking(failed);
    await story.pass(32);
    deleteNode(story);
    story.silent.delete('node-1');
    await story.pass(180);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.records[0]?.steps.fence?.detail).toContain('held: the host is up: its kubelet answers');
    story.silent.add('node-1');
    await story.pass(180);
    expect(story.results).toEqual(['death: recovered']);
  });
});
