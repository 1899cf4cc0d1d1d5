// A ladder of fencers is climbed one rung at a time, each for its own time, whoever leads, and nobody above it acts meanwhile.
import { describe, expect, it } from 'vitest';
import type { FenceContext } from '../fencing/fence-context.ts';
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../fencing/fencer.ts';
import type { Rung } from '../fencing/fencing-rules.ts';
import { endlessTerm, newRecord } from '../testing/dead-node.ts';
import { TakeoverStory } from '../testing/takeover-story.ts';
import { sleep } from '../time/clock.ts';
import { pauseOf } from './climb.ts';
import type { RecordedPolicy, TakeoverRecord } from './record.ts';

type Fence = (target: FenceTarget, context: FenceContext) => FenceResult | Promise<FenceResult>;

/** A policy with this ladder. */
function climbing(rungs: readonly Rung[], change: Partial<RecordedPolicy> = {}): RecordedPolicy {
  return { ...newRecord().policy, ladder: rungs, drivers: rungs.map(({ fencer }) => fencer), ...change };
}

const failed: FenceResult = { outcome: 'failed', detail: 'HTTP 503' };
const refusedForGood: FenceResult = { outcome: 'failed', detail: 'HTTP 401', permanent: true };
const off: FenceResult = { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
const busy: FenceResult = { outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 };

/** A story in which "cloud" is there as well. When each was asked is noted. */
class Climb extends TakeoverStory {
  readonly asked: { readonly fencer: string; readonly at: number; readonly target: FenceTarget }[] = [];
  ipmi: Fence = () => failed;
  cloud: Fence = () => off;

  constructor() {
    super();
    this.fence = (target, context) => this.#ask('ipmi', target, context);
    this.more = [this.#fencer('cloud'), this.#fencer('pdu')];
  }

  /** The leader dies, and the next one is there at once. */
  async nextLeader(): Promise<void> {
    this.term.end('it crashed');
    await this.pass(0);
    this.term = endlessTerm(this.clock, this.term.epoch + 1);
    this.start();
    await this.pass(0);
  }

  annotate(annotations: Record<string, string>): void {
    this.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } },
    }));
  }

  get writes(): number {
    return this.cluster.calls.filter(({ method }) => method === 'updateRecord').length;
  }

  times(fencer: string): readonly number[] {
    return this.asked.filter((one) => one.fencer === fencer).map(({ at }) => at);
  }

  #ask(
    name: 'ipmi' | 'cloud' | 'pdu',
    target: FenceTarget,
    context: FenceContext,
  ): FenceResult | Promise<FenceResult> {
    this.asked.push({ fencer: name, at: this.clock.now(), target });
    return name === 'ipmi' ? this.ipmi(target, context) : this.cloud(target, context);
  }

  #fencer(name: 'cloud' | 'pdu'): Fencer {
    return { name, fence: async (target, context) => this.#ask(name, target, context) };
  }
}

const both = climbing([
  { fencer: 'ipmi', forMs: 20_000 },
  { fencer: 'cloud', forMs: 20_000 },
]);
const byAlice = { 'liberator.dev/confirmed-dead': 'death', 'liberator.dev/confirmed-by': 'alice' };

describe('what a rung said when its time was over', () => {
  it('is what it said before it was cut off, since that tells more', async () => {
    await using story = new Climb();
    const answers: FenceResult[] = [{ outcome: 'waiting', detail: 'it still reads On', retryAfterMs: 1_000 }];
    story.ipmi = () => answers.shift() ?? new Promise(() => undefined);
    await story.start({ policy: both }).pass(21_000);
    expect(story.record.climb?.rungs[0]).toMatchObject({ detail: 'it still reads On', end: 'time-out' });
  });

  it('is that it said nothing, where it never did', async () => {
    await using story = new Climb();
    story.ipmi = () => new Promise(() => undefined);
    await story.start({ policy: both }).pass(21_000);
    expect(story.record.climb?.rungs[0]).toMatchObject({ detail: 'no answer within 20 s', end: 'time-out' });
  });
});

