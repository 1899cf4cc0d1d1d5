// Which fencer has its turn: from what is on record and the time that was spent, whoever leads.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FencingRules } from './fencing-rules.ts';
import {
  beginRung,
  type Climb,
  fencersIn,
  isAccepted,
  type Ladder,
  ladderOf,
  type NextRung,
  nextRung,
  noteAnswer,
  type RungRecord,
  wordsOfRungs,
} from './ladder.ts';
import { acceptableProofs } from './proof.ts';

const ladder = (change: Partial<Ladder> = {}, ...forMs: readonly number[]): Ladder => ({
  rungs: (forMs.length > 0 ? forMs : [90_000, 60_000, 300_000]).map((ms, at) => ({
    fencer: `f${at}`,
    forMs: ms,
  })),
  proof: 'required',
  accept: acceptableProofs,
  giveUpAfterMs: undefined,
  ...change,
});

const startedAt = '2030-01-01T00:00:00.000Z';
const turn = (fencer: string, beganMs: number, change: Partial<RungRecord> = {}): RungRecord => ({
  fencer,
  round: 1,
  startedAt,
  epoch: 1,
  beganMs,
  ...change,
});
const climbAt = (rung: number, ...rungs: readonly RungRecord[]): Climb => ({ round: 1, rung, rungs });
const over = (fencer: string, beganMs: number, overMs: number, round = 1): RungRecord =>
  turn(fencer, beganMs, { overMs, end: 'failed', round });

describe('the rung that has its turn', () => {
  it.each<{ what: string; on?: Ladder; climb?: Climb; spentMs: number; next: NextRung }>([
    {
      what: 'is the first one at first',
      spentMs: 0,
      next: { move: 'begin', rung: 0, round: 1, forMs: 90_000 },
    },
    {
      what: 'stays so for the rest of its time, whoever leads',
      climb: climbAt(0, turn('f0', 0, { epoch: 7 })),
      spentMs: 89_999,
      next: { move: 'continue', rung: 0, round: 1, forMs: 1 },
    },
    {
      what: 'is the next one once that is over',
      climb: climbAt(0, turn('f0', 0)),
      spentMs: 90_000,
      next: { move: 'begin', rung: 1, round: 1, forMs: 60_000 },
    },
    {
      what: 'is the next one at once when asking again would come to the same',
      climb: climbAt(0, over('f0', 0, 500)),
      spentMs: 500,
      next: { move: 'begin', rung: 1, round: 1, forMs: 60_000 },
    },
    {
      what: 'has a time that counts from its own beginning',
      climb: climbAt(1, over('f0', 0, 500), turn('f1', 600)),
      spentMs: 60_500,
      next: { move: 'continue', rung: 1, round: 1, forMs: 100 },
    },
    {
      what: 'is nobody’s for a moment after the last one',
      climb: climbAt(2, over('f0', 0, 500), over('f1', 600, 60_600), turn('f2', 60_600)),
      spentMs: 360_600,
      next: { move: 'pause', forMs: 10_000 },
    },
    {
      what: 'is the first one again after that, in another round',
      climb: climbAt(2, over('f0', 0, 500), over('f1', 600, 60_600), turn('f2', 60_600)),
      spentMs: 370_600,
      next: { move: 'begin', rung: 0, round: 2, forMs: 90_000 },
    },
    {
      what: 'is the second one in the second round, whatever is on record of the first',
      climb: {
        round: 2,
        rung: 0,
        rungs: [over('f0', 400_000, 400_500, 2), over('f1', 600, 60_600), over('f2', 60_600, 360_600)],
      },
      spentMs: 400_500,
      next: { move: 'begin', rung: 1, round: 2, forMs: 60_000 },
    },
    {
      what: 'comes again no sooner than a minute after it was refused for good, since nothing is helped by being asked',
      on: ladder({}, 90_000),
      climb: climbAt(0, over('f0', 0, 500)),
      spentMs: 500,
      next: { move: 'pause', forMs: 59_500 },
    },
    {
      what: 'has no more time than is left until the takeover goes on without a proof',
      on: ladder({ proof: 'optional', giveUpAfterMs: 100_000 }),
      climb: climbAt(0, over('f0', 0, 500)),
      spentMs: 90_000,
      next: { move: 'begin', rung: 1, round: 1, forMs: 10_000 },
    },
    {
      what: 'is nobody’s for no longer than that',
      on: ladder({ proof: 'optional', giveUpAfterMs: 93_000 }, 90_000),
      climb: climbAt(0, turn('f0', 0)),
      spentMs: 91_000,
      next: { move: 'pause', forMs: 2_000 },
    },
    {
      what: 'is nobody’s from then on',
      on: ladder({ proof: 'optional', giveUpAfterMs: 100_000 }),
      climb: climbAt(1, over('f0', 0, 500), turn('f1', 600)),
      spentMs: 100_000,
      next: { move: 'give-up' },
    },
    {
      what: 'is still somebody’s a moment before',
      on: ladder({ proof: 'optional', giveUpAfterMs: 60_000 }),
      climb: climbAt(0, turn('f0', 0)),
      spentMs: 59_999,
      next: { move: 'continue', rung: 0, round: 1, forMs: 1 },
    },
    {
      what: 'is nobody’s once each had its time, where neither a proof is required nor a time to give up after is given',
      on: ladder({ proof: 'optional' }, 90_000),
      climb: climbAt(0, turn('f0', 0)),
      spentMs: 90_000,
      next: { move: 'give-up' },
    },
    {
      what: 'is nobody’s where there are none and a proof is required',
      on: { ...ladder(), rungs: [] },
      spentMs: 1e9,
      next: { move: 'pause', forMs: 10_000 },
    },
  ])('$what', ({ on = ladder(), climb, spentMs, next }) => {
    expect(nextRung(on, climb, spentMs)).toEqual(next);
  });
});

