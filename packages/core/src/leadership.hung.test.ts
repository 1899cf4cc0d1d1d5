// A host that is up and whose kubelet hangs is switched off only where the policy says so, and only then are its pods released.
import { describe, expect, it } from 'vitest';
import type { Policy } from './policy/policy.ts';
import { LeadershipStory } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

const hungAfter: Policy['fencing'] = { drivers: ['ipmi'], proof: 'required', hungAfterMs: 180_000 };

/** node-1 is up, its kubelet renews nothing, and Kubernetes calls it Unknown after 50 s; "ipmi" switches hosts off for good. */
async function hangs(policy: Partial<Policy> = { fencing: hungAfter }): Promise<LeadershipStory> {
  const story = new LeadershipStory(policy);
  story.silent.delete('node-1');
  story.ipmi = { acts: 'power' };
  story.fence = () => {
    story.silent.add('node-1');
    return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
  };
  story.lead(1);
  await story.pass(50);
  story.ready('node-1', 'Unknown');
  return story;
}

const held = (story: LeadershipStory): string => story.events('TakeoverHeld').at(-1) ?? '';

describe('a host that is up and whose kubelet hangs', () => {
  it('is switched off once it has hung for as long as the policy says, and its pods are released', async () => {
    const story = await hangs();
    await story.pass(120);
    expect(story.fenced).toEqual([]);
    expect(story.records).toEqual([]);
    await story.pass(30);
    expect(story.fenced).toHaveLength(1);
    expect(story.records).toMatchObject([{ hung: true, proof: 'powered-off', evidence: 'suspected' }]);
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.events('TakeoverStarted')[0]).toContain('its host is up and its kubelet hangs');
  });

  it('is told of meanwhile, with the time that is left', async () => {
    const story = await hangs();
    await story.pass(12);
    expect(held(story)).toMatch(
      /hung: its host is up, its kubelet has been silent for 5\ds; would be switched off in 2m\d+s/,
    );
    const said = story.events('TakeoverHeld').length;
    await story.pass(90);
    expect(story.events('TakeoverHeld')).toHaveLength(said);
  });

  it('is left alone where the policy says nothing of it', async () => {
    const story = await hangs({ fencing: { drivers: ['ipmi'], proof: 'required' } });
    await story.pass(900);
    expect(story.fenced).toEqual([]);
    expect(held(story)).toContain('a dead kubelet is not a dead node');
  });

  it('is left alone while Kubernetes still hears its kubelet, which posts its status without a Lease', async () => {
    const story = await hangs();
    story.ready('node-1', 'True');
    await story.pass(900);
    expect(story.fenced).toEqual([]);
  });

  it('is left alone while no proof is required, whatever the rest of the policy says', async () => {
    const story = await hangs({ fencing: { ...hungAfter, proof: 'optional' } });
    await story.pass(900);
    expect(story.fenced).toEqual([]);
  });

  it('is given its time anew after a time of blindness', async () => {
    const story = await hangs();
    await story.pass(120);
    story.regainSight();
    await story.pass(170);
    expect(story.fenced).toEqual([]);
    await story.pass(30);
    expect(story.fenced).toHaveLength(1);
  });

  it('is held by a pause as any other, and switched off when that is over', async () => {
    const story = await hangs();
    story.paused = 'mine';
    await story.pass(300);
    expect(story.fenced).toEqual([]);
    story.paused = undefined;
    await story.pass(20);
    expect(story.fenced).toHaveLength(1);
  });
});

