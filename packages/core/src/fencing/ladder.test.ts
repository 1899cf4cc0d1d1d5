// Which proof a ladder of fencers comes to, and what it waits for when there is none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../kubernetes/objects.ts';
import { confirmCommand } from '../marks/confirmed.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type FenceContext, type FencePermit, refused } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceProof, FenceResult, Fencer } from './fencer.ts';
import { type Climb, type ClimbResult, climbLadder } from './ladder.ts';
import { confirmationIn, manualFencer } from './manual.ts';
import { noneFencer } from './none.ts';

const node: Node = { metadata: { name: 'node-1', uid: 'uid-1', resourceVersion: '1' } };
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
  node,
  howToConfirm: confirmCommand('node-1', 'd1'),
};
const { signal } = new AbortController();
const granted: FencePermit = { outcome: 'granted', validForMs: 5_000 };
const context: FenceContext = { signal, permit: async () => granted };

/** Asked by a term that doesn't end, in a time that nobody waits for. */
const asked = (proof: 'required' | 'optional', term = signal): Climb => ({
  proof,
  signal: term,
  clock: new ManualClock({ turns: 1 }),
  permit: async () => granted,
});

const fenced = (proof: FenceProof): FenceResult => ({ outcome: 'fenced', proof, detail: `it says ${proof}` });
const failed: FenceResult = { outcome: 'failed', detail: 'no answer' };
const waiting = (retryAfterMs: number): FenceResult => ({
  outcome: 'waiting',
  detail: 'not yet',
  retryAfterMs,
});

/** A fencer that gives one result, and remembers whether it was asked. */
function fencer(name: string, result: FenceResult | Error): Fencer & { asked: number } {
  return {
    name,
    asked: 0,
    async fence() {
      this.asked++;
      if (result instanceof Error) throw result;
      return result;
    },
  };
}

const climb = (
  results: readonly (FenceResult | Error)[],
  proof: 'required' | 'optional',
): Promise<ClimbResult> =>
  climbLadder(
    results.map((result, i) => fencer(`f${i + 1}`, result)),
    target,
    asked(proof),
  );