describe('what is on record and can’t be', () => {
  const first: NextRung = { move: 'begin', rung: 0, round: 1, forMs: 90_000 };
  it.each<{ what: string; climb: Climb; spentMs?: number; next: NextRung }>([
    { what: 'a rung that there is not', climb: climbAt(99), next: first },
    { what: 'no rungs at all', climb: climbAt(0), next: first },
    { what: 'the turn of another fencer', climb: climbAt(0, turn('somebody', 0)), next: first },
    {
      what: 'a rung above one that never had its turn',
      climb: { round: 1, rung: 2, rungs: [turn('f2', 0), turn('f2', 0), turn('f2', 0)] },
      next: first,
    },
    { what: 'a turn in another round', climb: climbAt(0, turn('f0', 0, { round: 8 })), next: first },
    { what: 'a turn that begins in a day', climb: climbAt(0, turn('f0', 86_400_000)), next: first },
    {
      what: 'two turns at once',
      climb: climbAt(1, turn('f0', 0), turn('f1', 0)),
      next: first,
    },
    { what: 'round 0', climb: { round: 0, rung: 0, rungs: [] }, next: first },
  ])('$what: the rung has its turn yet to come', ({ climb, spentMs = 1_000, next }) => {
    for (const proof of ['required', 'optional'] as const) {
      expect(nextRung(ladder({ proof }), climb, spentMs)).toEqual(next);
    }
  });

  it('holes are filled as they are come to, and none is left to be written', () => {
    const rungs: RungRecord[] = [];
    rungs[2] = turn('f2', 0);
    const next = nextRung(ladder(), { round: 1, rung: 2, rungs }, 10);
    expect(next).toMatchObject({ move: 'begin', rung: 0 });
    const began = beginRung(
      ladder(),
      { round: 1, rung: 2, rungs },
      { rung: 0, round: 1 },
      { spentMs: 10, at: startedAt, epoch: 2 },
    );
    expect(JSON.parse(JSON.stringify(began))).toEqual(began);
  });

  it('a turn that began a little ahead of what is known to be spent goes on, for no more than its time', () => {
    expect(nextRung(ladder(), climbAt(0, turn('f0', 5_000)), 1_000)).toEqual({
      move: 'continue',
      rung: 0,
      round: 1,
      forMs: 90_000,
    });
  });

  const somebody = fc.constantFrom('f0', 'f1', 'f2', 'f3', 'somebody');
  const ms = fc.oneof(fc.nat(1_000_000), fc.constantFrom(0, Number.MAX_SAFE_INTEGER));
  const anyTurn = fc.record(
    {
      fencer: somebody,
      round: fc.nat(4),
      startedAt: fc.constant(startedAt),
      epoch: fc.nat(9),
      beganMs: ms,
      overMs: ms,
      end: fc.constantFrom<'failed' | 'not-accepted' | 'time-out'>('failed', 'not-accepted', 'time-out'),
      detail: fc.string(),
    },
    { requiredKeys: ['fencer', 'round', 'startedAt', 'epoch', 'beganMs'] },
  );
  const anyClimb = fc.record({
    round: fc.nat(4),
    rung: fc.oneof(fc.nat(5), fc.constant(Number.MAX_SAFE_INTEGER)),
    rungs: fc.array(anyTurn, { maxLength: 5 }),
  });

  it('never throws, never gives up before its time, and always comes to each rung', () => {
    fc.assert(
      fc.property(
        anyClimb,
        fc.constantFrom<'required' | 'optional'>('required', 'optional'),
        ms,
        (climb, proof, spentMs) => {
          const on = ladder({ proof });
          const next = nextRung(on, climb, spentMs);
          const had = on.rungs.every(({ fencer, forMs }, place) => {
            const one = climb.rungs[place];
            const isOver = one?.overMs !== undefined || spentMs >= (one?.beganMs ?? 0) + forMs;
            return one?.fencer === fencer && one.round === Math.max(1, climb.round) && isOver;
          });
          if (next.move === 'give-up') expect({ proof, had }).toEqual({ proof: 'optional', had: true });
          if (next.move === 'pause') expect(had).toBe(true);
          if (next.move !== 'give-up') expect(next.forMs).toBeGreaterThan(0);
          if (next.move !== 'give-up' && next.move !== 'pause') {
            expect(next.forMs).toBeLessThanOrEqual(on.rungs[next.rung]?.forMs ?? 0);
          }
          const at = { spentMs, at: startedAt, epoch: 9 };
          const began = next.move === 'begin' ? beginRung(on, climb, next, at) : climb;
          wordsOfRungs(noteAnswer(began, { detail: 'x', spentMs }));
          if (next.move === 'begin') {
            expect(nextRung(on, began, Math.round(spentMs))).toMatchObject({
              move: 'continue',
              rung: next.rung,
              round: next.round,
            });
          }
        },
      ),
    );
  });
});