describe('a takeover of a host that hangs', () => {
  const signs: readonly (readonly [string, (story: LeadershipStory) => void])[] = [
    ['its Lease is renewed', (story) => story.cluster.renew('node-1', 'again')],
    ['it is Ready', (story) => story.ready('node-1')],
    [
      'it has booted',
      (story) =>
        story.cluster.changeNode('node-1', (node) => ({
          ...node,
          status: { ...node.status, nodeInfo: { bootID: 'boot-2' } },
        })),
    ],
  ];

  it.each(signs)(
    'is undone when %s, with no permit for what the device would do next',
    async (_, happens) => {
      const story = await hangs();
      const permits: string[] = [];
      story.fence = async (_target, { permit, signal }) => {
        permits.push((await permit()).outcome);
        await sleep(story.clock, 5_000, signal);
        permits.push((await permit()).outcome);
        return { outcome: 'failed', detail: 'no answer' };
      };
      await story.pass(132);
      expect(permits).toEqual(['granted']);
      happens(story);
      await story.pass(15);
      expect(permits.slice(0, 2)).toEqual(['granted', 'refused']);
      expect(story.results[0]).toBe('death: undone');
      expect(story.cluster.destroyed).toEqual([]);
    },
  );

  it('releases nothing while its host answers, whatever the device vouches for', async () => {
    const story = await hangs();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off, says another machine' });
    await story.pass(400);
    expect(story.records).toMatchObject([{ proof: 'powered-off' }]);
    expect(story.cluster.destroyed).toEqual([]);
    expect(held(story)).toContain('although ipmi vouches for "powered-off"');
    story.silent.add('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('asks neither those who only cut it off from storage, nor does it take their proof', async () => {
    const story = await hangs({
      fencing: { ...hungAfter, drivers: ['storage', 'ipmi'] },
    });
    const asked: string[] = [];
    story.more = [
      {
        name: 'storage',
        acts: 'storage',
        fence: async () => {
          asked.push('storage');
          return { outcome: 'fenced', proof: 'isolated', detail: 'cut off' };
        },
      },
    ];
    story.ipmi = { acts: 'power' };
    story.fence = () => ({ outcome: 'fenced', proof: 'isolated', detail: 'its port is off' });
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(200);
    expect(story.fenced.length).toBeGreaterThan(0);
    expect(asked).toEqual([]);
    expect(story.records[0]?.proof).toBeUndefined();
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('is gone on with by the next leader, with its Node deleted and its host still up', async () => {
    const story = await hangs();
    story.fence = () => ({ outcome: 'failed', detail: 'no answer' });
    await story.pass(140);
    await story.crash();
    story.cluster.nodes.delete('node-1');
    story.cluster.leases.delete('node-1');
    story.fence = () => {
      story.silent.add('node-1');
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(60);
    expect(story.records[0]).toMatchObject({ hung: true, proof: 'powered-off' });
  });

  it.each<[string, Policy['fencing']]>([
    ['and says nothing of hosts that hang', { drivers: ['ipmi'], proof: 'optional' }],
    ['and has it switched off as before', { ...hungAfter, proof: 'optional' }],
  ])('needs its proof though the policy does without one by now, %s', async (_, fencing) => {
    const story = await hangs();
    story.fence = () => ({ outcome: 'failed', detail: 'no answer' });
    await story.pass(140);
    expect(story.records[0]?.hung).toBe(true);
    const { policies } = story.loop.world.rules;
    Object.assign(policies[0] as object, { fencing });
    for (const { policy } of story.loop.world.ledger.nodes.values())
      Object.assign(policy as object, { fencing });
    await story.pass(300);
    expect(story.records[0]?.policy.proof).toBe('optional');
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.records[0]?.result).toBeUndefined();
  });
});

describe('several hosts whose kubelets hang', () => {
  const hang = (story: LeadershipStory, ...names: readonly string[]): void => {
    for (const name of names) {
      story.asleep.add(name);
      story.ready(name, 'Unknown');
    }
  };

  it('at the same time are all left alone where they are more than may be dead: that looks like an outage', async () => {
    const story = await hangs({ fencing: hungAfter, budget: { maxDead: 1, maxDeadPercent: 50 } });
    hang(story, 'node-2');
    await story.pass(900);
    expect(story.fenced).toEqual([]);
    expect(held(story)).toContain('1 other kubelet hangs as well, and at most 1 of 4 may at the same time');
  });

  it('one after another count as deaths without proof, though each was proven: the proof is our own work', async () => {
    const story = await hangs({ fencing: hungAfter, budget: { maxDead: 1, maxDeadPercent: 50 } });
    await story.pass(200);
    expect(story.fenced).toHaveLength(1);
    hang(story, 'node-2');
    await story.pass(400);
    expect(story.fenced).toHaveLength(1);
    expect(held(story)).toContain('budget: ');
    // The window is over.
    await story.pass(600);
    expect(story.fenced).toHaveLength(2);
  });
});
