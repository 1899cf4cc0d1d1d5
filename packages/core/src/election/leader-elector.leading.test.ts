// How a leader keeps its Lease, and how it loses it.
import { describe, expect, it } from 'vitest';
import { Candidate, changeable, clock } from '../testing/candidate.ts';
import { MemoryLease, type RequestFate } from '../testing/memory-lease.ts';
import type { Clock } from '../time/clock.ts';

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

  it('does not ask without a break for what is refused though nobody else writes', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    let asked = 0;
    const a = new Candidate(time, lease, {
      fate: (verb) => (verb === 'update' && asked++ < 1_000 ? { refused: true } : {}),
    }).run();
    await time.advance(9_000);
    expect(asked).toBeLessThan(10);
    expect(a.leads).toBe(true);
    await time.advance(6_000);
    expect(a.leads).toBe(false);
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

  it.each(['request', 'answer'] as const)(
    'hears of the end of its term in time, and can go on, when a store waits for ever for a lost %s',
    async (lost) => {
      const time = clock();
      const lease = new MemoryLease(time);
      const network = changeable();
      const a = new Candidate(time, lease, { fate: network.fate, honoursLimits: false }).run();
      await time.advance(1_000);
      network.now = { lost };
      await time.advance(8_999);
      expect(a.term?.signal.aborted).toBe(false);
      await time.advance(1);
      expect(a.term?.signal.aborted).toBe(true);
      expect(a.outcome).toMatchObject({ threw: { code: 'LIBERATOR_LEADERSHIP_LOST' } });
      expect(time.pendingTimers).toBe(0);
    },
  );

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
