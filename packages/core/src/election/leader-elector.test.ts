// What a candidate does: when it takes a Lease, keeps it, loses it and lets it go.
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../clock.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type LeaseClientOptions, MemoryLease, type RequestFate } from '../testing/memory-lease.ts';
import { LeaderElector, type LeaderElectorOptions, LeadershipLostError } from './leader-elector.ts';
import type { LeaderTerm } from './leader-term.ts';

const clock = (): ManualClock => new ManualClock();
const noJitter = { next: () => 0 };

/** One candidate, and what was seen of it. */
class Candidate {
  readonly elector: LeaderElector;
  readonly terms: LeaderTerm[] = [];
  readonly leaders: string[] = [];
  readonly errors: unknown[] = [];
  readonly stop = new AbortController();
  /** What `run` came to, once it did. */
  outcome: { returned: boolean } | { threw: unknown } | undefined;

  constructor(
    time: Clock,
    lease: MemoryLease,
    options: Partial<LeaderElectorOptions> & Pick<LeaseClientOptions, 'fate' | 'honoursLimits'> = {},
  ) {
    const { fate, honoursLimits, ...rest } = options;
    this.elector = new LeaderElector({
      store: lease.storeFor({
        clock: time,
        ...(fate && { fate }),
        ...(honoursLimits !== undefined && { honoursLimits }),
      }),
      identity: 'a',
      clock: time,
      random: noJitter,
      onNewLeader: (leader) => this.leaders.push(leader),
      onError: (error) => this.errors.push(error),
      ...rest,
    });
  }

  get term(): LeaderTerm | undefined {
    return this.terms.at(-1);
  }

  get leads(): boolean {
    return (this.term?.remainingMs() ?? 0) > 0;
  }

  /** Leads until told to stop, unless the work is another one. */
  run(work: (term: LeaderTerm) => Promise<void> = untilItsEnd): this {
    this.elector
      .run((term) => {
        this.terms.push(term);
        return work(term);
      }, this.stop.signal)
      .then(
        (returned) => {
          this.outcome = { returned };
        },
        (threw: unknown) => {
          this.outcome = { threw };
        },
      );
    onTestFinished(() => this.stop.abort());
    return this;
  }
}

