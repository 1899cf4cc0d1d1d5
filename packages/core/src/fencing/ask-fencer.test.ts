// One fencer is asked once: for no longer than it may take, by no term that is over, and with a permit for each harm.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { sleep } from '../time/clock.ts';
import { type Asked, type Asking, askFencer } from './ask-fencer.ts';
import { type FenceContext, type FencePermit, refused } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceResult, Fencer } from './fencer.ts';

const target: FenceTarget = {
  name: 'node-1',
  uid: 'uid-1',
  deathId: 'd1',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

const granted: FencePermit = { outcome: 'granted', validForMs: 5_000 };
const off: FenceResult = { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
const held = refused('held', 'paused: night');

type Scene = Asking & { readonly clock: ManualClock };

function scene(change: Partial<Asking> = {}): Scene {
  return {
    signal: new AbortController().signal,
    permit: async () => granted,
    ...change,
    clock: new ManualClock({ turns: 1 }),
  };
}

/** A fencer whose answer is made by `fence`. */
const fencer = (
  fence: (context: FenceContext) => FenceResult | Promise<FenceResult>,
  timeoutMs?: number,
): Fencer => ({
  name: 'ipmi',
  ...(timeoutMs !== undefined && { timeoutMs }),
  fence: async (_, context) => fence(context),
});

/** One that hangs until it is called off, and says by what. */
function mute(timeoutMs?: number): Fencer & { readonly reasons: string[] } {
  const reasons: string[] = [];
  const one = fencer(({ signal }) => {
    signal.addEventListener('abort', () => reasons.push(String(signal.reason)));
    return new Promise(() => {});
  }, timeoutMs);
  return { ...one, reasons };
}

/** What comes of it once it does. */
function asking(one: Fencer, how: Scene): { asked: Asked | undefined; threw: unknown } {
  const seen: { asked: Asked | undefined; threw: unknown } = { asked: undefined, threw: undefined };
  askFencer(one, target, how).then(
    (asked) => {
      seen.asked = asked;
    },
    (threw: unknown) => {
      seen.threw = threw;
    },
  );
  return seen;
}

describe('a fencer that is asked', () => {
  it('has its answer handed on', async () => {
    expect(
      await askFencer(
        fencer(() => off),
        target,
        scene(),
      ),
    ).toEqual({ result: off, refusal: undefined });
  });

  it('and throws has failed, in whatever way', async () => {
    const bugs: readonly (() => never)[] = [
      () => {
        throw new TypeError('a bug');
      },
      () => {
        throw 'a bug';
      },
    ];
    for (const bug of bugs) {
      const failed = { result: { outcome: 'failed', detail: 'a bug' } };
      expect(await askFencer(fencer(bug), target, scene())).toMatchObject(failed);
      // Before it has made a promise, too.
      expect(await askFencer({ name: 'ipmi', fence: bug }, target, scene())).toMatchObject(failed);
    }
    const wordy: Fencer = {
      name: 'bad',
      fence: () => Promise.reject(new Error(`a\n\u202e${'b'.repeat(9_999)}`)),
    };
    const { detail } = (await askFencer(wordy, target, scene())).result;
    expect(detail).toBe(`a ${'b'.repeat(1_022)}`);
    const wordless: Fencer = { name: 'bad', fence: () => Promise.reject(Object.create(null)) };
    expect(await askFencer(wordless, target, scene())).toMatchObject({
      result: { outcome: 'failed', detail: 'an error that cannot be read' },
    });
  });

  it('and wants to be asked again at once gets a pause all the same', async () => {
    const hasty = fencer(() => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 0.001 }));
    expect(await askFencer(hasty, target, scene())).toMatchObject({ result: { retryAfterMs: 100 } });
  });

  it.each<{ what: string; timeoutMs?: number; forMs?: number; endsMs: number; seconds: number }>([
    { what: 'a minute', endsMs: 60_000, seconds: 60 },
    { what: 'its own time', timeoutMs: 5_000, endsMs: 5_000, seconds: 5 },
    { what: 'the rest of its turn', timeoutMs: 60_000, forMs: 12_345, endsMs: 12_345, seconds: 13 },
    { what: 'its own time within its turn', timeoutMs: 5_000, forMs: 60_000, endsMs: 5_000, seconds: 5 },
    { what: 'a minute when its own time is none', timeoutMs: Number.NaN, endsMs: 60_000, seconds: 60 },
    {
      what: 'its turn when its own time has no end',
      timeoutMs: Number.POSITIVE_INFINITY,
      forMs: 9_000,
      endsMs: 9_000,
      seconds: 9,
    },
  ])(
    'and never answers is waited for for $what, and called off',
    async ({ timeoutMs, forMs, endsMs, seconds }) => {
      const how = scene(forMs === undefined ? {} : { forMs });
      const one = mute(timeoutMs);
      const seen = asking(one, how);
      await how.clock.advance(endsMs - 1);
      expect(seen.asked).toBeUndefined();
      expect(one.reasons).toEqual([]);
      await how.clock.advance(1);
      const detail = `no answer within ${seconds} s`;
      expect(seen.asked).toEqual({
        result: { outcome: 'failed', detail },
        refusal: undefined,
        ...(endsMs === forMs && { isCut: true }),
      });
      expect(one.reasons).toEqual([`Error: ipmi: ${detail}`]);
    },
  );

  it('without an end to its own time is waited for all the same', async () => {
    const how = scene();
    const seen = asking(mute(Number.POSITIVE_INFINITY), how);
    await how.clock.advance(3_600_000);
    expect(seen.asked).toBeUndefined();
  });

  it('leaves nothing to wait for behind', async () => {
    const how = scene({ forMs: 90_000, meanwhile: { everyMs: 2_000, look: async () => undefined } });
    await askFencer(
      fencer(() => off),
      target,
      how,
    );
    expect(how.clock.pendingTimers).toBe(0);
  });
});

