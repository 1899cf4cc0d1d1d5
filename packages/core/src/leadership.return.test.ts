// What a leader does about nodes that come back after their takeover.
import { describe, expect, it } from 'vitest';
import type { Taint } from './kubernetes/objects.ts';
import { outOfServiceTaint } from './marks/taints.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';

const isOutOfService = ({ key }: Taint): boolean => key === outOfServiceTaint.key;

describe('a node that comes back after its takeover', () => {
  it('is trusted again once it has booted and has been well for a minute from then on', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    // Its Ready condition never changed: the takeover was quicker than Kubernetes.
    story.boot('node-1', 'boot-2');
    await story.pass(50);
    expect(story.nodes.get('node-1')?.health).toBe('returning');
    expect(story.taints()).toEqual(['team', 'liberator.dev/takeover']);
    await story.pass(20);
    expect(story.returns).toMatchObject([{ move: 'admit' }, { move: 'welcome' }]);
    expect(story.taints()).toEqual(['team']);
    expect(story.nodes.get('node-1')?.health).toBe('alive');
    expect(story.events('NodeReturned')).toHaveLength(1);
  });

  it('is not put into quarantine before it is back', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(600);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.returns).toEqual([]);
    expect(story.events('NodeQuarantined')).toEqual([]);
  });

  it('without having booted is put into quarantine', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-1');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'quarantine' }]);
    expect(story.taints()).toContain('liberator.dev/quarantine');
  });

  it('under a new uid gets back what people had put on it', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(90);
    expect(story.returns.map(({ move }) => move)).toEqual(['restore', 'welcome']);
    expect(story.cluster.nodes.get('node-1')?.metadata.labels).toEqual({ rack: '7' });
    expect(story.taints()).toEqual(['team']);
  });

  it('is attended to by the next leader as well, and under any brake', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.blind = ['everything'];
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'admit' }, { move: 'welcome' }]);
  });

  it('and dies again is taken over again', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(120);
    story.die('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered', 'death: recovered']);
    expect(story.cluster.destroyed).toContain('n1-anew');
  });
});

describe('a kept node that has booted', () => {
  it('is no longer out of service at once, before it is Ready: its network plug-in may wait for that', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    story.ready('node-1', 'Unknown');
    await story.pass(2);
    expect(story.taints()).toEqual(['team', 'liberator.dev/takeover']);
    expect(story.events('NodeAdmitted')).toHaveLength(1);
    await story.pass(300);
    expect(story.taints()).toEqual(['team', 'liberator.dev/takeover']);
    story.ready('node-1');
    await story.pass(70);
    expect(story.taints()).toEqual(['team']);
  });

  it('keeps the out-of-service taint that an administrator put on it after ours was gone', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(5);
    story.taint('node-1', outOfServiceTaint);
    await story.pass(120);
    expect(story.taints()).toEqual(['team', outOfServiceTaint.key]);
  });

  it('keeps one that was there before we released anything, and is let in all the same', async () => {
    const story = new LeadershipStory({ node: 'keep' });
    story.taint('node-1', outOfServiceTaint);
    story.lead(1);
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    story.boot('node-1', 'boot-2');
    await story.pass(90);
    expect(story.taints()).toEqual(['team', outOfServiceTaint.key]);
    expect(story.returns.at(-1)).toMatchObject({ move: 'welcome' });
  });

  it('keeps one that was put on while a pause held the release', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    const { cluster } = story;
    // The brake comes on in the very moment in which the mark was noted, and before it was put on.
    cluster.fateOf = () => ({
      after: () => {
        const noted = [...cluster.records.values()].some(({ record }) => record.outOfService === true);
        if (noted && !cluster.taintsOf('node-1').some(isOutOfService)) story.blind = ['x'];
      },
    });
    await story.pass(40);
    expect(story.blind).toEqual(['x']);
    expect(story.records[0]?.outOfService).toBe(false);
    cluster.fateOf = () => undefined;
    story.taint('node-1', outOfServiceTaint);
    await story.pass(5);
    story.blind = [];
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.records[0]?.outOfService).toBe(false);
    story.boot('node-1', 'boot-2');
    await story.pass(90);
    expect(story.taints()).toEqual(['team', outOfServiceTaint.key]);
  });

  describe('that somebody put on it after the last look of the recheck', () => {
    const isReleasing = ({ records: [record] }: LeadershipStory): boolean =>
      record?.steps.release !== undefined;
    const isNoted = ({ records: [record] }: LeadershipStory): boolean => record?.outOfService === true;

    async function expectKept(story: LeadershipStory): Promise<void> {
      await story.pass(40);
      expect(story.results).toEqual(['death: recovered']);
      expect(story.records[0]?.outOfService).toBe(false);
      story.boot('node-1', 'boot-2');
      await story.pass(90);
      expect(story.taints()).toEqual(['team', outOfServiceTaint.key]);
    }

    it('while the API server did not answer is kept, and brakes are asked', async () => {
      const story = new LeadershipStory({ node: 'keep' });
      const { cluster } = story;
      cluster.fateOf = ({ method }) =>
        method.startsWith('read') && isReleasing(story) ? { outcome: 'unanswered' } : undefined;
      story.lead(1);
      await story.pass(40);
      expect(isReleasing(story)).toBe(true);
      story.taint('node-1', outOfServiceTaint);
      story.paused = 'stop';
      cluster.fateOf = () => undefined;
      await story.pass(60);
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.records[0]?.steps.release?.detail).toMatch(/^held: /);
      story.paused = undefined;
      await expectKept(story);
    });

    it('while nobody led is kept', async () => {
      const story = new LeadershipStory({ node: 'keep' });
      story.cluster.fateOf = () => ({
        after: () => {
          if (isReleasing(story)) story.term?.end('it crashed');
        },
      });
      story.lead(1);
      await story.pass(40);
      story.cluster.fateOf = () => undefined;
      await story.crash();
      story.taint('node-1', outOfServiceTaint);
      story.lead(2);
      await story.leading?.takeUp();
      await expectKept(story);
    });

    it('between the note and the mark of this leader is kept', async () => {
      const story = new LeadershipStory({ node: 'keep' });
      let isMarked = false;
      story.cluster.fateOf = () => ({
        after: () => {
          if (isMarked || !isNoted(story)) return;
          isMarked = true;
          story.taint('node-1', outOfServiceTaint);
        },
      });
      story.lead(1);
      await expectKept(story);
      expect(isMarked).toBe(true);
    });
  });

  it.each(['liberator.dev/takeover', 'node.kubernetes.io/out-of-service'])(
    'loses the other mark of ours when somebody has taken off %s',
    async (removed) => {
      const story = new LeadershipStory({ node: 'keep' }).lead(1);
      await story.pass(60);
      story.untaint('node-1', removed);
      story.boot('node-1', 'boot-2');
      await story.pass(90);
      expect(story.taints()).toEqual(['team']);
    },
  );

  it('loses them by the word of the next leader, too', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.untaint('node-1', 'liberator.dev/takeover');
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.boot('node-1', 'boot-2');
    await story.pass(90);
    expect(story.taints()).toEqual(['team']);
  });
});

