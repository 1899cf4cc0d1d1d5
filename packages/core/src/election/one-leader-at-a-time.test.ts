// The one promise of an election: never two terms at once, whatever store, network and clocks do.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LeaderTerm } from '../term/leader-term.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type LeaseVerb, MemoryLease, type RequestFate } from '../testing/memory-lease.ts';
import { SkewedClock } from '../testing/skewed-clock.ts';
import { type Random, sleep } from '../time/clock.ts';
import { LeaderElector } from './leader-elector.ts';

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** How bad things are; shares are out of one. */
interface Weather {
  readonly seed: number;
  readonly candidates: number;
  /** Until the server does what it was asked to, at most. */
  readonly slowRequestsMs: number;
  /** From then until its answer arrives, at most. */
  readonly slowAnswersMs: number;
  /** Answers to reads are quick all the same. */
  readonly quickReads: boolean;
  readonly lostRequests: number;
  readonly lostAnswers: number;
  readonly refusals: number;
  /** Again and again one candidate is cut off for a while: what it asks and what it is told is lost. */
  readonly cuts: boolean;
  /** Stores that wait for an answer however long it takes. */
  readonly patientStores: boolean;
  /** Timers fire up to this late. */
  readonly latenessMs: number;
  /** The clock of the last candidate is faster than that of the first by this factor, the others in between. */
  readonly skew: number;
  /** Wall clocks jump now and then. */
  readonly wallJumps: boolean;
  /** Work ends, or fails, by itself after about this long. */
  readonly workMs: number;
  /** The Lease is deleted this often; zero never. */
  readonly deletedEveryMs: number;
  /** See {@link LeaderElectorOptions.createAfterMs}. */
  readonly createAfterMs: number;
  /** Candidates die and start anew with no memory, or try again with the one they have. */
  readonly restarts: boolean;
}

const calm: Weather = {
  seed: 1,
  candidates: 3,
  slowRequestsMs: 50,
  slowAnswersMs: 50,
  quickReads: false,
  lostRequests: 0,
  lostAnswers: 0,
  refusals: 0,
  cuts: false,
  patientStores: false,
  latenessMs: 0,
  skew: 1,
  wallJumps: false,
  workMs: 30_000,
  deletedEveryMs: 0,
  createAfterMs: 0,
  restarts: true,
};

/** What an election came to: every term that work was begun in, in order. */
interface Story {
  readonly terms: readonly LeaderTerm[];
  readonly overlaps: readonly string[];
}

async function live(weather: Weather, durationMs: number): Promise<Story> {
  const shared = new ManualClock({ turns: 1 });
  const random = randomFrom(weather.seed);
  const lease = new MemoryLease(shared);
  const terms: LeaderTerm[] = [];
  const overlaps = new Set<string>();
  const stop = new AbortController();
  const clocks: SkewedClock[] = [];

  const look = (): void => {
    const valid = terms.slice(-20).filter((term) => term.remainingMs() > 0);
    if (valid.length > 1)
      overlaps.add(valid.map(({ identity, epoch }) => `${identity} in ${epoch}`).join(' and '));
  };
  let cutOff = '';
  const fateOf =
    (name: string) =>
    (verb: LeaseVerb): RequestFate => {
      if (name === cutOff) return { lost: random.next() < 0.5 ? 'request' : 'answer' };
      const chance = random.next();
      const lost =
        chance < weather.lostRequests
          ? 'request'
          : chance < weather.lostRequests + weather.lostAnswers
            ? 'answer'
            : undefined;
      return {
        toServerMs: random.next() * weather.slowRequestsMs,
        toClientMs: weather.quickReads && verb === 'read' ? 0 : random.next() * weather.slowAnswersMs,
        refused: random.next() < weather.refusals,
        ...(lost && { lost }),
      };
    };
  const work = async (term: LeaderTerm): Promise<void> => {
    terms.push(term);
    look();
    await sleep(shared, random.next() * 2 * weather.workMs, term.signal);
    if (random.next() < 0.3) throw new Error('the work failed');
  };
  const candidate = async (name: string, speed: number): Promise<void> => {
    const clock = new SkewedClock(shared, {
      speed,
      lateByMs: () => (random.next() < 0.1 ? random.next() * weather.latenessMs : 0),
    });
    clocks.push(clock);
    const store = lease.storeFor({ clock, fate: fateOf(name), honoursLimits: !weather.patientStores });
    let elector: LeaderElector | undefined;
    for (let life = 1; !stop.signal.aborted; life++) {
      if (elector === undefined || weather.restarts) {
        const { createAfterMs } = weather;
        elector = new LeaderElector({ store, identity: `${name}${life}`, clock, random, createAfterMs });
      }
      await elector.run(work, stop.signal).catch(() => {});
      await sleep(shared, random.next() * 5_000, stop.signal);
    }
  };

  const lives = Array.from({ length: weather.candidates }, (_, i) =>
    candidate(String.fromCharCode(97 + i), 1 + ((weather.skew - 1) * i) / (weather.candidates - 1)),
  );
  const events = async (everyMs: number, event: () => void): Promise<void> => {
    while (await sleep(shared, everyMs, stop.signal)) event();
  };
  lives.push(events(500, look));
  if (weather.deletedEveryMs > 0) lives.push(events(weather.deletedEveryMs, () => lease.delete()));
  if (weather.cuts) {
    let tick = 0;
    lives.push(
      events(9_000, () => {
        // The leader, since that is when it hurts, and for longer than a Lease lasts.
        const leader = terms.find((term) => term.remainingMs() > 0)?.identity[0];
        if (tick % 3 === 0) cutOff = leader ?? '';
        if (tick++ % 3 === 2) cutOff = '';
      }),
    );
  }
  if (weather.wallJumps) {
    lives.push(
      events(3_000, () => {
        const clock = clocks[Math.floor(random.next() * clocks.length)];
        // Often by what would make a renewal look like the one before it.
        clock?.jumpWallTime(random.next() < 0.5 ? -2_000 : (random.next() - 0.5) * 40_000);
      }),
    );
  }
  await shared.advance(durationMs);
  stop.abort();
  await shared.advance(60_000);
  // A patient store holds its candidate up for ever when an answer is lost.
  if (!weather.patientStores) await Promise.all(lives);
  return { terms, overlaps: [...overlaps] };
}