describe('a ladder of fencers', () => {
  it('stops at the first proof and asks nobody beyond it', async () => {
    const fencers = [
      fencer('ipmi', failed),
      fencer('cloud', fenced('powered-off')),
      fencer('manual', waiting(1)),
    ];
    expect(await climbLadder(fencers, target, asked('required'))).toEqual({
      ...fenced('powered-off'),
      fencer: 'cloud',
    });
    expect(fencers.map(({ asked }) => asked)).toEqual([1, 1, 0]);
  });

  it('asks again from the bottom on every climb: fencing twice is the same as once', async () => {
    const ipmi = fencer('ipmi', failed);
    await climbLadder([ipmi], target, asked('required'));
    await climbLadder([ipmi], target, asked('required'));
    expect(ipmi.asked).toBe(2);
  });

  it.each<{ what: string; results: readonly FenceResult[]; proof: 'required' | 'optional'; found: object }>([
    {
      what: 'waits when every driver failed and a proof is required',
      results: [failed, failed],
      proof: 'required',
      found: { outcome: 'waiting', detail: 'f1: no answer; f2: no answer', retryAfterMs: 10_000 },
    },
    {
      what: 'goes on without proof when every driver failed and none is required, saying what failed',
      results: [failed],
      proof: 'optional',
      found: { outcome: 'fenced', proof: 'none', detail: 'f1: no answer' },
    },
    {
      what: 'does not take "none" for a proof where one is required',
      results: [fenced('none')],
      proof: 'required',
      found: { outcome: 'waiting', detail: 'f1: it says none', retryAfterMs: 10_000 },
    },
    {
      what: 'goes on above "none" where a proof is required',
      results: [fenced('none'), fenced('isolated')],
      proof: 'required',
      found: { outcome: 'fenced', proof: 'isolated' },
    },
    {
      what: 'is content with "none" where no proof is required',
      results: [fenced('none')],
      proof: 'optional',
      found: { outcome: 'fenced', proof: 'none' },
    },
    {
      what: 'waits for a driver that waits although no proof is required',
      results: [waiting(3_000), failed],
      proof: 'optional',
      found: { outcome: 'waiting', detail: 'f1: not yet; f2: no answer', retryAfterMs: 3_000 },
    },
    {
      what: 'asks again after the shortest time that a driver asked for',
      results: [waiting(3_000), waiting(2_000), waiting(60_000)],
      proof: 'required',
      found: { outcome: 'waiting', retryAfterMs: 2_000 },
    },
    {
      what: 'waits for ever without any driver where a proof is required',
      results: [],
      proof: 'required',
      found: { outcome: 'waiting', detail: 'no fencer is configured' },
    },
    {
      what: 'goes on without any driver where no proof is required',
      results: [],
      proof: 'optional',
      found: { outcome: 'fenced', proof: 'none', detail: 'no fencer is configured' },
    },
  ])('$what', async ({ results, proof, found }) => {
    expect(await climb(results, proof)).toMatchObject(found);
  });

  it('takes a driver that throws for one that failed, and climbs on', async () => {
    expect(await climb([new TypeError('a bug'), fenced('rebooted')], 'required')).toMatchObject(
      fenced('rebooted'),
    );
    expect(await climb([new TypeError('a bug')], 'required')).toMatchObject({
      outcome: 'waiting',
      detail: 'f1: a bug',
    });
  });

  it('asks no further driver once the term is over', async () => {
    const term = new AbortController();
    const first: Fencer = {
      name: 'first',
      async fence() {
        term.abort(new Error('the term is over'));
        return failed;
      },
    };
    const second = fencer('second', fenced('powered-off'));
    await expect(climbLadder([first, second], target, asked('required', term.signal))).rejects.toThrow(
      'the term is over',
    );
    expect(second.asked).toBe(0);
  });

  it('climbs on when a driver never answers, and has it call off what it does', async () => {
    const clock = new ManualClock({ turns: 1 });
    const reasons: string[] = [];
    const mute = (timeoutMs?: number): Fencer => ({
      name: 'mute',
      ...(timeoutMs !== undefined && { timeoutMs }),
      fence: (_, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(String(signal.reason)));
        return new Promise(() => {});
      },
    });
    const last = fencer('last', fenced('powered-off'));
    let found: ClimbResult | undefined;
    const fencers = [mute(), mute(5_000), last];
    climbLadder(fencers, target, { ...asked('required'), clock }).then((result) => {
      found = result;
    });
    await clock.advance(59_999);
    expect(reasons).toEqual([]);
    await clock.advance(5_000);
    expect(found).toBeUndefined();
    await clock.advance(1);
    expect(found).toMatchObject(fenced('powered-off'));
    expect(reasons).toEqual(['Error: mute: no answer within 60 s', 'Error: mute: no answer within 5 s']);
  });

  it('waits for no driver beyond the end of the term', async () => {
    const term = new AbortController();
    let seen: unknown;
    const mute: Fencer = {
      name: 'mute',
      fence: (_, { signal }) => {
        signal.addEventListener('abort', () => {
          seen = signal.reason;
        });
        return new Promise(() => {});
      },
    };
    const climbing = climbLadder([mute], target, asked('required', term.signal));
    const reason = new Error('the term is over');
    await new Promise((resolve) => setImmediate(resolve));
    term.abort(reason);
    await expect(climbing).rejects.toBe(reason);
    expect(seen).toBe(reason);
  });

  it('never calls a node fenced without a real proof where one is required', async () => {
    const results = fc.oneof(
      fc.constantFrom<FenceProof>('powered-off', 'rebooted', 'none').map(fenced),
      fc.constant(failed),
      fc.nat(20_000).map(waiting),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(results, { maxLength: 5 }), async (ladder) => {
        const found = await climb(ladder, 'required');
        const proofs = ladder.flatMap((one) =>
          one.outcome === 'fenced' && one.proof !== 'none' ? [one.proof] : [],
        );
        if (found.outcome === 'fenced') expect(found.proof).toBe(proofs[0]);
        else expect(proofs).toEqual([]);
      }),
    );
  });
});