/** What one rung comes to each time that it is asked. */
type Answer = 'fails' | 'fails for good' | 'not accepted';

/** One ask: how long the fencer thinks, what it says, and whether the leader dies of it before that is on record. */
interface Ask {
  readonly thinksMs: number;
  readonly answer: Answer;
  readonly dies: boolean;
}

interface Turn {
  readonly rung: number;
  readonly round: number;
  readonly fromMs: number;
  untilMs: number;
  end: 'time' | 'answer' | undefined;
}

/** Climbs as leaders do it who die now and then: nothing is kept but what is on record, and the time. */
function climbed(on: Ladder, asks: readonly Ask[], untilMs = Number.POSITIVE_INFINITY) {
  let climb: Climb | undefined;
  let spentMs = 0;
  let epoch = 1;
  const turns: Turn[] = [];
  for (const { thinksMs, answer, dies } of asks) {
    const next = nextRung(on, climb, spentMs);
    if (next.move === 'give-up' || spentMs >= untilMs)
      return { turns, spentMs, gaveUp: next.move === 'give-up' };
    if (next.move === 'pause') {
      spentMs += next.forMs;
      continue;
    }
    const { rung, round, forMs } = next;
    if (next.move === 'begin') {
      climb = beginRung(on, climb, next, { spentMs, at: startedAt, epoch });
      turns.push({ rung, round, fromMs: spentMs, untilMs: spentMs, end: undefined });
    }
    const now = turns.at(-1);
    if (now === undefined || climb === undefined) throw new Error('nobody has a turn');
    expect(now).toMatchObject({ rung, round, end: undefined });
    spentMs += Math.min(thinksMs, forMs);
    now.untilMs = spentMs;
    if (thinksMs >= forMs) now.end = 'time';
    if (dies) {
      epoch++;
      continue;
    }
    const ends = { fails: undefined, 'fails for good': 'failed', 'not accepted': 'not-accepted' } as const;
    const end = thinksMs >= forMs ? undefined : ends[answer];
    climb = noteAnswer(climb, { detail: answer, spentMs, ...(end !== undefined && { end }) });
    if (end !== undefined) now.end = 'answer';
  }
  return { turns, spentMs, gaveUp: false };
}

