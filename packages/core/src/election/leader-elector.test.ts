// When a candidate takes a Lease, and when it waits.
import { describe, expect, it } from 'vitest';
import { Candidate, changeable, clock } from '../testing/candidate.ts';
import { MemoryLease } from '../testing/memory-lease.ts';

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

  it('creates a Lease that it never saw only after as long as it was told', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const candidate = new Candidate(time, lease, { createAfterMs: 15_000 }).run();
    await time.advance(14_999);
    expect(lease.current).toBeUndefined();
    await time.advance(2_001);
    expect(candidate.leads).toBe(true);
  });

  it('that waits so never leads beside one whose Lease was deleted just before it started', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, network).run();
    await time.advance(2_100);
    network.now = { lost: 'request' };
    lease.delete();
    const b = new Candidate(time, lease, { identity: 'b', createAfterMs: 15_000 }).run();
    for (let i = 0; i < 170; i++) {
      await time.advance(100);
      expect(a.leads && b.leads).toBe(false);
    }
    expect(b.leads).toBe(true);
  });

  it('is told of another holder, and of another term of the same one, once each', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const told: [string, number][] = [];
    new Candidate(time, lease, { onNewLeader: (leader, epoch) => told.push([leader, epoch]) }).run();
    for (const record of [
      { holderIdentity: 'b', leaseTransitions: 3 },
      { renewTime: 'later' },
      { leaseTransitions: 4 },
      { holderIdentity: 'c', leaseTransitions: 5 },
    ]) {
      lease.put(record);
      await time.advance(2_000);
    }
    expect(told).toEqual([
      ['b', 3],
      ['b', 4],
      ['c', 5],
    ]);
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

  it('leaves the Lease to others while it could not do the work, and watches who has it', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let able = false;
    const a = new Candidate(time, lease, { mayLead: () => able }).run();
    await time.advance(30_000);
    expect(lease.history).toEqual([]);
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(3_000);
    expect([a.terms, a.leaders, b.leads]).toEqual([[], ['b'], true]);
    b.stop.abort();
    await time.advance(30_000);
    expect(a.leads).toBe(false);
    able = true;
    // Not with the next attempt: the Lease is free, and nobody leads.
    await time.advance(200);
    expect(a.leads).toBe(true);
    able = false;
    await time.advance(60_000);
    expect(a.leads).toBe(true);
  });

  it('asks the server no more often while it could not do the work', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let reads = 0;
    const a = new Candidate(time, lease, {
      mayLead: () => false,
      fate: () => {
        reads++;
        return {};
      },
    }).run();
    await time.advance(60_000);
    expect(reads).toBeLessThanOrEqual(31);
    a.stop.abort();
    await time.settle();
    expect([a.outcome, time.pendingTimers]).toEqual([{ returned: false }, 0]);
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

  it.each([
    { what: 'without a count', leaseTransitions: 0 },
    { what: 'with a lower count', leaseTransitions: 7 },
  ])('a Lease that somebody made anew by hand, $what, takes no epoch back', async ({ leaseTransitions }) => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ leaseTransitions });
    const candidate = new Candidate(time, lease, { minimumEpoch: async () => 12 }).run();
    await time.settle();
    expect(candidate.term?.epoch).toBe(12);
  });

  it('a Lease with a higher count than is kept elsewhere goes on from its own', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ leaseTransitions: 30 });
    const candidate = new Candidate(time, lease, { minimumEpoch: async () => 12 }).run();
    await time.settle();
    expect(candidate.term?.epoch).toBe(31);
  });

  it('asks for the epochs that are kept elsewhere again when the Lease is another one than it held', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const kept = { epoch: 12, asked: 0 };
    const minimumEpoch = async (): Promise<number> => {
      kept.asked++;
      return kept.epoch;
    };
    const candidate = new Candidate(time, lease, { minimumEpoch });
    const leadOnce = (): Promise<boolean> =>
      candidate.elector.run(async (term) => void candidate.terms.push(term));
    await leadOnce();
    await leadOnce();
    expect(candidate.terms.map(({ epoch }) => epoch)).toEqual([12, 13]);
    expect(kept.asked).toBe(1);
    // Another process led for long, under a Lease that is gone by now as well.
    kept.epoch = 40;
    lease.delete();
    lease.put({ leaseTransitions: 1 });
    await leadOnce();
    expect(candidate.terms.at(-1)?.epoch).toBe(40);
  });

  it('takes no Lease that it never held while nobody knows which epochs there have been', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    lease.put({ leaseTransitions: 3 });
    const elsewhere = { fails: true };
    const minimumEpoch = async (): Promise<number> => {
      if (elsewhere.fails) throw new Error('not now');
      return 12;
    };
    const candidate = new Candidate(time, lease, { minimumEpoch }).run();
    await time.advance(10_000);
    expect(candidate.terms).toEqual([]);
    expect(candidate.errors.map(String)).toContain('Error: not now');
    elsewhere.fails = false;
    await time.advance(10_000);
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

  it('a leader whose work goes on again keeps its term, if only a moment of that is left', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let alive = true;
    const a = new Candidate(time, lease, { workIsAlive: () => alive }).run();
    await time.advance(60_000);
    alive = false;
    await time.advance(9_000);
    expect(a.term?.remainingMs()).toBeLessThan(2_000);
    alive = true;
    await time.advance(60_000);
    expect(a.term?.epoch).toBe(0);
    expect(a.leads).toBe(true);
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