describe('a rung', () => {
  it('whose trouble passes gives its proof in the end, also where none is required', async () => {
    await using story = new Climb();
    let asked = 0;
    story.ipmi = () => (++asked < 4 ? failed : off);
    await story.start({ policy: climbing([{ fencer: 'ipmi' }], { proof: 'optional' }) }).pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'ipmi' });
    expect(story.times('ipmi')).toHaveLength(4);
  });

  it('that accepts and never acts is left after its time', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    await story.start({ policy: both }).pass(19_000);
    expect(story.times('cloud')).toEqual([]);
    await story.pass(30_000);
    const [at = 0] = story.times('cloud');
    expect(at).toBeGreaterThanOrEqual(20_000);
    expect(at).toBeLessThan(21_500);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'cloud' });
  });

  it('whose words count up is not written down with each of them', async () => {
    await using story = new Climb();
    story.ipmi = () => ({ outcome: 'waiting', detail: `${story.asked.length} % done`, retryAfterMs: 200 });
    await story.start({ policy: both }).pass(2_000);
    const { writes } = story;
    await story.pass(10_000);
    expect(story.times('ipmi').length).toBeGreaterThan(40);
    expect(story.writes - writes).toBeLessThanOrEqual(3);
  });

  it('that asks for a long pause is left after its time all the same', async () => {
    await using story = new Climb();
    story.ipmi = () => ({ ...busy, retryAfterMs: 3_600_000 });
    await story.start({ policy: both }).pass(40_000);
    expect(story.times('ipmi')).toEqual([0]);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'cloud' });
  });

  it('that is refused for good makes room at once', async () => {
    await using story = new Climb();
    story.ipmi = () => refusedForGood;
    await story.start({ policy: both }).pass(30_000);
    expect(story.times('cloud')[0]).toBeLessThan(1_000);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'cloud' });
    expect(story.record.climb?.rungs[0]).toMatchObject({ end: 'failed', detail: 'HTTP 401' });
  });

  it('whose proof the policy does not accept makes room at once, and nothing is released on it', async () => {
    await using story = new Climb();
    story.ipmi = () => ({ outcome: 'fenced', proof: 'isolated', detail: 'ports closed' });
    story.cloud = () => busy;
    const policy = climbing([{ fencer: 'ipmi' }, { fencer: 'cloud' }], { accept: ['powered-off'] });
    await story.start({ policy }).pass(600_000);
    expect(story.times('cloud')[0]).toBeLessThan(1_000);
    expect(story.cluster.destroyed).toEqual([]);
    expect(story.record.steps.fence?.detail).toBe(
      'ipmi: vouches for "isolated" (ports closed), which the policy does not accept; cloud: not yet',
    );
    story.cloud = () => off;
    await story.pass(120_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off' });
  });

  it('gets no permit when it wakes up in the turn of the next one', async () => {
    await using story = new Climb();
    const acts: string[] = [];
    const careful =
      (name: string, ms: number): Fence =>
      async (_, { permit }) => {
        // Whatever its signal says.
        await sleep(story.clock, ms, new AbortController().signal);
        const { outcome } = await permit();
        if (outcome === 'granted') acts.push(name);
        return outcome === 'granted' ? off : failed;
      };
    story.ipmi = careful('ipmi', 25_000);
    story.cloud = careful('cloud', 10_000);
    await story.start({ policy: both }).pass(120_000);
    expect(acts).toEqual(['cloud']);
  });

  it('has its time when brakes are on in the middle of it, also while its device thinks', async () => {
    await using story = new Climb();
    story.ipmi = async (_, { signal }) => {
      await sleep(story.clock, 15_000, signal);
      return failed;
    };
    await story.start({ policy: both }).pass(5_000);
    story.holds = ['paused: night'];
    await story.pass(600_000);
    expect(story.times('cloud')).toEqual([]);
    story.holds = [];
    await story.pass(9_000);
    expect(story.times('cloud')).toEqual([]);
    await story.pass(12_000);
    expect(story.times('cloud')).toHaveLength(1);
  });

  it('is asked about a Node that was deleted meanwhile, by what was noted of it, and begun no second time', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    await story.start({ policy: both }).pass(10_000);
    const [before] = story.record.climb?.rungs ?? [];
    story.cluster.nodes.delete('node-1');
    await story.pass(5_000);
    expect(story.record.climb?.rungs).toEqual([before]);
    const last = story.asked.at(-1);
    expect(last?.target).toMatchObject({ name: 'node-1', noted: { labels: { rack: '7' } } });
    expect(last?.target.node).toBeUndefined();
    await story.pass(60_000);
    expect(story.record).toMatchObject({ proof: 'powered-off', fencer: 'cloud' });
  });

  it('that is not there any more holds the climb, and says so', async () => {
    await using story = new Climb();
    await story.start({ policy: climbing([{ fencer: 'ipmi' }, { fencer: 'gone' }]) }).pass(600_000);
    expect(story.record.steps.fence?.detail).toContain('names "gone", which is no fencer here');
    expect(story.asked).toEqual([]);
  });
});

