// A host whose Node was deleted under its takeover: while it is up nothing of it is released, unless somebody vouches for its death.
import { describe, expect, it } from 'vitest';
import type { ProbeResult } from '../evidence/fact.ts';
import type { NotedNode } from '../evidence/noted-node.ts';
import type { Node } from '../kubernetes/objects.ts';
import { newRecord } from '../testing/dead-node.ts';
import { waiting } from '../testing/leadership-story.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import { sleep } from '../time/clock.ts';
import type { RecordedPolicy, TakeoverRecord } from './record.ts';

const noted: NotedNode = {
  machine: { systemUuid: '', machineId: '', providerId: '' },
  addresses: [{ type: 'InternalIP', address: '192.0.2.7' }],
  labels: {},
  annotations: {},
};
const unproven: RecordedPolicy = { ...newRecord().policy, proof: 'optional' };

/** Its Node is gone, and a probe of its host hears this. */
function gone(answer: ProbeResult): TakeoverStory {
  const story = new TakeoverStory();
  story.probe = async () => answer;
  story.fence = () => ({ outcome: 'failed', detail: 'no answer' });
  story.cluster.nodes.delete('node-1');
  story.cluster.leases.delete('node-1');
  return story;
}

const start = (story: TakeoverStory, change: Partial<TakeoverRecord> = {}): TakeoverStory =>
  story.start({ noted, policy: unproven, ...change });

describe('a host whose Node is gone', () => {
  it.each([
    ['answered', 'its kubelet answers'],
    ['mute', 'it accepts connections, and its kubelet hangs'],
    ['refused', 'it refuses connections, so its kubelet is not running'],
  ] as const)('holds its takeover while it %s, before any device is asked', async (answer, words) => {
    await using story = gone(answer);
    await start(story).pass(120_000);
    expect(story.fenced).toEqual([]);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record.steps.fence?.detail).toBe(
      `held: the host is up: ${words}, though its Node is gone. What ran on it may still write. Power the machine off, and only then: liberator confirm node-1, or kubectl annotate --overwrite --namespace liberator configmap liberator-takeover-death liberator.dev/confirmed-dead=death`,
    );
    story.probe = async () => 'silent';
    await story.pass(180_000);
    expect(story.record.result).toBe('recovered');
  });

  it.each(['silent', 'failed'] as const)('holds nothing by what is no sign of life: %s', async (answer) => {
    await using story = gone(answer);
    await start(story).pass(180_000);
    expect(story.record.result).toBe('recovered');
  });

  it('holds nothing by a probe with a bug', async () => {
    await using story = gone('silent');
    story.probe = () => Promise.reject(new Error('a bug'));
    await start(story).pass(180_000);
    expect(story.record.result).toBe('recovered');
  });

  it('is asked at the addresses that were noted', async () => {
    await using story = gone('silent');
    const asked: Node[] = [];
    story.probe = async (node) => {
      asked.push(node);
      return 'silent';
    };
    await start(story).pass(180_000);
    expect(asked[0]).toMatchObject({
      metadata: { name: 'node-1', uid: 'n1' },
      status: { addresses: noted.addresses },
    });
  });

  it('is not asked where another machine has its address', async () => {
    await using story = gone('answered');
    story.addressIsReused = true;
    await start(story).pass(180_000);
    expect(story.record.result).toBe('recovered');
  });

  it.each(['recheck', 'release'])('holds the %s, too, when it comes up as late as that', async (step) => {
    await using story = gone('silent');
    story.whenStarted = {
      [step]: () => {
        story.probe = async () => 'answered';
      },
    };
    await start(story).pass(120_000);
    expect(story.record.steps).toMatchObject({
      [step]: { detail: expect.stringContaining('the host is up') },
    });
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record).not.toHaveProperty('unmarked');
  });

  it('leaves a device a permit of its own length, however long it took to be silent', async () => {
    await using story = gone('silent');
    const permits: unknown[] = [];
    story.probe = async (_, signal) => {
      await sleep(story.clock, 4_000, signal);
      return 'silent';
    };
    story.fence = async (_, { permit }) => {
      permits.push(await permit());
      return waiting();
    };
    await start(story).pass(20_000);
    expect(permits[0]).toEqual({ outcome: 'granted', validForMs: 5_000 });
  });
});

describe('who outweighs a host that answers', () => {
  it('is a device that vouches for its death', async () => {
    await using story = gone('silent');
    story.fence = () => {
      story.probe = async () => 'answered';
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    await start(story).pass(180_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
  });

  it('is a human who vouched on the Node while it was there', async () => {
    await using story = gone('answered');
    const annotations = { 'liberator.dev/confirmed-dead': 'death' };
    await start(story, { noted: { ...noted, annotations } }).pass(180_000);
    expect(story.record.result).toBe('recovered');
  });

  it('is a human who vouches on the record', async () => {
    await using story = gone('answered');
    await start(story, { policy: { ...unproven, drivers: ['manual'] } }).pass(30_000);
    expect(story.record.result).toBeUndefined();
    const stored = story.cluster.records.get('death');
    if (stored === undefined) throw new Error('there is no record');
    const annotations = { ...stored.annotations, 'liberator.dev/confirmed-dead': 'death' };
    story.cluster.records.set('death', { ...stored, annotations });
    await story.pass(180_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'confirmed-by-human' });
  });
});