const untilItsEnd = (term: LeaderTerm): Promise<void> =>
  new Promise((resolve) => {
    if (term.signal.aborted) return resolve();
    term.signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Fates that a test can change while it runs. */
function changeable(fate: RequestFate = {}): { fate: () => RequestFate; now: RequestFate } {
  const holder = { fate: () => holder.now, now: fate };
  return holder;
}

describe('a candidate', () => {
  it('creates the Lease that nobody has and leads in epoch 0', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const candidate = new Candidate(time, lease).run();
    await time.settle();
    expect(candidate.term).toMatchObject({ epoch: 0, identity: 'a' });
    expect(lease.current?.record).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
    });
    expect(candidate.leaders).toEqual(['a']);
  });

  it('takes a Lease that nobody holds at once, in the next epoch', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: '', leaseTransitions: 41 });
    const candidate = new Candidate(time, lease).run();
    await time.settle();
    expect(candidate.term?.epoch).toBe(42);
  });

  it('waits out a silent holder by its own clock, whatever the times in the record say', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b', leaseTransitions: 3, renewTime: '1970-01-01T00:00:00.000000Z' });
    const candidate = new Candidate(time, lease).run();
    await time.advance(14_999);
    expect(candidate.leads).toBe(false);
    await time.advance(2_001);
    expect(candidate.term?.epoch).toBe(4);
    expect(candidate.leaders).toEqual(['b', 'a']);
  });

  it('waits as long as the holder keeps renewing', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const candidate = new Candidate(time, lease).run();
    lease.put({ holderIdentity: 'b' });
    for (let i = 0; i < 20; i++) {
      lease.put({ renewTime: `renewal ${i}` });
      await time.advance(14_000);
    }
    expect(candidate.terms).toEqual([]);
  });

  it('is not kept waiting by what changes nothing about the election', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b' });
    const candidate = new Candidate(time, lease).run();
    for (let i = 0; i < 5; i++) {
      await time.advance(4_000);
      lease.touch();
    }
    expect(candidate.leads).toBe(true);
  });

  it.each([
    { claimed: 60, waitsMs: 60_000 },
    { claimed: 1, waitsMs: 15_000 },
    { claimed: 0, waitsMs: 15_000 },
    { claimed: -30, waitsMs: 15_000 },
    { claimed: 31_536_000, waitsMs: 600_000 },
    { claimed: Number.NaN, waitsMs: 15_000 },
    { claimed: Number.POSITIVE_INFINITY, waitsMs: 15_000 },
  ])('waits $waitsMs ms for a holder that claims $claimed s', async ({ claimed, waitsMs }) => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b', leaseDurationSeconds: claimed });
    const candidate = new Candidate(time, lease).run();
    await time.advance(waitsMs - 1);
    expect(candidate.leads).toBe(false);
    await time.advance(2_001);
    expect(candidate.leads).toBe(true);
  });

  it('never waits less than its own lease duration, however long that is', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b', leaseDurationSeconds: 1_200 });
    const timings = { leaseDurationMs: 1_200_000, renewDeadlineMs: 1_100_000, retryPeriodMs: 2_000 };
    const candidate = new Candidate(time, lease, timings).run();
    await time.advance(1_199_999);
    expect(candidate.leads).toBe(false);
    await time.advance(2_001);
    expect(candidate.leads).toBe(true);
  });

  it('keeps trying while the server cannot be reached, and says so', async () => {
    const time = clock();
    const network = changeable({ lost: 'request' });
    const candidate = new Candidate(time, new MemoryLease(time), network).run();
    await time.advance(60_000);
    expect(candidate.errors.length).toBeGreaterThan(5);
    expect(candidate.terms).toEqual([]);
    network.now = {};
    await time.advance(10_000);
    expect(candidate.leads).toBe(true);
  });

  it('takes over at once what it acquired without hearing of it', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let lost = 0;
    const candidate = new Candidate(time, lease, {
      fate: (verb) => (verb === 'create' && lost++ === 0 ? { lost: 'answer' } : {}),
    }).run();
    await time.advance(4_999);
    expect(lease.current?.record).toMatchObject({ holderIdentity: 'a', leaseTransitions: 0 });
    expect(candidate.terms).toEqual([]);
    await time.advance(2_001);
    expect(candidate.term?.epoch).toBe(1);
  });

  it('does not lead by an answer that took longer than a term lasts', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let slow = 0;
    const candidate = new Candidate(time, lease, {
      honoursLimits: false,
      fate: (verb) => (verb === 'create' && slow++ === 0 ? { toClientMs: 10_000 } : {}),
    }).run();
    await time.advance(11_999);
    expect(candidate.terms).toEqual([]);
    await time.advance(1);
    expect(candidate.term?.epoch).toBe(1);
  });

  it('loses no time to one who asked a moment earlier', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease, { fate: () => ({ toServerMs: 5 }) }).run();
    const b = new Candidate(time, lease, { identity: 'b', fate: () => ({ toServerMs: 5 }) }).run();
    await time.advance(100);
    expect([a.leads, b.leads]).toEqual([true, false]);
    expect(b.elector.leader).toBe('');
    await time.advance(2_100);
    expect(b.elector.leader).toBe('a');
  });
});

