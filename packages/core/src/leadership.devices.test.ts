// Several machines behind one device: one after another, with all of their time, and never at the cost of one that lives.
import { describe, expect, it } from 'vitest';
import type { FenceMachine } from './fencing/fence-target.ts';
import type { FenceDevice } from './fencing/fencer.ts';
import type { Policy } from './policy/policy.ts';
import { LeadershipStory } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

const policy: Partial<Policy> = {
  fencing: { ladder: [{ fencer: 'ipmi', forMs: 30_000 }], proof: 'required' },
  budget: { maxDead: 4, maxDeadPercent: 100 },
};

/** node-1 and others are dead, behind one power strip that takes this long to switch one off. */
function behindOneStrip(
  names: readonly string[],
  takesMs: number,
  device: (machine: FenceMachine) => FenceDevice | undefined = () => ({ key: 'pdu-7', concurrency: 1 }),
): LeadershipStory & { atWork: string[] } {
  const story = Object.assign(new LeadershipStory(policy), { atWork: [] as string[] });
  story.ipmi = { acts: 'power', device };
  for (const name of names) story.die(name);
  const at = new Set<string>();
  story.fence = async ({ name }, { signal }) => {
    at.add(name);
    story.atWork.push([...at].join(' and '));
    await sleep(story.clock, takesMs, signal);
    at.delete(name);
    return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
  };
  return Object.assign(story, story.lead(1));
}

describe('takeovers that share a device', () => {
  it('go to it one after another, and lose none of their time by that', async () => {
    const story = behindOneStrip(['node-2', 'node-3'], 25_000);
    await story.pass(130);
    expect(story.atWork).toHaveLength(3);
    expect(story.atWork.every((one) => !one.includes('and'))).toBe(true);
    expect(story.records.map(({ proof }) => proof)).toEqual(['powered-off', 'powered-off', 'powered-off']);
    // Each had 30 s, and the last one waited for 50.
    expect(story.records.map(({ climb }) => climb?.round)).toEqual([1, 1, 1]);
  });

  it('say for whom they wait, and not again and again', async () => {
    const story = behindOneStrip(['node-2'], 25_000);
    await story.pass(45);
    const said = story.events('FencingPending').filter((message) => message.includes('waits for pdu-7'));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/ipmi: waits for pdu-7, which is at work on node-[12]/);
  });

  it('go to it at the same time where it bears that', async () => {
    const story = behindOneStrip(['node-2'], 10_000, () => ({ key: 'pdu-7', concurrency: 2 }));
    await story.pass(45);
    expect(story.atWork.some((one) => one.includes('and'))).toBe(true);
  });

  it('make way when they are held by a brake, fail, or end', async () => {
    const story = behindOneStrip(['node-2'], 0);
    story.fence = ({ name }) =>
      name === 'node-1'
        ? { outcome: 'waiting', detail: 'not yet', retryAfterMs: 1_000 }
        : { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    await story.pass(40);
    expect(story.records.map(({ proof }) => proof)).toEqual([undefined, undefined]);
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { 'liberator.dev/paused': 'mine' } },
    }));
    await story.pass(5);
    expect(story.records.map(({ node, proof }) => `${node.name} ${proof}`).toSorted()).toEqual([
      'node-1 undefined',
      'node-2 powered-off',
    ]);
  });

  it('begin anew with the next leader: nobody waits for one that is gone', async () => {
    const story = behindOneStrip(['node-2'], 60_000);
    await story.pass(40);
    await story.crash();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(60);
    expect(story.records.map(({ proof }) => proof)).toEqual(['powered-off', 'powered-off']);
  });
});