describe('a look before each fencer', () => {
  /** Looks that come out as given, one after another; the last one stays. */
  const looking = (
    proof: 'required' | 'optional',
    ...permits: readonly FencePermit[]
  ): Climb & { looks: number } => {
    const climb = {
      ...asked(proof),
      looks: 0,
      permit: async () => permits[Math.min(climb.looks++, permits.length - 1)] ?? granted,
    };
    return climb;
  };
  const alive = refused('alive', 'its Lease was renewed');
  const held = refused('held', 'paused: night');

  it.each([alive, held, refused('overtaken', 'a new Node has taken its name')])(
    'keeps the first from being asked when it finds: $code',
    async (refusal) => {
      const first = fencer('first', fenced('powered-off'));
      expect(await climbLadder([first], target, looking('required', refusal))).toEqual(refusal);
      expect(first.asked).toBe(0);
    },
  );

  it.each([alive, held])('keeps the second from being asked when it finds: $code', async (refusal) => {
    for (const answer of [failed, waiting(1_000), fenced('none')]) {
      const second = fencer('second', fenced('powered-off'));
      const climb = looking('required', granted, refusal);
      expect(await climbLadder([fencer('first', answer), second], target, climb)).toEqual(refusal);
      expect(second.asked).toBe(0);
    }
  });

  it('comes once more before a proof counts: a node that lives makes it void, and it is told all the same', async () => {
    const climb = looking('required', granted, alive);
    expect(await climbLadder([fencer('ipmi', fenced('powered-off'))], target, climb)).toEqual({
      ...alive,
      despite: { fencer: 'ipmi', proof: 'powered-off', detail: 'it says powered-off' },
    });
  });

  it('lets a proof count under a brake that was put on meanwhile: it is true all the same', async () => {
    const climb = looking('required', granted, held);
    expect(await climbLadder([fencer('ipmi', fenced('powered-off'))], target, climb)).toMatchObject(
      fenced('powered-off'),
    );
  });

  it('comes once more before a ladder goes on without a proof', async () => {
    expect(await climbLadder([fencer('ipmi', failed)], target, looking('optional', granted, alive))).toEqual(
      alive,
    );
    expect(await climbLadder([], target, looking('optional', alive))).toEqual(alive);
  });

  it('that nobody answers ends the climb: nobody is asked in the dark', async () => {
    const first = fencer('first', fenced('powered-off'));
    const climb = { ...asked('required'), permit: () => Promise.reject(new Error('no answer')) };
    await expect(climbLadder([first], target, climb)).rejects.toThrow('no answer');
    expect(first.asked).toBe(0);
  });

  it('finds a term that ended while it looked', async () => {
    const term = new AbortController();
    const first = fencer('first', fenced('powered-off'));
    const permit = async (): Promise<FencePermit> => {
      term.abort(new Error('the term is over'));
      return granted;
    };
    const climb = { ...asked('required', term.signal), permit };
    await expect(climbLadder([first], target, climb)).rejects.toThrow('the term is over');
    expect(first.asked).toBe(0);
  });
});