describe('a leader', () => {
  it('stays leader for as long as it renews', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(600_000);
    expect(a.terms).toHaveLength(1);
    expect(a.leads).toBe(true);
    expect(b.terms).toEqual([]);
    expect(lease.current?.record).toMatchObject({ leaseTransitions: 0, holderIdentity: 'a' });
  });

  it('never writes the same renewal twice, even when wall time is set back by just that much', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const stuck: Clock = {
      now: () => time.now(),
      wallTime: () => Date.UTC(2030, 0, 1),
      setTimeout: (callback, delayMs) => time.setTimeout(callback, delayMs),
      clearTimeout: (handle) => time.clearTimeout(handle),
    };
    const a = new Candidate(stuck, lease).run();
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(60_000);
    expect(new Set(lease.history.map(({ renewTime }) => renewTime)).size).toBe(lease.history.length);
    expect([a.leads, b.terms.length]).toEqual([true, 0]);
  });

  it('keeps its term through conflicts, edits by others and lost answers', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const fates: readonly RequestFate[] = [{}, { refused: true }, {}, { lost: 'answer' }, {}, {}];
    let renewals = 0;
    const a = new Candidate(time, lease, {
      fate: (verb) => (verb === 'update' ? (fates[renewals++ % fates.length] ?? {}) : {}),
    }).run();
    for (let i = 0; i < 30; i++) {
      await time.advance(4_000);
      lease.touch();
    }
    expect(a.terms).toHaveLength(1);
    expect(a.leads).toBe(true);
  });

  it('is no leader any more from the renew deadline on, and its work is told', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    await time.advance(1_000);
    network.now = { lost: 'request' };
    await time.advance(8_999);
    expect(a.term?.remainingMs()).toBe(1);
    await time.advance(1);
    expect(a.term?.remainingMs()).toBe(0);
    expect(a.term?.signal.aborted).toBe(true);
    await time.settle();
    expect(a.outcome).toMatchObject({ threw: { code: 'LIBERATOR_LEADERSHIP_LOST' } });
    expect(String((a.outcome as { threw: unknown }).threw)).toContain('no renewal succeeded for 10000 ms');
  });

  it('counts from when a request was sent, not from when its answer came', async () => {
    const time = clock();
    const network = changeable({ toClientMs: 2_000 });
    const a = new Candidate(time, new MemoryLease(time), { fate: () => network.now }).run();
    await time.advance(4_000);
    expect(a.term?.remainingMs()).toBe(8_000);
    await time.advance(1_000);
    network.now = { toClientMs: 4_000 };
    await time.advance(1_000);
    expect(a.term?.remainingMs()).toBe(6_000);
    await time.advance(4_000);
    expect(a.term?.remainingMs()).toBe(6_000);
  });

  it('does not count on an answer that comes too late, although the renewal was applied', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, { ...network, fate: () => network.now, honoursLimits: false }).run();
    await time.settle();
    network.now = { toClientMs: 30_000 };
    await time.advance(10_000);
    expect(a.term?.remainingMs()).toBe(0);
    await time.advance(25_000);
    expect(a.term?.remainingMs()).toBe(0);
    expect(a.outcome).toMatchObject({ threw: { code: 'LIBERATOR_LEADERSHIP_LOST' } });
  });

  it('ends its term when it finds another holder', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    await time.advance(1_000);
    lease.put({ holderIdentity: 'b', leaseTransitions: 1 });
    await time.advance(1_000);
    expect(a.leads).toBe(false);
    expect(String((a.outcome as { threw: unknown }).threw)).toContain('b holds the Lease now');
    expect(lease.current?.record.holderIdentity).toBe('b');
  });

  it.each([
    { what: 'deleted', tamper: (lease: MemoryLease) => lease.delete() },
    { what: 'emptied', tamper: (lease: MemoryLease) => lease.put({ holderIdentity: '' }) },
  ])('ends its term when its Lease was $what', async ({ tamper }) => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    await time.advance(1_000);
    tamper(lease);
    await time.advance(1_000);
    expect(a.leads).toBe(false);
    expect(String((a.outcome as { threw: unknown }).threw)).toContain('deleted or released by somebody else');
  });

  it('ends its term when wall time shows that it was frozen for longer than a term lasts', async () => {
    const time = clock();
    let frozenForMs = 0;
    const thawed: Clock = {
      now: () => time.now(),
      wallTime: () => time.wallTime() + frozenForMs,
      setTimeout: (callback, delayMs) => time.setTimeout(callback, delayMs),
      clearTimeout: (handle) => time.clearTimeout(handle),
    };
    const a = new Candidate(thawed, new MemoryLease(time)).run();
    await time.advance(500);
    frozenForMs = 60_000;
    expect(a.term?.remainingMs()).toBe(0);
    await time.advance(2_000);
    expect(a.term?.signal.aborted).toBe(true);
    expect(a.outcome).toHaveProperty('threw');
  });
});

describe('a Lease that is deleted from under its leader', () => {
  it('is not taken by those who knew it before the leader must have noticed', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(4_100);
    network.now = { lost: 'request' };
    lease.delete();
    for (let i = 0; i < 140; i++) {
      await time.advance(100);
      expect(a.leads && b.leads).toBe(false);
    }
    await time.advance(5_000);
    expect(b.leads).toBe(true);
    expect(b.term?.epoch).toBe(1);
  });

  it('is told of: nobody leads', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b' });
    const candidate = new Candidate(time, lease).run();
    await time.settle();
    lease.delete();
    await time.advance(2_000);
    expect(candidate.leaders).toEqual(['b', '']);
    expect(candidate.elector.leader).toBe('');
  });
});