describe('a device that feeds several machines at once', () => {
  const outlet = ({ noted }: FenceMachine): FenceDevice => {
    const { outlet: one } = noted.labels;
    if (one === undefined) throw new Error('there is no label outlet');
    return { key: 'pdu-7', concurrency: 1, switches: [`outlet ${one}`] };
  };
  const plug = (story: LeadershipStory, name: string, to: string): void =>
    story.cluster.changeNode(name, (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, outlet: to } },
    }));

  it('is not asked while another one lives on it, which is named, and the next fencer has its turn at once', async () => {
    const story = behindOneStrip([], 1_000, outlet);
    plug(story, 'node-1', '4');
    plug(story, 'node-2', '3');
    plug(story, 'node-3', '4');
    await story.pass(60);
    expect(story.fenced).toEqual([]);
    expect(story.records[0]?.climb?.rungs[0]).toMatchObject({
      end: 'failed',
      detail: 'outlet 4 of pdu-7 feeds node-3 as well, which lives',
    });
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('is asked where the other one is dead and taken over as well', async () => {
    const story = behindOneStrip(['node-3'], 1_000, outlet);
    plug(story, 'node-1', '4');
    plug(story, 'node-3', '4');
    await story.pass(60);
    expect(story.records.map(({ proof }) => proof)).toEqual(['powered-off', 'powered-off']);
  });

  it('gets no permit once another one comes to life on it while the device thinks', async () => {
    const story = behindOneStrip([], 1_000, outlet);
    const permits: unknown[] = [];
    story.fence = async (_, { permit, signal }) => {
      permits.push(await permit());
      await sleep(story.clock, 10_000, signal);
      permits.push(await permit());
      return { outcome: 'failed', detail: 'refused' };
    };
    plug(story, 'node-1', '4');
    await story.pass(33);
    plug(story, 'node-4', '4');
    await story.pass(15);
    expect(permits).toMatchObject([
      { outcome: 'granted' },
      { outcome: 'refused', code: 'shared', detail: 'outlet 4 of pdu-7 feeds node-4 as well, which lives' },
    ]);
    expect(story.records[0]?.climb?.rungs[0]).toMatchObject({ end: 'failed' });
  });

  it('is a permanent failure where nobody can say which it is, and stops nobody else', async () => {
    const story = behindOneStrip(['node-2'], 1_000, outlet);
    plug(story, 'node-2', '4');
    await story.pass(60);
    const [lost, found] = story.records.toSorted((a, b) => (a.node.name < b.node.name ? -1 : 1));
    expect(lost?.climb?.rungs[0]).toMatchObject({
      end: 'failed',
      detail: 'nobody can say which device it is: there is no label outlet',
    });
    expect(found?.proof).toBe('powered-off');
  });

  it.each([
    [{ key: '', concurrency: 1 }, 'it has no key'],
    [{ key: 'pdu-7', concurrency: 0 }, 'expected a concurrency of at least 1, found 0'],
    [{ key: 'pdu-7', concurrency: Number.NaN }, 'found NaN'],
  ])('that makes no sense is none: %j', async (device, words) => {
    const story = behindOneStrip([], 1_000, () => device);
    await story.pass(60);
    expect(story.fenced).toEqual([]);
    expect(story.records[0]?.climb?.rungs[0]?.detail).toContain(words);
  });
});

describe('a machine that died and runs under another name by now', () => {
  const board = 'e2c56db5-dffb-48d2-b060-d0f5a71096e0';
  const onBoard = (story: LeadershipStory, name: string, systemUUID: string): void =>
    story.cluster.changeNode(name, (node) => ({
      ...node,
      status: { ...node.status, nodeInfo: { ...node.status?.nodeInfo, systemUUID } },
    }));
  const words =
    'node-3 says that it is the same machine, and is Ready: whoever switches the one off switches the other off';

  it.each([board, 'B56DC5E2-FBDF-D248-B060-D0F5A71096E0'])('is not switched off: %s', async (says) => {
    const story = behindOneStrip([], 1_000);
    onBoard(story, 'node-1', board);
    onBoard(story, 'node-3', says);
    await story.pass(60);
    expect(story.fenced).toEqual([]);
    expect(story.records[0]?.climb?.rungs[0]).toMatchObject({ end: 'failed', detail: words });
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('gets no permit any more when it registers while the device thinks', async () => {
    const story = behindOneStrip([], 1_000);
    const permits: unknown[] = [];
    story.fence = async (_, { permit, signal }) => {
      permits.push(await permit());
      await sleep(story.clock, 10_000, signal);
      permits.push(await permit());
      return { outcome: 'failed', detail: 'refused' };
    };
    onBoard(story, 'node-1', board);
    await story.pass(33);
    onBoard(story, 'node-3', board);
    await story.pass(15);
    expect(permits).toMatchObject([
      { outcome: 'granted' },
      { outcome: 'refused', code: 'shared', detail: words },
    ]);
  });

  it('is switched off when that name is silent as well, and where boards have no number of their own', async () => {
    const silent = behindOneStrip(['node-3'], 1_000);
    onBoard(silent, 'node-1', board);
    onBoard(silent, 'node-3', board);
    await silent.pass(60);
    expect(silent.records.map(({ proof }) => proof)).toEqual(['powered-off', 'powered-off']);
    const numberless = behindOneStrip([], 1_000);
    for (const name of ['node-1', 'node-3'])
      onBoard(numberless, name, '00000000-0000-0000-0000-000000000000');
    await numberless.pass(60);
    expect(numberless.records[0]?.proof).toBe('powered-off');
  });
});
