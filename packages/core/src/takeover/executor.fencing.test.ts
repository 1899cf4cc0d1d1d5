// Nothing is fenced that lives or that a brake holds, at the very moment of the harm; and proof counts for what it is.
import { describe, expect, it } from 'vitest';
import type { Fencer } from '../fencing/fencer.ts';
import { newRecord } from '../testing/dead-node.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import { sleep } from '../time/clock.ts';

const { policy } = newRecord();
const ladder = { policy: { ...policy, drivers: ['ipmi', 'cloud'] } };

/** A second fencer, which acts at once; `acted` tells when. */
function withCloud(story: TakeoverStory): { readonly acted: number[] } {
  const acted: number[] = [];
  const cloud: Fencer = {
    name: 'cloud',
    async fence() {
      acted.push(story.clock.now());
      return { outcome: 'fenced', proof: 'powered-off', detail: 'the cloud says off' };
    },
  };
  story.more = [cloud];
  return { acted };
}

/** The first fencer hangs until it is called off, after a minute. */
function hangs(story: TakeoverStory): void {
  story.fence = async (_, { signal }) => {
    await sleep(story.clock, 3_600_000, signal);
    return { outcome: 'failed', detail: 'the BMC does not answer' };
  };
}

describe('a second fencer', () => {
  it('is not asked when the node came back while the first one hung', async () => {
    await using story = new TakeoverStory();
    const { acted } = withCloud(story);
    hangs(story);
    await story.start(ladder).pass(20_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(120_000);
    expect(acted).toEqual([]);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'its Lease was renewed at r2' });
  });

  it('is not asked when somebody paused everything while the first one hung, and is once that ends', async () => {
    await using story = new TakeoverStory();
    const { acted } = withCloud(story);
    hangs(story);
    await story.start(ladder).pass(20_000);
    story.holds = ['paused: everything is paused: stop!'];
    await story.pass(600_000);
    expect(acted).toEqual([]);
    expect(story.record.steps.fence?.detail).toBe('held: paused: everything is paused: stop!');
    story.fence = () => ({ outcome: 'failed', detail: 'the BMC does not answer' });
    story.holds = [];
    // What the pause took costs the first one none of its time.
    await story.pass(65_000);
    expect(acted).toEqual([]);
    await story.pass(15_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'cloud' });
  });

  it('is asked once the first has had its time when nothing of that happened', async () => {
    await using story = new TakeoverStory();
    const { acted } = withCloud(story);
    hangs(story);
    await story.start(ladder).pass(80_000);
    expect(acted).toHaveLength(0);
    await story.pass(15_000);
    expect(acted).toHaveLength(1);
    expect(story.record.proof).toBe('powered-off');
  });
});