describe('a node in quarantine', () => {
  /** Its restart takes so long that it dies once more, and comes back before anything is done about that. */
  async function restarted(story: LeadershipStory): Promise<void> {
    story.boot('node-1', 'boot-1');
    await story.pass(90);
    expect(story.taints()).toContain('liberator.dev/quarantine');
    story.die('node-1');
    story.fence = waiting;
    await story.pass(60);
    expect(story.leading?.runningTakeovers).toEqual(['node-1']);
    story.boot('node-1', 'boot-2');
    await story.pass(10);
    expect(story.results).toEqual(['death: recovered', 'death: undone']);
  }

  it('is let out by the restart that it was asked for, however long that took', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await restarted(story);
    await story.pass(90);
    expect(story.taints()).toEqual(['team']);
    expect(story.nodes.get('node-1')?.health).toBe('alive');
    expect(story.records[0]?.return).toMatchObject({ quarantined: true, welcomed: true });
  });

  it('and deleted before is let out so, too, and by the next leader', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-1', 'n1-anew');
    await restarted(story);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(90);
    expect(story.taints().filter((key) => key.includes('liberator'))).toEqual([]);
  });

  it('is let out by a human although a takeover was undone since', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await restarted(story);
    const [first] = story.records;
    story.boot('node-1', 'boot-1');
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { ...node.metadata.annotations, 'liberator.dev/confirmed-returned': first?.id ?? '' },
      },
    }));
    await story.pass(90);
    expect(story.taints()).toEqual(['team']);
  });
});

describe('a node that died twice before it was trusted', () => {
  it('is judged by its last boot, and then loses the marks of both takeovers', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    // Back for a moment, without a new boot: the marks of the first takeover are all still there.
    story.boot('node-1', 'boot-1');
    await story.pass(20);
    story.die('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered', 'death: recovered']);
    expect(story.records.map(({ outOfService }) => outOfService)).toEqual([true, false]);
    story.boot('node-1', 'boot-2');
    await story.pass(90);
    expect(story.taints()).toEqual(['team']);
    expect(story.records.map(({ outOfService }) => outOfService)).toEqual([false, false]);
  });

  it('is let in whatever the wall clocks of its leaders said', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(90);
    for (const [id, stored] of story.cluster.records) {
      const ahead = { ...stored.record, openedAt: '2031-01-01T00:00:00.000Z' };
      story.cluster.records.set(id, { ...stored, record: ahead });
    }
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.die('node-1');
    await story.pass(90);
    story.boot('node-1', 'boot-3');
    await story.pass(90);
    expect(story.taints()).toEqual(['team']);
    expect(story.returns.at(-1)).toMatchObject({ move: 'welcome' });
  });
});

describe('a takeover that was undone', () => {
  it('leaves nothing of ours on the node, even when the cordon reaches the server only afterwards', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(40);
    const [mark] = story.cluster.taintsOf('node-1').filter(({ key }) => key === 'liberator.dev/takeover');
    story.boot('node-1', 'boot-1');
    await story.pass(10);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);

    const others = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' as const };
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      spec: { ...node.spec, taints: [...(node.spec?.taints ?? []), ...(mark ? [mark] : []), others] },
    }));
    expect(story.taints()).toContain('liberator.dev/takeover');
    await story.pass(5);
    expect(story.taints()).toEqual(['team', 'node.kubernetes.io/out-of-service']);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
  });
});