describe('a permit that a fencer asks for', () => {
  /** Asks before it acts, as every fencer should. */
  const careful = (name: string, act: () => FenceResult, think?: () => Promise<unknown>): Fencer => ({
    name,
    async fence(_, { permit }) {
      await think?.();
      const permitted = await permit();
      return permitted.outcome === 'granted' ? act() : { outcome: 'failed', detail: permitted.detail };
    },
  });

  it('is asked for anew each time, and a refusal ends the climb: the device has not failed', async () => {
    for (const proof of ['required', 'optional'] as const) {
      let acts = 0;
      let looks = 0;
      const held = refused('held', 'paused: night');
      const climb = { ...asked(proof), permit: async () => (looks++ === 0 ? granted : held) };
      const first = careful('first', () => {
        acts++;
        return fenced('powered-off');
      });
      const second = fencer('second', fenced('powered-off'));
      expect(await climbLadder([first, second], target, climb)).toEqual(held);
      expect({ acts, asked: second.asked }).toEqual({ acts: 0, asked: 0 });
    }
  });

  it('says "unknown" when the API server does not answer', async () => {
    let looks = 0;
    const climb = {
      ...asked('required'),
      permit: async (): Promise<FencePermit> => {
        if (looks++ === 0) return granted;
        throw new Error('no answer');
      },
    };
    expect(await climbLadder([careful('first', () => fenced('powered-off'))], target, climb)).toEqual(
      refused('unknown', 'no answer'),
    );
  });

  it('is refused to whoever was called off, while another one is at work', async () => {
    const clock = new ManualClock({ turns: 1 });
    const late = Promise.withResolvers<void>();
    const acts: string[] = [];
    const slow: Fencer = {
      ...careful(
        'slow',
        () => {
          acts.push('slow');
          return fenced('powered-off');
        },
        () => late.promise,
      ),
      timeoutMs: 5_000,
    };
    const next = careful('next', () => {
      acts.push('next');
      return waiting(1_000);
    });
    const climbing = climbLadder([slow, next], target, { ...asked('required'), clock });
    await clock.advance(5_000);
    late.resolve();
    await clock.advance(1_000);
    expect(await climbing).toMatchObject({ outcome: 'waiting' });
    expect(acts).toEqual(['next']);
  });

  it('is refused to whoever was called off while it was looked for', async () => {
    const clock = new ManualClock({ turns: 1 });
    const look = Promise.withResolvers<FencePermit>();
    const acts: string[] = [];
    const asking: Fencer = {
      ...careful('asking', () => {
        acts.push('asking');
        return fenced('powered-off');
      }),
      timeoutMs: 5_000,
    };
    let looks = 0;
    const permit = (): Promise<FencePermit> => (++looks === 2 ? look.promise : Promise.resolve(granted));
    const climbing = climbLadder([asking], target, { ...asked('required'), clock, permit });
    await clock.advance(5_000);
    look.resolve(granted);
    expect(await climbing).toMatchObject({ outcome: 'waiting', detail: 'asking: no answer within 5 s' });
    await clock.advance(1_000);
    expect({ looks, acts }).toEqual({ looks: 2, acts: [] });
  });

  it('is refused once the fencer has answered', async () => {
    let kept: FenceContext | undefined;
    const first: Fencer = {
      name: 'first',
      async fence(_, given) {
        kept = given;
        return failed;
      },
    };
    await climbLadder([first], target, asked('required'));
    expect(await kept?.permit()).toMatchObject({ outcome: 'refused', code: 'called-off' });
  });
});

describe('the fencer "manual"', () => {
  const annotated = (value: string, by?: string, on: 'node' | 'record' = 'node'): FenceTarget => {
    const annotations = {
      'liberator.dev/confirmed-dead': value,
      ...(by !== undefined && { 'liberator.dev/confirmed-by': by }),
    };
    const confirmation = confirmationIn(annotations, 'd1', on);
    return { ...target, ...(confirmation && { confirmation }) };
  };

  it('waits for the annotation and prints the command that sets it', async () => {
    const result = await manualFencer.fence(target, context);
    expect(result).toMatchObject({ outcome: 'waiting' });
    expect(result.detail).toContain(
      'kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=d1',
    );
    expect(result.detail).toContain(confirmCommand('node-1', 'd1'));
  });

  it('takes the id of this very death for a proof', async () => {
    expect(await manualFencer.fence(annotated('d1'), context)).toMatchObject({
      outcome: 'fenced',
      proof: 'confirmed-by-human',
    });
  });

  it('says who vouches, if they gave a name, and where', async () => {
    expect((await manualFencer.fence(annotated('d1', 'alice'), context)).detail).toBe(
      'confirmed by alice with liberator.dev/confirmed-dead',
    );
    expect((await manualFencer.fence(annotated('d1', '', 'record'), context)).detail).toBe(
      'confirmed by liberator.dev/confirmed-dead on the record, since the Node is gone',
    );
  });

  it.each(['d0', 'true', '', 'd1 '])(
    'takes "%s" for nothing: it names another death, or none',
    async (value) => {
      expect((await manualFencer.fence(annotated(value), context)).outcome).toBe('waiting');
    },
  );
});

describe('the fencer "none"', () => {
  it('says that it did nothing', async () => {
    expect(await noneFencer.fence(target, context)).toMatchObject({ outcome: 'fenced', proof: 'none' });
  });
});