describe('a climb over any number of leaders', () => {
  const times = fc.array(fc.integer({ min: 1_000, max: 300_000 }), { minLength: 1, maxLength: 4 });
  const asks = fc.array(
    fc.record({
      thinksMs: fc.integer({ min: 1, max: 120_000 }),
      answer: fc.constantFrom<Answer>('fails', 'fails', 'fails for good', 'not accepted'),
      dies: fc.boolean(),
    }),
    { minLength: 1, maxLength: 120 },
  );

  it('begins no rung twice in a round, in their order, one at a time', () => {
    fc.assert(
      fc.property(times, asks, (forMs, all) => {
        const { turns } = climbed(ladder({}, ...forMs), all);
        const places = turns.map(({ rung, round }) => `${round}/${rung}`);
        const inOrder = Array.from(
          { length: turns.length },
          (_, at) => `${1 + Math.floor(at / forMs.length)}/${at % forMs.length}`,
        );
        expect(places).toEqual(inOrder);
        for (const [at, { fromMs }] of turns.entries()) {
          expect(fromMs).toBeGreaterThanOrEqual(turns[at - 1]?.untilMs ?? 0);
        }
      }),
    );
  });

  it('gives each rung its time, no more and no less, unless it is refused for good', () => {
    fc.assert(
      fc.property(times, asks, (forMs, all) => {
        const { turns } = climbed(ladder({}, ...forMs), all);
        for (const { rung, fromMs, untilMs, end } of turns) {
          const tookMs = untilMs - fromMs;
          expect(tookMs).toBeLessThanOrEqual(forMs[rung] ?? 0);
          if (end === 'time') expect(tookMs).toBe(forMs[rung]);
        }
        for (const { end } of turns.slice(0, -1)) expect(end).toBeDefined();
      }),
    );
  });

  it('gives up at the very moment that the policy names, however many leaders died, and never where a proof is required', () => {
    fc.assert(
      fc.property(times, asks, fc.integer({ min: 1, max: 600_000 }), (forMs, all, giveUpAfterMs) => {
        const endless = all.concat(
          Array.from({ length: 2_000 }, (_, i) => ({ ...(all[i % all.length] as Ask) })),
        );
        const optional = climbed(ladder({ proof: 'optional', giveUpAfterMs }, ...forMs), endless);
        if (optional.gaveUp) expect(optional.spentMs).toBe(giveUpAfterMs);
        else expect(optional.spentMs).toBeLessThan(giveUpAfterMs);
        expect(climbed(ladder({}, ...forMs), endless, giveUpAfterMs).gaveUp).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  it('comes round again and again, with a pause each time, where a proof is required', () => {
    const refusals = Array.from(
      { length: 40 },
      (): Ask => ({ thinksMs: 10, answer: 'fails for good', dies: false }),
    );
    const { turns } = climbed(ladder({}, 90_000, 90_000), refusals);
    const starts = turns.filter(({ rung }) => rung === 0).map(({ fromMs }) => fromMs);
    expect(starts.slice(0, 4)).toEqual([0, 60_000, 120_000, 180_000]);
  });
});

describe('a ladder with all its defaults', () => {
  const people = (fencer: string): boolean => fencer === 'manual';

  it('bears with a device for 90 s and with people for 300 s, unless the policy says otherwise', () => {
    const rules: FencingRules = {
      proof: 'required',
      ladder: [{ fencer: 'bmc' }, { fencer: 'pdu', forMs: 5_000 }, { fencer: 'manual' }],
    };
    expect(ladderOf(rules, people)).toEqual({
      rungs: [
        { fencer: 'bmc', forMs: 90_000 },
        { fencer: 'pdu', forMs: 5_000 },
        { fencer: 'manual', forMs: 300_000 },
      ],
      proof: 'required',
      accept: acceptableProofs,
      giveUpAfterMs: undefined,
    });
  });

  it('is made of names alone, too', () => {
    expect(ladderOf({ proof: 'required', drivers: ['bmc', 'manual'] }, people).rungs).toEqual([
      { fencer: 'bmc', forMs: 90_000 },
      { fencer: 'manual', forMs: 300_000 },
    ]);
    expect(fencersIn({ drivers: ['a'] })).toEqual(['a']);
    expect(fencersIn({ ladder: [{ fencer: 'b' }], drivers: ['a'] })).toEqual(['b']);
    expect(fencersIn({})).toEqual([]);
  });

  it('knows of no time to give up after where a proof is required', () => {
    expect(ladderOf({ proof: 'required', giveUpAfterMs: 5 }, people).giveUpAfterMs).toBeUndefined();
    expect(ladderOf({ proof: 'optional', giveUpAfterMs: 5 }, people).giveUpAfterMs).toBe(5);
  });

  it('never gives up on a human, unless the policy says after how long', () => {
    const ladder = [{ fencer: 'bmc' }, { fencer: 'manual' }];
    const rules = ladderOf({ proof: 'optional', ladder }, people);
    let climb: Climb | undefined;
    for (let spentMs = 0; spentMs < 86_400_000; spentMs += 60_000) {
      const next = nextRung(rules, climb, spentMs);
      expect(next.move).not.toBe('give-up');
      if (next.move === 'begin') climb = beginRung(rules, climb, next, { spentMs, at: '', epoch: 1 });
    }
    expect(climb?.round).toBeGreaterThan(100);
    expect(
      nextRung(ladderOf({ proof: 'optional', ladder, giveUpAfterMs: 600_000 }, people), climb, 600_000),
    ).toEqual({
      move: 'give-up',
    });
  });

  it('accepts what the policy accepts, and "none" only where no proof is required', () => {
    const only = { accept: ['powered-off'], proof: 'required' } as const;
    expect(isAccepted(only, 'powered-off')).toBe(true);
    expect(isAccepted(only, 'isolated')).toBe(false);
    expect(isAccepted({ ...only, proof: 'optional' }, 'isolated')).toBe(false);
    expect(isAccepted(only, 'none')).toBe(false);
    expect(isAccepted({ ...only, proof: 'optional' }, 'none')).toBe(true);
    expect(isAccepted({ accept: [], proof: 'required' }, 'powered-off')).toBe(false);
  });
});

describe('what the rungs said', () => {
  it('is told in their order, and that one said nothing', () => {
    const climb = climbAt(
      2,
      turn('bmc', 0, { overMs: 90_000, end: 'time-out' }),
      turn('pdu', 90_000, { overMs: 90_100, end: 'failed', detail: 'the password is refused' }),
      turn('manual', 90_100),
    );
    expect(wordsOfRungs(climb)).toEqual(['bmc: no answer in its time', 'pdu: the password is refused']);
  });

  it('fits into an Event, the command for a human included, however much a device says', () => {
    const said = (fencer: string, detail: string): RungRecord => turn(fencer, 0, { detail });
    const command = `make sure that node-1 is off, then: ${'liberator confirm node-1, or '.repeat(8)}`;
    const words = wordsOfRungs(
      climbAt(
        3,
        said('bmc', 'x'.repeat(1_024)),
        said('pdu', 'HTTP 401'),
        said('cloud', 'y'.repeat(1_024)),
        said('manual', command),
      ),
    );
    expect(words.join('; ').length).toBeLessThan(1_000);
    expect(words[1]).toBe('pdu: HTTP 401');
    expect(words[3]).toBe(`manual: ${command}`);
    for (const at of [0, 2]) expect(words[at]).toMatch(/^(bmc|cloud): [xy]{250,}…$/);
    expect(wordsOfRungs(climbAt(0, said('bmc', 'z'.repeat(1_024))))[0]).toHaveLength(900);
  });

  it('is noted for the rung that has its turn, and for none when none has', () => {
    const climb = climbAt(0, turn('bmc', 0));
    const answer = { detail: 'busy', spentMs: 12.4, end: 'failed' } as const;
    expect(noteAnswer(climb, answer).rungs[0]).toMatchObject({ detail: 'busy', end: 'failed', overMs: 12 });
    expect(noteAnswer(climbAt(9), answer)).toEqual(climbAt(9));
  });
});