describe('a node that was restarted by its fencer', () => {
  const rebooted: FenceResult = { outcome: 'fenced', proof: 'rebooted', detail: 'it has booted' };

  it('is taken over on that proof while it is not back', async () => {
    await using story = new Climb();
    story.ipmi = () => rebooted;
    await story.start({ policy: both }).pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'rebooted' });
  });

  it('keeps its pods when it is back by then', async () => {
    await using story = new Climb();
    story.ipmi = () => {
      story.cluster.changeNode('node-1', (node) => ({
        ...node,
        status: { ...node.status, nodeInfo: { bootID: 'boot-2' } },
      }));
      return rebooted;
    };
    await story.start({ policy: both }).pass(60_000);
    expect(story.record).toMatchObject({
      result: 'undone',
      undoing: 'it has booted again, although ipmi vouches for "rebooted" (it has booted)',
    });
    expect(story.cluster.destroyed).toEqual([]);
  });
});

describe('a leader that dies in a climb', () => {
  const slowly = (story: Climb): void => {
    story.ipmi = async (_, { signal }) => {
      await sleep(story.clock, 6_000, signal);
      return failed;
    };
    story.cloud = async (_, { signal }) => {
      await sleep(story.clock, 3_000, signal);
      return off;
    };
  };

  /** Who began which rung, and when; and that none was begun anew. */
  function expectGoneOn(story: Climb, first: TakeoverRecord['climb'] | undefined): void {
    const now = story.record.climb;
    const [ipmi, cloud] = now?.rungs ?? [];
    expect(now?.round).toBe(1);
    if (first?.rungs[0] !== undefined) expect(ipmi?.startedAt).toBe(first.rungs[0].startedAt);
    expect(ipmi).toMatchObject({ end: 'time-out' });
    expect(cloud?.beganMs).toBe(ipmi?.overMs);
    expect((ipmi?.overMs ?? 0) - (ipmi?.beganMs ?? 0)).toBeGreaterThanOrEqual(20_000);
    expect((ipmi?.overMs ?? 0) - (ipmi?.beganMs ?? 0)).toBeLessThan(21_500);
    const lastOfIpmi = story.times('ipmi').at(-1) ?? 0;
    for (const at of story.times('cloud')) expect(at).toBeGreaterThan(lastOfIpmi);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'cloud' });
  }

  it('before or after any of its writes is followed by one that goes on at the same rung', async () => {
    await using undisturbed = new Climb();
    slowly(undisturbed);
    await undisturbed.start({ policy: both }).pass(90_000);
    expectGoneOn(undisturbed, undefined);
    const { calls } = undisturbed.cluster;
    const fenced = calls.findLastIndex(({ method }, at) => method === 'updateRecord' && at < calls.length);
    const indices = calls
      .slice(0, fenced)
      .flatMap(({ index, method }) => (method === 'updateRecord' ? [index] : []));
    expect(indices.length).toBeGreaterThan(6);
    for (const index of indices) {
      for (const moment of ['before', 'after'] as const) {
        await using story = new Climb();
        slowly(story);
        let died = false;
        story.cluster.fateOf = (call) => {
          if (died || call.index !== index) return undefined;
          const die = (): void => {
            died = true;
            story.term.end('it crashed');
          };
          return moment === 'before' ? { before: die } : { after: die, outcome: 'answer-lost' };
        };
        story.start({ policy: both });
        for (let i = 0; i < 900 && !died; i++) await story.pass(100);
        const first = story.record.climb;
        if (story.record.result === undefined) await story.nextLeader();
        await story.pass(120_000);
        if (story.record.proof !== undefined) expectGoneOn(story, first);
        expect(story.record.result).toBe('recovered');
      }
    }
  });

  it('in the middle of a driver’s call is followed by one that gives the rung the rest of its time', async () => {
    for (const ms of [2_000, 5_000, 9_000, 13_000, 19_000]) {
      await using story = new Climb();
      slowly(story);
      await story.start({ policy: both }).pass(ms);
      const before = story.record.climb;
      await story.nextLeader();
      expect(story.record.climb?.rungs[0]).toMatchObject({
        startedAt: before?.rungs[0]?.startedAt,
        epoch: 1,
      });
      await story.pass(90_000);
      const [cloudAt = 0] = story.times('cloud');
      // At most half of the time for which it led, or its first seconds, are lost with it.
      expect(cloudAt).toBeLessThan(20_000 + Math.max(5_500, ms / 2) + 1_500);
      expectGoneOn(story, before);
    }
  });

  it('again and again, before it has done anything worth a word, still gets the climb on', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    story.start({ policy: both });
    await story.pass(8_000);
    for (let leaders = 0; leaders < 12 && story.times('cloud').length === 0; leaders++) {
      await story.nextLeader();
      await story.pass(8_000);
    }
    await story.pass(30_000);
    expect(story.times('cloud')[0]).toBeLessThan(45_000);
    expect(story.record.result).toBe('recovered');
  });

  it('costs the time to give up after nothing, however many do', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    story.cloud = () => failed;
    const policy = { ...both, proof: 'optional', giveUpAfterMs: 120_000 } as const;
    story.start({ policy });
    let gaveUpAt = 0;
    for (let leaders = 0; leaders < 30 && gaveUpAt === 0; leaders++) {
      await story.pass(12_000);
      if (story.record.proof !== undefined) gaveUpAt = story.clock.now();
      else await story.nextLeader();
    }
    expect(gaveUpAt).toBeGreaterThanOrEqual(120_000);
    expect(gaveUpAt).toBeLessThan(260_000);
    await story.pass(60_000);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'none' });
    expect(story.record.steps.fence?.detail).toBe('proof: none (ipmi: not yet; cloud: HTTP 503)');
  });
});