describe('two processes with one identity', () => {
  it('do not both lead', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const first = new Candidate(time, lease).run();
    await time.advance(5_000);
    const second = new Candidate(time, lease).run();
    await time.advance(60_000);
    expect(first.leads).toBe(true);
    expect(second.terms).toEqual([]);
  });

  it('do not both lead when they ask in the same instant either', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const both = [
      new Candidate(time, lease, { fate: () => ({ toServerMs: 5 }) }),
      new Candidate(time, lease, { fate: () => ({ toServerMs: 5 }) }),
    ];
    for (const candidate of both) candidate.run();
    for (let i = 0; i < 100; i++) {
      await time.advance(100);
      expect(both.filter(({ leads }) => leads).length).toBeLessThanOrEqual(1);
    }
    expect(both.filter(({ leads }) => leads)).toHaveLength(1);
  });

  it('are told apart by the epoch when one took over from the other', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    await time.advance(1_000);
    lease.put({ leaseTransitions: 1 });
    await time.advance(1_000);
    expect(String((a.outcome as { threw: unknown }).threw)).toContain('another process uses the identity a');
  });
});

describe('letting go', () => {
  it('lets another candidate lead at its next attempt', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(5_000);
    a.stop.abort();
    await time.advance(2_000);
    expect(a.outcome).toEqual({ returned: true });
    expect(b.leads).toBe(true);
    expect(b.term?.epoch).toBe(1);
    expect(b.leaders).toEqual(['a', '', 'b'].slice(-b.leaders.length));
  });

  it('happens only after the work has settled', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const work = Promise.withResolvers<void>();
    const a = new Candidate(time, lease).run(() => work.promise);
    await time.advance(1_000);
    a.stop.abort();
    await time.advance(1_000);
    expect(a.term?.remainingMs()).toBe(0);
    expect(lease.current?.record.holderIdentity).toBe('a');
    work.resolve();
    await time.settle();
    expect(lease.current?.record).toMatchObject({
      holderIdentity: '',
      leaseDurationSeconds: 1,
      leaseTransitions: 0,
    });
    expect(a.outcome).toEqual({ returned: true });
  });

  it('happens when the work is done', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run(async () => {});
    await time.settle();
    expect(lease.current?.record.holderIdentity).toBe('');
    expect(a.outcome).toEqual({ returned: true });
    expect(time.pendingTimers).toBe(0);
  });

  it('happens over a renewal of its own whose answer was cut off', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    await time.advance(1_000);
    network.now = { toClientMs: 3_000 };
    await time.advance(1_500);
    network.now = {};
    a.stop.abort();
    await time.settle();
    expect(lease.current?.record.holderIdentity).toBe('');
  });

  it('leaves alone a Lease that somebody else has taken meanwhile', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    await time.advance(1_000);
    lease.put({ holderIdentity: 'b', leaseTransitions: 1 });
    a.stop.abort();
    await time.settle();
    expect(lease.current?.record).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(a.outcome).toEqual({ returned: true });
  });

  it('is given up, and told, when the server does not answer', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    await time.advance(1_000);
    network.now = { lost: 'request' };
    a.stop.abort();
    await time.advance(5_000);
    expect(a.outcome).toEqual({ returned: true });
    expect(a.errors).toHaveLength(1);
  });

  it('does not happen after leadership was lost: a request may still be under way', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    await time.settle();
    network.now = { lost: 'request' };
    await time.advance(9_999);
    network.now = {};
    await time.advance(1);
    expect(a.outcome).toHaveProperty('threw');
    expect(lease.current?.record.holderIdentity).toBe('a');
  });
});

