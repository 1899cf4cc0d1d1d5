// Machines that a fencer switched off are switched on again where the policy says so: after the release, on record, and under any brake.
import { describe, expect, it } from 'vitest';
import type { FenceContext } from './fencing/fence-context.ts';
import type { UnfenceResult } from './fencing/fencer.ts';
import type { Policy } from './policy/policy.ts';
import { LeadershipStory } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

const powerOn: Partial<Policy> = {
  fencing: { drivers: ['ipmi'], proof: 'required', afterwards: 'power-on' },
};

interface PowerStory extends LeadershipStory {
  /** What was true when its power was asked for. */
  readonly asked: { readonly second: number; readonly freed: boolean; readonly nodeGone: boolean }[];
  unfence: (context: FenceContext) => UnfenceResult | Promise<UnfenceResult>;
}

function dies(policy: Partial<Policy> = powerOn): PowerStory {
  const story: PowerStory = Object.assign(new LeadershipStory(policy), {
    asked: [],
    unfence: async ({ permit }: FenceContext): Promise<UnfenceResult> => {
      const { outcome } = await permit();
      return outcome === 'granted'
        ? { outcome: 'unfenced', detail: 'the BMC says on' }
        : { outcome: 'failed', detail: 'not permitted' };
    },
  });
  story.ipmi = {
    acts: 'power',
    unfence: async (_, context) => {
      const { clock, cluster } = story;
      story.asked.push({
        second: Math.floor(clock.now() / 1_000),
        freed: cluster.attachments.size === 0 && !cluster.destroyed.includes('nothing'),
        nodeGone: !cluster.nodes.has('node-1'),
      });
      return story.unfence(context);
    },
  };
  story.lead(1);
  return story;
}