describe('a fencer that thinks before it acts', () => {
  /** Half a minute to log in, then the look, then the harm. */
  const thinking = (story: TakeoverStory): { readonly acted: number[] } => {
    const acted: number[] = [];
    story.fence = async (_, { signal, permit }) => {
      await sleep(story.clock, 30_000, signal);
      const permitted = await permit();
      if (permitted.outcome === 'refused') return { outcome: 'failed', detail: permitted.detail };
      acted.push(story.clock.now());
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    return { acted };
  };

  it.each(['required', 'optional'] as const)(
    'gets no permit for a node that came back meanwhile, where a proof is %s',
    async (proof) => {
      await using story = new TakeoverStory();
      const { acted } = thinking(story);
      await story.start({ policy: { ...policy, proof } }).pass(10_000);
      story.cluster.renew('node-1', 'r2');
      await story.pass(60_000);
      expect(acted).toEqual([]);
      expect(story.cluster.destroyed).toEqual([]);
      expect(story.record.result).toBe('undone');
    },
  );

  it.each(['required', 'optional'] as const)(
    'gets none under a brake, which is no failure of its own, where a proof is %s',
    async (proof) => {
      await using story = new TakeoverStory();
      const { acted } = thinking(story);
      await story.start({ policy: { ...policy, proof } }).pass(10_000);
      story.holds = ['paused: night'];
      await story.pass(600_000);
      expect(acted).toEqual([]);
      expect(story.record.steps.fence?.detail).toBe('held: paused: night');
      // It is released just as the fencer has asked: no permit was refused without reason.
      story.holds = [];
      await story.pass(60_000);
      expect(acted).toHaveLength(1);
      expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
    },
  );

  it('gets none when the API server does not say how the node is', async () => {
    await using story = new TakeoverStory();
    const { acted } = thinking(story);
    await story.start().pass(10_000);
    story.cluster.fateOf = ({ method }) => (method === 'readNodeLease' ? { outcome: 'failed' } : undefined);
    await story.pass(120_000);
    expect(acted).toEqual([]);
    story.cluster.fateOf = () => undefined;
    await story.pass(120_000);
    expect(acted).toHaveLength(1);
    expect(story.record.result).toBe('recovered');
  });

  it('gets none once the term is over', async () => {
    await using story = new TakeoverStory();
    const { acted } = thinking(story);
    await story.start().pass(10_000);
    story.term.end('b holds the Lease now');
    await story.pass(120_000);
    expect(acted).toEqual([]);
  });
});

describe('a proof', () => {
  it('about a node that lives is told and believed by nobody: maybe another machine was switched off', async () => {
    await using story = new TakeoverStory();
    story.fence = () => {
      story.cluster.renew('node-1', 'r2');
      return { outcome: 'fenced', proof: 'powered-off', detail: 'outlet 7 is off' };
    };
    await story.start().pass(30_000);
    expect(story.record).toMatchObject({
      result: 'undone',
      undoing: 'its Lease was renewed at r2, although ipmi vouches for "powered-off" (outlet 7 is off)',
    });
    expect(story.record.proof).toBeUndefined();
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('of a reboot after which the node is back already gives it back, since nothing of before runs', async () => {
    await using story = new TakeoverStory();
    story.fence = () => {
      story.cluster.changeNode('node-1', (node) => ({
        ...node,
        status: { ...node.status, nodeInfo: { bootID: 'boot-2' } },
      }));
      return { outcome: 'fenced', proof: 'rebooted', detail: 'the BMC reset it' };
    };
    await story.start().pass(30_000);
    expect(story.record).toMatchObject({
      result: 'undone',
      undoing: 'it has booted again, although ipmi vouches for "rebooted" (the BMC reset it)',
    });
  });

  it('that came while a brake was put on is kept, and what follows is held', async () => {
    await using story = new TakeoverStory();
    story.fence = () => {
      story.holds = ['paused: night'];
      return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
    };
    await story.start().pass(60_000);
    expect(story.record).toMatchObject({ proof: 'powered-off', fencer: 'ipmi' });
    expect(story.record.steps.recheck?.detail).toBe('held: paused: night');
    expect(story.fenced).toHaveLength(1);
  });

  it('that a human gives names them on record', async () => {
    await using story = new TakeoverStory();
    await story.start({ policy: { ...policy, drivers: ['manual'] } }).pass(10_000);
    story.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: {
        ...metadata,
        annotations: { 'liberator.dev/confirmed-dead': 'death', 'liberator.dev/confirmed-by': 'alice' },
      },
    }));
    await story.pass(30_000);
    expect(story.record).toMatchObject({
      result: 'recovered',
      proof: 'confirmed-by-human',
      fencer: 'manual',
      confirmedBy: 'alice',
    });
  });
});

describe('a fencer that is not there', () => {
  it.each(['required', 'optional'] as const)(
    'holds, by its name, where a proof is %s, and no other one is asked in its place',
    async (proof) => {
      await using story = new TakeoverStory();
      await story.start({ policy: { ...policy, proof, drivers: ['ipmi', 'redfish'] } }).pass(3_600_000);
      expect(story.record.steps.fence?.detail).toBe(
        'held: policy "default" names "redfish", which is no fencer here: there are ipmi, manual',
      );
      expect(story.record.proof).toBeUndefined();
      expect(story.fenced).toEqual([]);
      expect(story.cluster.destroyed).toEqual([]);
    },
  );

  it('holds no node that lives', async () => {
    await using story = new TakeoverStory();
    await story.start({ policy: { ...policy, drivers: ['redfish'] } }).pass(10_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(2_000);
    expect(story.record.result).toBe('undone');
  });
});
