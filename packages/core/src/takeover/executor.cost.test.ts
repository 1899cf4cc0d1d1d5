// What a takeover asks for and what it doesn't: looks that serve two steps, writes that tell of several, and what must not be saved.
import { describe, expect, it } from 'vitest';
import { noneFencer } from '../fencing/none.ts';
import { newRecord } from '../testing/dead-node.ts';
import type { Call } from '../testing/memory-cluster.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';

const unfenced = {
  policy: { ...newRecord().policy, proof: 'optional', drivers: ['none'] },
  // As a leader notes it when it opens a takeover.
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: { rack: '7' },
    annotations: {},
  },
} as const;

function storyWithout(): TakeoverStory {
  const story = new TakeoverStory();
  story.more = [noneFencer];
  return story;
}

const countOf = ({ cluster }: TakeoverStory, method: Call['method']): number =>
  cluster.calls.filter((call) => call.method === method).length;

/** The calls from the last one before `method` on that the test is about. */
const before = ({ cluster }: TakeoverStory, method: Call['method'], count: number): readonly string[] => {
  const at = cluster.calls.findIndex((call) => call.method === method);
  return cluster.calls.slice(at - count, at).map((call) => call.method);
};

describe('the record of a takeover', () => {
  it('is claimed, and its first step begun, by the very write that creates it', async () => {
    await using story = storyWithout();
    story.cluster.fateOf = ({ method }) =>
      method === 'readNodeLease' ? { outcome: 'unanswered' } : undefined;
    await story.start(unfenced).pass(0);
    expect(countOf(story, 'updateRecord')).toBe(0);
    expect(story.record.steps).toMatchObject({ claim: { outcome: 'done' }, cordon: { epoch: 1 } });
    expect(story.ended).toEqual(['claim done']);
  });

  it('tells that it was claimed even when the answer to that was lost, and once', async () => {
    await using story = storyWithout();
    story.trouble('createRecord', { outcome: 'answer-lost' });
    await story.start(unfenced).pass(0);
    expect(story.ended).toEqual([]);
    await story.start(unfenced).pass(30_000);
    expect(story.ended.filter((one) => one === 'claim done')).toHaveLength(1);
    expect(story.record.result).toBe('recovered');
  });

  it('is written once for each step that acts, and once at the end', async () => {
    await using story = storyWithout();
    const written: string[] = [];
    story.cluster.fateOf = ({ method }) => ({
      after: () => {
        if (method !== 'updateRecord') return;
        const told = Object.entries(story.record.steps).map(
          ([step, { outcome = 'begun' }]) => `${step} ${outcome}`,
        );
        written.push(told.slice(-2).join(', '));
      },
    });
    await story.start(unfenced).pass(30_000);
    expect(written).toEqual([
      'recheck done, release begun',
      // Right before the Node is marked, and what lies between is a look.
      'recheck done, release begun',
      'release done, remove begun',
      'remove done, verify begun',
      'remove done, verify done',
    ]);
  });

  it('has a device’s answer on it before anything else is asked', async () => {
    await using story = new TakeoverStory();
    await story.start().pass(0);
    const answered = story.cluster.calls.findIndex(({ method }) => method === 'listPodsOn');
    const saved = story.cluster.calls.slice(0, answered).findLast(({ write }) => write);
    expect(saved?.method).toBe('updateRecord');
    expect(story.record.proof).toBe('powered-off');
  });

  it('has everything on it that was done, before anything is waited for', async () => {
    await using story = storyWithout();
    story.whenStarted = {
      recheck: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start(unfenced).pass(500);
    expect(story.record.steps).toMatchObject({
      cordon: { outcome: 'done' },
      fence: { outcome: 'done' },
      recheck: { detail: 'held: paused: night' },
    });
    expect(story.ended).toEqual(['claim done', 'cordon done', 'fence done']);
  });
});

describe('a look at the node', () => {
  it('is made right before the Node is marked, before pods are deleted and before the Node is', async () => {
    await using story = storyWithout();
    await story.start(unfenced).pass(30_000);
    const look = ['readNodeLease', 'readNode'];
    expect(before(story, 'deletePod', 2)).toEqual(look);
    expect(before(story, 'deleteNode', 2)).toEqual(look);
    const marks = story.cluster.calls.filter(({ method }) => method === 'setTaints');
    expect(
      marks.map(({ index }) => story.cluster.calls.slice(index - 3, index).map(({ method }) => method)),
    ).toEqual([
      ['createRecord', ...look],
      [...look, 'updateRecord'],
    ]);
    expect(countOf(story, 'readNodeLease')).toBe(4);
  });

  it('is not relied on any more once something was waited for', async () => {
    await using story = storyWithout();
    story.lifeSign = () => undefined;
    story.whenStarted = {
      recheck: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start(unfenced).pass(5_000);
    story.cluster.renew('node-1', 'r2');
    story.holds = [];
    await story.pass(2_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: expect.stringContaining('Lease') });
    expect(story.record.steps.release).toBeUndefined();
  });

  it('is made anew when a device was asked in between', async () => {
    await using story = new TakeoverStory();
    story.lifeSign = () => undefined;
    story.fence = () => {
      story.cluster.renew('node-1', 'r2');
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    await story.start().pass(5_000);
    expect(story.record.result).toBe('undone');
    expect(story.record.proof).toBeUndefined();
  });

  it('waits with a human, asking the API server now and then only', async () => {
    await using story = new TakeoverStory();
    await story.start({ policy: { ...newRecord().policy, drivers: ['manual'] } }).pass(600_000);
    expect(countOf(story, 'readNodeLease')).toBeLessThan(70);
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { 'liberator.dev/confirmed-dead': 'death' } },
    }));
    await story.pass(2_100);
    expect(story.record.proof).toBe('confirmed-by-human');
  });
});

describe('a takeover of which nothing is waited for', () => {
  it('takes no longer than one look at pods that are being evicted', async () => {
    await using story = storyWithout();
    story.cluster.fateOf = ({ method }) => ({
      after: () => {
        if (method === 'setTaints' && story.record.steps.release !== undefined) {
          story.cluster.pods.delete('default/db-0');
          story.cluster.pods.delete('default/web-1');
          story.cluster.attachments.clear();
        }
      },
    });
    await story.start(unfenced).pass(100);
    expect(story.record.steps.remove).toMatchObject({ outcome: 'done' });
  });
});