describe('running with a signal', () => {
  it('that has aborted before does nothing, not even look', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let requests = 0;
    const candidate = new Candidate(time, lease, {
      fate: () => {
        requests++;
        return {};
      },
    });
    candidate.stop.abort();
    candidate.run();
    await time.settle();
    expect(candidate.outcome).toEqual({ returned: false });
    expect([requests, candidate.terms.length, lease.history.length]).toEqual([0, 0, 0]);
  });

  it('that aborts while it waits for its turn ends the waiting', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b' });
    const candidate = new Candidate(time, lease).run();
    await time.advance(3_000);
    candidate.stop.abort();
    await time.settle();
    expect(candidate.outcome).toEqual({ returned: false });
    expect(time.pendingTimers).toBe(0);
    expect(candidate.errors).toEqual([]);
  });

  it('that aborts while the Lease is being taken never starts the work, and gives the Lease back', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const candidate = new Candidate(time, lease, {
      honoursLimits: false,
      fate: (verb) => (verb === 'create' ? { toClientMs: 1_000 } : {}),
    }).run();
    await time.advance(500);
    candidate.stop.abort();
    await time.advance(500);
    expect(candidate.terms).toEqual([]);
    expect(candidate.outcome).toEqual({ returned: false });
    expect(lease.current?.record.holderIdentity).toBe('');
  });

  it('leaves no listener on it behind', async () => {
    const time = clock();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--;
      remove(...args);
    };
    const lease = new MemoryLease(time);
    lease.put({ holderIdentity: 'b' });
    const { elector } = new Candidate(time, lease);
    const ran = elector.run(async () => {}, signal);
    await time.advance(20_000);
    await expect(ran).resolves.toBe(true);
    expect(listeners).toBe(0);
  });
});

describe('work that throws', () => {
  it('while it leads has its own error handed on, after the release', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const failure = new Error('a bug in the work');
    const a = new Candidate(time, lease).run(async () => {
      throw failure;
    });
    await time.settle();
    expect(a.outcome).toEqual({ threw: failure });
    expect(lease.current?.record.holderIdentity).toBe('');
  });

  it('without waiting for anything is no different', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const failure = new Error('thrown synchronously');
    const a = new Candidate(time, lease).run(() => {
      throw failure;
    });
    await time.settle();
    expect(a.outcome).toEqual({ threw: failure });
    expect(lease.current?.record.holderIdentity).toBe('');
  });

  it('because leadership was lost is the cause of the error that says so', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const failure = new Error('interrupted');
    const a = new Candidate(time, lease).run(async (term) => {
      await untilItsEnd(term);
      throw failure;
    });
    await time.advance(1_000);
    lease.put({ holderIdentity: 'b' });
    await time.advance(1_000);
    expect(a.outcome).toHaveProperty('threw');
    const { threw } = a.outcome as { threw: unknown };
    expect(threw).toBeInstanceOf(LeadershipLostError);
    expect(threw).toMatchObject({ cause: failure, message: 'leadership lost: b holds the Lease now' });
  });

  it('because it was asked to stop fails nothing', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run(async (term) => {
      await untilItsEnd(term);
      throw term.signal.reason;
    });
    await time.advance(1_000);
    a.stop.abort();
    await time.settle();
    expect(a.outcome).toEqual({ returned: true });
    expect(lease.current?.record.holderIdentity).toBe('');
  });
});

describe('timings that leave no room for one another', () => {
  it.each([
    { leaseDurationMs: 10_000, renewDeadlineMs: 10_000 },
    { leaseDurationMs: 5_000 },
    { renewDeadlineMs: 2_400 },
    { retryPeriodMs: 9_000 },
    { retryPeriodMs: 0 },
    { retryPeriodMs: -1 },
    { leaseDurationMs: Number.NaN },
    { renewDeadlineMs: Number.NaN },
    { retryPeriodMs: Number.NaN },
    { identity: '' },
  ])('are refused: %j', (timings) => {
    const time = clock();
    expect(() => new Candidate(time, new MemoryLease(time), timings)).toThrow(RangeError);
  });
});

describe('what surrounds an election', () => {
  it('a Lease that is created anew goes on from the epochs that were kept elsewhere', async () => {
    const time = clock();
    const candidate = new Candidate(time, new MemoryLease(time), { minimumEpoch: async () => 12 }).run();
    await time.settle();
    expect(candidate.term?.epoch).toBe(12);
  });

  it('a leader whose work hangs loses its term, however healthy its timers are', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let alive = true;
    const a = new Candidate(time, lease, { workIsAlive: () => alive }).run();
    await time.advance(60_000);
    expect(a.leads).toBe(true);
    alive = false;
    await time.advance(10_000);
    expect(a.leads).toBe(false);
    await time.settle();
    expect(String((a.outcome as { threw: unknown }).threw)).toContain('the work makes no progress');
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(20_000);
    expect(b.term?.epoch).toBe(1);
  });

  it('disposing of an elector ends its runs, and hands the Lease over', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run();
    await time.settle();
    await a.elector[Symbol.asyncDispose]();
    await time.settle();
    expect(a.outcome).toEqual({ returned: true });
    expect(lease.current?.record.holderIdentity).toBe('');
  });
});
