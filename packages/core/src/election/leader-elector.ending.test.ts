// How leadership ends: by letting go, by a signal, or by the work itself.
import { describe, expect, it } from 'vitest';
import { Candidate, changeable, clock, untilItsEnd } from '../testing/candidate.ts';
import { MemoryLease } from '../testing/memory-lease.ts';
import { LeadershipLostError } from './leader-elector.ts';

describe('resigning', () => {
  it('ends the term at once, and gives the Lease back when the work has settled', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const settled = Promise.withResolvers<void>();
    const bug = new TypeError('a bug');
    const a = new Candidate(time, lease).run(async (_, resign) => {
      resign('it failed');
      resign('said twice');
      await settled.promise;
      throw bug;
    });
    const b = new Candidate(time, lease, { identity: 'b' }).run();
    await time.advance(5_000);
    expect(a.term?.remainingMs()).toBe(0);
    expect(a.term?.signal.aborted).toBe(true);
    expect(lease.history).toHaveLength(1);
    expect(a.outcome).toBeUndefined();
    settled.resolve();
    await time.advance(2_000);
    expect(a.outcome).toMatchObject({ threw: { message: 'leadership lost: it failed', cause: bug } });
    expect(b.leads).toBe(true);
  });

  it('is a loss of leadership although nothing was thrown', async () => {
    const time = clock();
    const a = new Candidate(time, new MemoryLease(time)).run(async (_, resign) => resign('enough'));
    await time.settle();
    expect(a.outcome).toMatchObject({ threw: { message: 'leadership lost: enough' } });
  });

  it('does nothing to a term that has ended otherwise', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run(async (term, resign) => {
      await untilItsEnd(term);
      resign('too late');
    });
    await time.advance(1_000);
    lease.put({ holderIdentity: 'b', leaseTransitions: 1 });
    await time.advance(2_000);
    expect(a.outcome).toMatchObject({ threw: { message: 'leadership lost: b holds the Lease now' } });
    expect(lease.current?.record.holderIdentity).toBe('b');
  });

  it.each(['resigned', 'was told to stop', 'has its term'] as const)(
    'leaves the Lease to run out where the work can’t be sure that it has ended, and %s',
    async (how) => {
      const time = clock();
      const lease = new MemoryLease(time);
      const unsettled = new LeadershipLostError('something goes on');
      const a = new Candidate(time, lease).run(async (term, resign) => {
        if (how === 'resigned') resign('it failed');
        if (how === 'was told to stop') await untilItsEnd(term);
        throw unsettled;
      });
      await time.settle();
      a.stop.abort();
      await time.settle();
      expect(a.outcome).toEqual({ threw: unsettled });
      expect(a.term?.remainingMs()).toBe(0);
      expect(lease.current?.record.holderIdentity).toBe('a');
    },
  );
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

  it('happens while it asks whether the Lease is still its own', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const network = changeable();
    const a = new Candidate(time, lease, {
      fate: (verb) => (verb === 'read' ? network.now : {}),
    }).run();
    await time.advance(1_000);
    network.now = { toServerMs: 3_000 };
    lease.touch();
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

  it.each([
    { what: 'the reason it was told', thrown: (reason: unknown) => reason },
    { what: 'that it was aborted', thrown: () => new DOMException('aborted', 'AbortError') },
    {
      what: 'a failure that this caused',
      thrown: (reason: unknown) => new Error('cut off', { cause: reason }),
    },
  ])('because it was asked to stop fails nothing: $what', async ({ thrown }) => {
    const time = clock();
    const lease = new MemoryLease(time);
    const a = new Candidate(time, lease).run(async (term) => {
      await untilItsEnd(term);
      throw thrown(term.signal.reason);
    });
    await time.advance(1_000);
    a.stop.abort();
    await time.settle();
    expect(a.outcome).toEqual({ returned: true });
    expect(lease.current?.record.holderIdentity).toBe('');
  });

  it('for a reason of its own after it was asked to stop has its error handed on, after the release', async () => {
    const time = clock();
    const lease = new MemoryLease(time);
    const failure = new Error('could not tidy up');
    const a = new Candidate(time, lease).run(async (term) => {
      await untilItsEnd(term);
      throw failure;
    });
    await time.advance(1_000);
    a.stop.abort();
    await time.settle();
    expect(a.outcome).toEqual({ threw: failure });
    expect(lease.current?.record.holderIdentity).toBe('');
  });
});