describe('a pause', () => {
  it('that is too short for any timer is over, or no time would pass at all', () => {
    const pausedUntil = (until: number): ReturnType<typeof pauseOf> =>
      pauseOf({
        settled: new Map([
          ['the climb pauses', 'ipmi: not yet'],
          ['the climb pauses until', String(until)],
        ]),
        spentMs: () => 10_000,
      });
    expect(pausedUntil(10_000.000_000_1)).toBeUndefined();
    expect(pausedUntil(10_500)).toEqual({ words: 'ipmi: not yet', restMs: 500 });
  });
});

describe('a time to give up after', () => {
  it('is kept to the moment, climbing again and again until then', async () => {
    await using story = new Climb();
    story.cloud = () => failed;
    const policy = { ...both, proof: 'optional', giveUpAfterMs: 300_000 } as const;
    await story.start({ policy }).pass(299_900);
    expect(story.record.proof).toBeUndefined();
    expect(story.record.climb?.round).toBeGreaterThan(3);
    await story.pass(1_000);
    expect(story.record.proof).toBe('none');
  });

  it('does not count what brakes took', async () => {
    await using story = new Climb();
    story.cloud = () => failed;
    const policy = { ...both, proof: 'optional', giveUpAfterMs: 60_000 } as const;
    await story.start({ policy }).pass(30_000);
    story.holds = ['paused: night'];
    await story.pass(3_600_000);
    story.holds = [];
    await story.pass(28_000);
    expect(story.record.proof).toBeUndefined();
    await story.pass(5_000);
    expect(story.record.proof).toBe('none');
  });

  it('counts for a human alone, too, who is waited for without it', async () => {
    const alone = climbing([{ fencer: 'manual' }], { proof: 'optional' });
    await using story = new Climb();
    await story.start({ policy: { ...alone, giveUpAfterMs: 60_000 } }).pass(59_000);
    expect(story.record.proof).toBeUndefined();
    await story.pass(3_000);
    expect(story.record.proof).toBe('none');
    await using patient = new Climb();
    await patient.start({ policy: alone }).pass(3_600_000);
    expect(patient.record.proof).toBeUndefined();
  });

  it('never comes where a proof is required', async () => {
    await using story = new Climb();
    story.cloud = () => failed;
    await story.start({ policy: { ...both, giveUpAfterMs: 30_000 } }).pass(7_200_000);
    expect(story.record.proof).toBeUndefined();
    expect(story.cluster.destroyed).toEqual([]);
  });
});