describe('a machine that a fencer switched off', () => {
  it('is switched on again once its pods and volumes are free and its Node is gone', async () => {
    const story = dies();
    await story.pass(60);
    expect(story.asked).toMatchObject([{ freed: true, nodeGone: true }]);
    expect(story.records).toMatchObject([
      { result: 'recovered', powerOn: { state: 'done', detail: 'ipmi: the BMC says on', epoch: 1 } },
    ]);
    expect(story.records[0]?.left).toBeUndefined();
    expect(story.events('NodePoweredOn')).toHaveLength(1);
    await story.pass(600);
    expect(story.asked).toHaveLength(1);
  });

  it('is waited for without a write each time that its device wants to be asked again', async () => {
    const story = dies();
    let asked = 0;
    story.unfence = async () => ({ outcome: 'waiting', detail: `${++asked} s passed`, retryAfterMs: 100 });
    await story.pass(60);
    const before = asked;
    const writes = (): number => story.cluster.calls.filter(({ method }) => method === 'updateRecord').length;
    const from = writes();
    await story.pass(60);
    expect(asked - before).toBeGreaterThan(300);
    expect(writes() - from).toBeLessThan(10);
    expect(story.records[0]?.powerOn?.spentMs).toBeGreaterThan(50_000);
  });

  it('stays off where the policy says nothing else', async () => {
    const story = dies({ fencing: { drivers: ['ipmi'], proof: 'required' } });
    await story.pass(600);
    expect(story.asked).toEqual([]);
    expect(story.records[0]?.powerOn).toBeUndefined();
  });

  it('is not asked about before anything is free, however long a pod is held', async () => {
    const story = dies();
    story.cluster.attachments.set('pv-1', {
      metadata: { name: 'held', uid: 'held', resourceVersion: '1', finalizers: ['example.com/mine'] },
      spec: { nodeName: 'node-1', source: { persistentVolumeName: 'pv-1' } },
    });
    await story.pass(50);
    expect(story.asked).toEqual([]);
    await story.pass(120);
    // The release has given up by then: whatever holds the volume may still write to it.
    expect(story.records[0]?.steps.release?.left).toBeDefined();
    expect(story.asked).toEqual([]);
    expect(story.records[0]).toMatchObject({ powerOn: { state: 'failed' } });
    expect(story.records[0]?.left?.[0]).toContain('power: not everything is released: volume pv-1');
    expect(story.events('PowerOnFailed')).toHaveLength(1);
  });

  it.each(['rebooted', 'self-fenced', 'isolated', 'confirmed-by-human'] as const)(
    'has no need of it where the proof is "%s"',
    async (proof) => {
      const story = dies();
      story.fence = () => ({ outcome: 'fenced', proof, detail: 'so it is' });
      await story.pass(120);
      expect(story.results).toEqual(['death: recovered']);
      expect(story.asked).toEqual([]);
    },
  );

  it('is tried again with patience, which no new leader begins anew, and told when that is over', async () => {
    const story = dies();
    story.unfence = () => ({ outcome: 'failed', detail: 'no answer' });
    await story.pass(300);
    const tries = story.asked.length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(12);
    expect(story.results).toEqual(['death: recovered']);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(420);
    expect(story.records[0]).toMatchObject({
      powerOn: { state: 'failed', epoch: 2, detail: 'ipmi: no answer' },
      left: ['power: ipmi: no answer'],
      result: 'recovered',
    });
    expect(story.events('PowerOnFailed')[0]).toContain('not switched on again: ipmi: no answer');
    const all = story.asked.length;
    await story.pass(600);
    expect(story.asked).toHaveLength(all);
  });

  it('is not tried again after a failure that is permanent, nor by a fencer that can’t', async () => {
    const story = dies();
    story.unfence = () => ({ outcome: 'failed', detail: 'the password is wrong', permanent: true });
    await story.pass(120);
    expect(story.asked).toHaveLength(1);
    expect(story.records[0]?.powerOn).toMatchObject({ state: 'failed' });
    const cannot = dies();
    cannot.ipmi = { acts: 'power' };
    cannot.lead(2);
    await cannot.pass(120);
    expect(cannot.records[0]?.powerOn?.detail).toContain('can’t take its fence back'.replace('’', "'"));
  });

  it('is switched on by the next leader when the first died on the way, and only once where it had been told', async () => {
    const story = dies();
    story.unfence = async ({ signal }) => {
      await sleep(story.clock, 40_000, signal);
      return { outcome: 'unfenced', detail: 'on' };
    };
    await story.pass(60);
    expect(story.records[0]?.powerOn).toMatchObject({ state: 'begun', epoch: 1 });
    await story.crash();
    story.unfence = () => ({ outcome: 'unfenced', detail: 'on already' });
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(10);
    expect(story.records[0]?.powerOn).toMatchObject({ state: 'done', epoch: 2 });
    expect(story.asked).toHaveLength(2);
  });

  it('is switched on while everything is paused: that takes nothing from anybody', async () => {
    const story = dies();
    story.unfence = () => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 5_000 });
    await story.pass(60);
    story.paused = 'mine';
    story.unfence = async ({ permit }) => {
      const { outcome } = await permit();
      return outcome === 'granted'
        ? { outcome: 'unfenced', detail: 'on' }
        : { outcome: 'failed', detail: outcome, permanent: true };
    };
    await story.pass(30);
    expect(story.records[0]?.powerOn).toMatchObject({ state: 'done' });
  });

  it('gets no permit once its node has come back by itself', async () => {
    const story = dies({ ...powerOn, node: 'keep' });
    const permits: unknown[] = [];
    story.unfence = async ({ permit, signal }) => {
      await sleep(story.clock, 50_000, signal);
      permits.push(await permit());
      return { outcome: 'failed', detail: 'no answer' };
    };
    await story.pass(40);
    story.boot('node-1', 'boot-2');
    await story.pass(60);
    expect(permits).toMatchObject([{ outcome: 'refused', code: 'alive' }]);
    expect(story.records[0]?.powerOn).toMatchObject({ state: 'done', detail: 'it has come back by itself' });
  });
});