describe('the end of the term', () => {
  it('keeps a fencer from being asked', async () => {
    let asked = 0;
    const one = fencer(() => {
      asked++;
      return off;
    });
    const signal = AbortSignal.abort(new Error('the term is over'));
    await expect(askFencer(one, target, scene({ signal }))).rejects.toThrow('the term is over');
    expect(asked).toBe(0);
  });

  it('is the end of waiting for one, which is called off with the very reason', async () => {
    const term = new AbortController();
    const how = scene({ signal: term.signal });
    let reason: unknown;
    const one = fencer(({ signal }) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return new Promise(() => {});
    });
    const seen = asking(one, how);
    await how.clock.advance(10);
    const over = new Error('the term is over');
    term.abort(over);
    await how.clock.advance(0);
    expect(seen.threw).toBe(over);
    expect(reason).toBe(over);
  });

  it('makes an answer void that came at that moment', async () => {
    const term = new AbortController();
    const one = fencer(() => {
      term.abort(new Error('the term is over'));
      return off;
    });
    await expect(askFencer(one, target, scene({ signal: term.signal }))).rejects.toThrow('the term is over');
  });
});

describe('a permit that a fencer asks for', () => {
  /** Asks before it acts, as every fencer should. */
  const careful = (
    acts: string[],
    think: (context: FenceContext) => Promise<unknown>,
    timeoutMs?: number,
  ): Fencer =>
    fencer(async (context) => {
      await think(context);
      const permitted = await context.permit();
      if (permitted.outcome === 'refused') return { outcome: 'failed', detail: permitted.detail };
      acts.push('harm');
      return off;
    }, timeoutMs);
  const atOnce = async (): Promise<void> => undefined;

  it('is looked for anew each time', async () => {
    let looks = 0;
    const permit = async (): Promise<FencePermit> => (looks++ === 0 ? granted : held);
    const acts: string[] = [];
    const twice = careful(acts, ({ permit: ask }) => ask());
    expect(await askFencer(twice, target, scene({ permit }))).toMatchObject({ refusal: held });
    expect({ looks, acts }).toEqual({ looks: 2, acts: [] });
  });

  it('that is granted after all is no refusal any more', async () => {
    let looks = 0;
    const permit = async (): Promise<FencePermit> => (looks++ === 0 ? held : granted);
    const twice = careful([], ({ permit: ask }) => ask());
    expect(await askFencer(twice, target, scene({ permit }))).toEqual({ result: off, refusal: undefined });
  });

  it('is "unknown" when nobody can tell', async () => {
    const permit = (): Promise<FencePermit> => Promise.reject(new Error('no answer'));
    const acts: string[] = [];
    expect(await askFencer(careful(acts, atOnce), target, scene({ permit }))).toMatchObject({
      result: { outcome: 'failed', detail: 'no answer' },
      refusal: { code: 'unknown', detail: 'no answer' },
    });
    expect(acts).toEqual([]);
  });

  it('is refused to whoever wakes up after its time: another one is at work by then', async () => {
    const late = Promise.withResolvers<void>();
    const acts: string[] = [];
    const how = scene();
    const seen = asking(
      careful(acts, () => late.promise, 5_000),
      how,
    );
    await how.clock.advance(5_000);
    expect(seen.asked?.result.detail).toBe('no answer within 5 s');
    late.resolve();
    await how.clock.advance(60_000);
    expect(acts).toEqual([]);
  });

  it('is refused to whoever was called off while it was looked for', async () => {
    const look = Promise.withResolvers<FencePermit>();
    const acts: string[] = [];
    const how = scene({ permit: () => look.promise });
    const seen = asking(careful(acts, atOnce, 5_000), how);
    await how.clock.advance(5_000);
    look.resolve(granted);
    await how.clock.advance(1_000);
    expect(seen.asked).toEqual({
      result: { outcome: 'failed', detail: 'no answer within 5 s' },
      refusal: undefined,
    });
    expect(acts).toEqual([]);
  });

  it('is refused once the term is over', async () => {
    const term = new AbortController();
    const how = scene({ signal: term.signal });
    const acts: string[] = [];
    asking(
      careful(acts, ({ clock }) => sleep(clock, 1_000, new AbortController().signal)),
      how,
    );
    term.abort(new Error('the term is over'));
    await how.clock.advance(2_000);
    expect(acts).toEqual([]);
  });

  it('is refused once the fencer has answered', async () => {
    let kept: FenceContext | undefined;
    const one = fencer((context) => {
      kept = context;
      return off;
    });
    await askFencer(one, target, scene());
    expect(await kept?.permit()).toMatchObject({ outcome: 'refused', code: 'called-off' });
  });
});