describe('a human’s word', () => {
  const withHuman = climbing([{ fencer: 'ipmi' }, { fencer: 'manual' }]);
  const byHand = { result: 'recovered', proof: 'confirmed-by-human', fencer: 'manual', confirmedBy: 'alice' };

  it('counts while a device thinks, and names who gave it', async () => {
    await using story = new Climb();
    story.ipmi = async (_, { signal }) => {
      await sleep(story.clock, 80_000, signal);
      return failed;
    };
    await story.start({ policy: withHuman }).pass(10_000);
    story.annotate(byAlice);
    await story.pass(10_000);
    expect(story.record).toMatchObject(byHand);
    // Whoever was called off has not failed.
    expect(story.record.climb?.rungs[0]?.detail).toBeUndefined();
  });

  it('counts while a device wants to be left alone', async () => {
    await using story = new Climb();
    story.ipmi = () => ({ ...busy, retryAfterMs: 80_000 });
    await story.start({ policy: withHuman }).pass(10_000);
    story.annotate(byAlice);
    await story.pass(10_000);
    expect(story.record).toMatchObject(byHand);
  });

  it('counts between two rounds', async () => {
    await using story = new Climb();
    story.ipmi = () => refusedForGood;
    const policy = climbing([{ fencer: 'ipmi' }, { fencer: 'manual', forMs: 5_000 }]);
    await story.start({ policy }).pass(10_000);
    expect(story.times('ipmi')).toHaveLength(1);
    story.annotate(byAlice);
    await story.pass(10_000);
    expect(story.record).toMatchObject(byHand);
  });

  it.each<{ what: string; fence: (story: Climb) => Fence }>([
    {
      what: 'thinks',
      fence:
        (story) =>
        async (_, { signal }) => {
          await sleep(story.clock, 80_000, signal);
          return failed;
        },
    },
    { what: 'wants to be left alone', fence: () => () => ({ ...busy, retryAfterMs: 80_000 }) },
  ])('counts on the record of a Node that is gone, while a device $what', async ({ fence }) => {
    await using story = new Climb();
    story.ipmi = fence(story);
    await story.start({ policy: withHuman }).pass(5_000);
    story.cluster.nodes.delete('node-1');
    await story.pass(5_000);
    const stored = story.cluster.records.get('death');
    if (stored !== undefined) story.cluster.records.set('death', { ...stored, annotations: byAlice });
    await story.pass(15_000);
    expect(story.record.proof).toBe('confirmed-by-human');
    await story.pass(60_000);
    expect(story.record).toMatchObject(byHand);
  });

  it('calls no device off where it does not count', async () => {
    for (const policy of [
      climbing([{ fencer: 'ipmi' }, { fencer: 'cloud' }]),
      climbing([{ fencer: 'ipmi' }, { fencer: 'manual' }], { accept: ['powered-off'] }),
    ]) {
      await using story = new Climb();
      story.ipmi = async (_, { signal }) => ((await sleep(story.clock, 40_000, signal)) ? off : failed);
      story.annotate(byAlice);
      await story.start({ policy }).pass(60_000);
      expect(story.times('ipmi')).toEqual([0]);
      expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'ipmi' });
    }
  });
});

describe('a node that comes back', () => {
  it('while a device thinks is not waited for any longer, nor is the device blamed', async () => {
    await using story = new Climb();
    story.ipmi = async (_, { signal }) => {
      await sleep(story.clock, 50_000, signal);
      return failed;
    };
    await story.start({ policy: climbing([{ fencer: 'ipmi' }]) }).pass(10_000);
    story.cluster.renew('node-1', 'r2');
    await story.pass(5_000);
    expect(story.record).toMatchObject({ result: 'undone', undoing: 'its Lease was renewed at r2' });
  });
});