const slowness = fc.constantFrom(0, 20, 500, 3_000, 9_000, 18_000);
const share = fc.double({ min: 0, max: 0.4, noNaN: true });
const anyWeather: fc.Arbitrary<Weather> = fc.record({
  seed: fc.integer(),
  candidates: fc.integer({ min: 2, max: 4 }),
  slowRequestsMs: slowness,
  slowAnswersMs: slowness,
  quickReads: fc.boolean(),
  lostRequests: share,
  lostAnswers: share,
  refusals: share,
  cuts: fc.boolean(),
  patientStores: fc.boolean(),
  latenessMs: fc.constantFrom(0, 100, 4_000, 30_000),
  // The ratio of lease duration and renew deadline is 1.5.
  skew: fc.double({ min: 1, max: 1.49, noNaN: true }),
  wallJumps: fc.boolean(),
  workMs: fc.constantFrom(100, 10_000, 1_000_000),
  deletedEveryMs: fc.constant(0),
  createAfterMs: fc.constantFrom(0, 15_000),
  restarts: fc.boolean(),
});

function expectGrowingEpochs(terms: readonly LeaderTerm[]): void {
  const epochs = terms.map(({ epoch }) => epoch);
  expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
}

describe('any number of candidates', () => {
  it('never have two terms at once, and every term has a higher epoch than the one before', {
    timeout: 30_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(anyWeather, async (weather) => {
        const { terms, overlaps } = await live(weather, 120_000);
        expect(overlaps).toEqual([]);
        expectGrowingEpochs(terms);
      }),
      { numRuns: 120 },
    );
  });

  it('have no two terms at once when renewals are done at once and answered late, before a cut', {
    timeout: 30_000,
  }, async () => {
    const weather = fc.record({ seed: fc.integer(), skew: fc.double({ min: 1, max: 1.49, noNaN: true }) });
    await fc.assert(
      fc.asyncProperty(weather, async (any) => {
        const late = { slowRequestsMs: 0, slowAnswersMs: 10_000, quickReads: true, patientStores: true };
        const { overlaps } = await live({ ...calm, ...any, ...late, cuts: true, workMs: 1_000_000 }, 60_000);
        expect(overlaps).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    { who: 'candidates that have seen it', restarts: false, createAfterMs: 0 },
    { who: 'new candidates that wait before they create one', restarts: true, createAfterMs: 15_000 },
  ])(
    'have no two terms at once either when the Lease is deleted from under a leader: $who',
    {
      timeout: 30_000,
    },
    async ({ restarts, createAfterMs }) => {
      const weather = anyWeather.map((any) => ({
        ...any,
        // A candidate must look often enough to see each deletion.
        slowRequestsMs: Math.min(any.slowRequestsMs, 500),
        slowAnswersMs: Math.min(any.slowAnswersMs, 500),
        lostRequests: 0,
        lostAnswers: 0,
        cuts: false,
        latenessMs: 0,
        restarts,
        createAfterMs,
        deletedEveryMs: 31_000,
      }));
      await fc.assert(
        fc.asyncProperty(weather, async (deleting) => {
          const { terms, overlaps } = await live(deleting, 120_000);
          expect(overlaps).toEqual([]);
          // What the deleted Lease counted is lost, but not to those who saw it.
          for (const { identity } of terms)
            expectGrowingEpochs(terms.filter((term) => term.identity === identity));
        }),
        { numRuns: 60 },
      );
    },
  );

  it('do get a leader again and again in fair weather, so that the promise is not kept by nobody leading', {
    timeout: 30_000,
  }, async () => {
    const { terms, overlaps } = await live({ ...calm, workMs: 10_000 }, 600_000);
    expect(overlaps).toEqual([]);
    expect(terms.length).toBeGreaterThan(20);
    expect(new Set(terms.map(({ identity }) => identity[0])).size).toBe(3);
  });

  it('do get a leader in foul weather too', { timeout: 30_000 }, async () => {
    const foul = {
      ...calm,
      slowRequestsMs: 1_500,
      slowAnswersMs: 1_500,
      lostRequests: 0.1,
      lostAnswers: 0.1,
      refusals: 0.1,
      skew: 1.4,
      wallJumps: true,
    };
    const { terms, overlaps } = await live(foul, 600_000);
    expect(overlaps).toEqual([]);
    expect(terms.length).toBeGreaterThan(5);
  });

  it('would be caught leading together if their clocks differed by more than the timings allow', async () => {
    const { overlaps } = await live({ ...calm, skew: 30, slowRequestsMs: 0, slowAnswersMs: 0 }, 60_000);
    expect(overlaps).not.toEqual([]);
  });
});