describe('a look while a fencer thinks', () => {
  it('comes every now and then, one at a time, and calls it off with what it says', async () => {
    let looks = 0;
    const slow = Promise.withResolvers<undefined>();
    const look = async (): Promise<string | undefined> => {
      looks++;
      if (looks === 2) return slow.promise;
      return looks === 3 ? 'a human vouches for the death' : undefined;
    };
    const how = scene({ meanwhile: { everyMs: 2_000, look } });
    const one = mute();
    const seen = asking(one, how);
    await how.clock.advance(1_999);
    expect(looks).toBe(0);
    await how.clock.advance(1);
    expect(looks).toBe(1);
    await how.clock.advance(20_000);
    expect(looks).toBe(2);
    slow.resolve(undefined);
    await how.clock.advance(2_000);
    expect(seen.asked).toEqual({
      result: { outcome: 'failed', detail: 'a human vouches for the death' },
      refusal: undefined,
      calledOff: 'a human vouches for the death',
    });
    expect(one.reasons).toEqual(['Error: a human vouches for the death']);
    await how.clock.advance(60_000);
    expect(looks).toBe(3);
  });

  it('that fails is made again', async () => {
    let looks = 0;
    const look = (): Promise<string | undefined> =>
      ++looks < 3 ? Promise.reject(new Error('no answer')) : Promise.resolve('it lives');
    const how = scene({ meanwhile: { everyMs: 2_000, look } });
    const seen = asking(mute(), how);
    await how.clock.advance(6_000);
    expect(seen.asked?.calledOff).toBe('it lives');
  });

  it('whose answer comes after the fencer’s says nothing', async () => {
    const look = Promise.withResolvers<string | undefined>();
    const how = scene({ meanwhile: { everyMs: 2_000, look: () => look.promise } });
    const seen = asking(
      fencer(async ({ clock }) => {
        await sleep(clock, 3_000, new AbortController().signal);
        return off;
      }),
      how,
    );
    await how.clock.advance(3_000);
    look.resolve('it lives');
    await how.clock.advance(10_000);
    expect(seen.asked).toEqual({ result: off, refusal: undefined });
    expect(how.clock.pendingTimers).toBe(0);
  });

  it('takes a permit away from whoever it called off', async () => {
    const acts: string[] = [];
    const how = scene({ meanwhile: { everyMs: 2_000, look: async () => 'it lives' } });
    const one = fencer(async ({ clock, permit }) => {
      await sleep(clock, 10_000, new AbortController().signal);
      if ((await permit()).outcome === 'granted') acts.push('harm');
      return off;
    });
    const seen = asking(one, how);
    await how.clock.advance(20_000);
    expect(seen.asked?.calledOff).toBe('it lives');
    expect(acts).toEqual([]);
  });
});