describe('a policy that changes in the middle of a climb', () => {
  it('only in its times gives the rung that has its turn the new one, from when it began', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    await story.start({ policy: both }).pass(15_000);
    const [before] = story.record.climb?.rungs ?? [];
    story.policy = climbing([{ fencer: 'ipmi', forMs: 40_000 }, { fencer: 'cloud' }]);
    await story.pass(20_000);
    expect(story.times('cloud')).toEqual([]);
    expect(story.record.climb?.rungs[0]?.startedAt).toBe(before?.startedAt);
    await story.pass(7_000);
    expect(story.times('cloud')).toHaveLength(1);
  });

  it('to other fencers begins with the first of them', async () => {
    await using story = new Climb();
    story.ipmi = () => busy;
    await story.start({ policy: both }).pass(10_000);
    story.policy = climbing([{ fencer: 'pdu' }, { fencer: 'ipmi' }]);
    await story.pass(20_000);
    expect(story.times('pdu')).toHaveLength(1);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'pdu' });
  });

  it('takes the permit away from a device that thinks', async () => {
    await using story = new Climb();
    const permits: string[] = [];
    story.ipmi = async (_, { permit }) => {
      await sleep(story.clock, 10_000, new AbortController().signal);
      const permitted = await permit();
      permits.push(permitted.outcome === 'refused' ? permitted.code : permitted.outcome);
      return failed;
    };
    await story.start({ policy: both }).pass(5_000);
    story.policy = climbing([{ fencer: 'pdu' }]);
    await story.pass(30_000);
    expect(permits).toEqual(['policy']);
    expect(story.record).toMatchObject({ result: 'recovered', fencer: 'pdu' });
  });

  it('to one that requires a proof after all has the whole ladder climbed anew', async () => {
    await using story = new Climb();
    story.ipmi = () => refusedForGood;
    story.cloud = () => refusedForGood;
    story.whenStarted = {
      recheck: () => {
        story.holds = ['paused: night'];
      },
    };
    await story.start({ policy: { ...both, proof: 'optional' } }).pass(10_000);
    expect(story.record.proof).toBe('none');
    story.policy = both;
    await story.pass(5_000);
    story.cloud = () => off;
    story.holds = [];
    story.whenStarted = {};
    const at = story.clock.now();
    await story.pass(10_000);
    expect(story.times('cloud').at(-1)).toBeGreaterThan(at);
    expect(story.record).toMatchObject({ result: 'recovered', proof: 'powered-off', fencer: 'cloud' });
  });
});

describe('a climb that waits for hours', () => {
  const withHuman = climbing([{ fencer: 'ipmi', forMs: 60_000 }, { fencer: 'manual' }]);

  it.each<{ what: string; fence: Fence }>([
    { what: 'refused for good', fence: () => refusedForGood },
    { what: 'failing', fence: () => failed },
    { what: 'busy', fence: () => busy },
    { what: 'hanging', fence: () => new Promise(() => {}) },
  ])('at a human, with a device that is $what, hardly writes, and says it once', async ({ fence }) => {
    await using story = new Climb();
    story.ipmi = fence;
    await story.start({ policy: withHuman }).pass(600_000);
    const before = { writes: story.writes, calls: story.cluster.calls.length, told: story.progress.length };
    await story.pass(3_600_000);
    expect(story.writes - before.writes).toBeLessThanOrEqual(100);
    // Some four in ten seconds.
    expect(story.cluster.calls.length - before.calls).toBeLessThan(2_500);
    expect(story.progress.slice(before.told)).toEqual([]);
    expect(story.progress.filter(({ phase }) => phase === 'waiting').length).toBeLessThanOrEqual(3);
  });

  it('tells the human what the devices before said, in the same words each time', async () => {
    await using story = new Climb();
    let asked = 0;
    story.ipmi = () => (++asked % 2 === 0 ? failed : busy);
    await story.start({ policy: withHuman }).pass(70_000);
    expect(story.record.steps.fence?.detail).toMatch(
      /^ipmi: (HTTP 503|not yet); manual: make sure that node-1 is off, then: liberator confirm node-1/,
    );
  });

  it('among devices that all refuse asks them once a minute', async () => {
    await using story = new Climb();
    story.ipmi = () => refusedForGood;
    story.cloud = () => refusedForGood;
    await story.start({ policy: both }).pass(3_600_000);
    expect(story.times('ipmi').length).toBeLessThanOrEqual(61);
    expect(story.writes).toBeLessThan(330);
    expect(story.progress.filter(({ phase }) => phase === 'waiting').length).toBeLessThanOrEqual(2);
  });
});
