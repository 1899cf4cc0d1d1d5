// A candidate of `liberator elect` in virtual time, over the wire protocol of a simulated API server.
import {
  type Clock,
  createLeaseStore,
  type LeadershipLostError,
  type Lease,
  type LeaseRequestOptions,
  type LeaseStore,
  sleep,
} from '@liberator/core';
import { resources, Simulator, VirtualClock } from '@liberator/simulator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Candidacy } from '../../packages/agent/src/elect/candidacy.ts';
import { timingsForTtl } from '../../packages/agent/src/elect/election-timings.ts';
import type { Standing } from '../../packages/agent/src/elect/standing.ts';

const ttlMs = 15_000;
/** The first candidate waits for as long as a Lease lasts, and then until it asks for the next time. */
const firstTermMs = ttlMs + 2_000;

/** Its monotonic clock can be moved without that a timer fires, as for a process that is stopped. */
class StoppableClock implements Clock {
  readonly #shared: Clock;
  stoppedForMs = 0;

  constructor(shared: Clock) {
    this.#shared = shared;
  }

  now(): number {
    return this.#shared.now() + this.stoppedForMs;
  }

  wallTime(): number {
    return this.#shared.wallTime() + this.stoppedForMs;
  }

  setTimeout(callback: () => void, delayMs: number): object {
    return this.#shared.setTimeout(callback, delayMs);
  }

  clearTimeout(handle: object | undefined): void {
    this.#shared.clearTimeout(handle);
  }
}

/** One candidate, and what was heard of it. */
class Candidate {
  readonly clock: StoppableClock;
  readonly candidacy: Candidacy;
  readonly changes: Standing[] = [];
  readonly lost: LeadershipLostError[] = [];
  readonly stop: AbortController = new AbortController();
  /** No answer comes any more, whatever is asked. */
  cutOff = false;
  /** Called right before anything is written. */
  beforeWrite: () => void = () => undefined;
  ended = false;

  constructor(simulator: Simulator, time: VirtualClock, identity: string) {
    this.clock = new StoppableClock(time);
    const transport = simulator.transport({ user: identity });
    const { clock } = this;
    const store = createLeaseStore({ transport, namespace: 'default', name: 'cart', clock });
    this.candidacy = new Candidacy({
      store: this.#between(store),
      identity,
      timings: timingsForTtl(ttlMs),
      clock,
      random: { next: () => 0 },
      onChange: (standing) => this.changes.push(standing),
      onLost: (error) => this.lost.push(error),
      onError: () => undefined,
    });
    void this.candidacy.run(this.stop.signal).then(() => {
      this.ended = true;
    });
    onTestFinished(() => this.stop.abort());
  }

  get last(): Standing | undefined {
    return this.changes.at(-1);
  }

  #between(store: LeaseStore): LeaseStore {
    const pass = async <T>(
      { timeoutMs, signal }: LeaseRequestOptions,
      call: () => Promise<T>,
    ): Promise<T> => {
      if (!this.cutOff) return call();
      await sleep(this.clock, timeoutMs, signal);
      throw new Error('no answer');
    };
    return {
      read: (limits) => pass(limits, () => store.read(limits)),
      create: (record, limits) => pass(limits, () => store.create(record, limits)),
      update: (seen, record, limits) => {
        this.beforeWrite();
        return pass(limits, () => store.update(seen, record, limits));
      },
    };
  }
}

interface Election {
  readonly time: VirtualClock;
  readonly simulator: Simulator;
  readonly lease: () => Lease['spec'];
  readonly stand: (identity: string) => Candidate;
}

async function election(): Promise<Election> {
  const time = new VirtualClock();
  const simulator = await Simulator.start({ clock: time, nodes: 0 });
  onTestFinished(() => simulator.stop());
  return {
    time,
    simulator,
    lease: () => (simulator.store.get(resources.leases, 'default', 'cart') as unknown as Lease).spec,
    stand: (identity) => new Candidate(simulator, time, identity),
  };
}

describe('a candidate', () => {
  it('waits, where there is no Lease, as long as one lasts: somebody may have deleted it', async () => {
    const { time, stand } = await election();
    const a = stand('a');
    await time.advance(ttlMs - 1);
    expect(a.changes).toEqual([]);
    expect(a.candidacy.look()).toMatchObject({ name: '', isLeader: false, term: undefined });
    await time.advance(firstTermMs - ttlMs + 1);
    expect(a.candidacy.look()).toMatchObject({ name: 'a', isLeader: true, term: 0 });
  });

  it('tells each change once, with when it came', async () => {
    const { time, stand } = await election();
    const a = stand('a');
    const b = stand('b');
    await time.advance(600_000);
    expect(a.changes).toHaveLength(1);
    expect(b.changes).toHaveLength(1);
    expect(a.last).toMatchObject({ name: 'a', isLeader: true, term: 0 });
    expect(b.last).toMatchObject({ name: 'a', isLeader: false, term: 0 });
    expect(time.wallTime() - (a.last?.since ?? 0)).toBeGreaterThan(580_000);
    expect(a.candidacy.look()).toBe(a.last);
  });

  it('no longer leads from the renew deadline on, and says so by itself when nobody asks', async () => {
    const { time, stand } = await election();
    const a = stand('a');
    await time.advance(firstTermMs);
    const beganAt = a.last?.since ?? 0;
    a.cutOff = true;
    await time.advance(beganAt + 10_000 - time.wallTime() - 1);
    expect(a.last?.isLeader).toBe(true);
    await time.advance(1);
    expect(a.last).toMatchObject({ name: '', isLeader: false, term: undefined });
    expect(a.lost.map(({ message }) => message)).toEqual([
      'leadership lost: no renewal succeeded for 10000 ms',
    ]);
  });

  it('that was stopped for longer than a term lasts knows it when it is asked, before any timer fires', async () => {
    const { time, stand } = await election();
    const a = stand('a');
    await time.advance(firstTermMs);
    expect(a.candidacy.look().isLeader).toBe(true);
    a.clock.stoppedForMs = 10_000;
    expect(a.candidacy.look()).toMatchObject({ name: '', isLeader: false });
    expect(a.last?.isLeader).toBe(false);
  });

  it('stands again after it lost its term, and leads in a later one', async () => {
    const { time, stand, lease } = await election();
    const a = stand('a');
    await time.advance(firstTermMs);
    const b = stand('b');
    a.cutOff = true;
    await time.advance(30_000);
    expect(b.last).toMatchObject({ name: 'b', isLeader: true, term: 1 });
    a.cutOff = false;
    await time.advance(10_000);
    expect(a.last).toMatchObject({ name: 'b', isLeader: false, term: 1 });
    b.stop.abort();
    await time.advance(5_000);
    expect(a.last).toMatchObject({ name: 'a', isLeader: true, term: 2 });
    expect(lease()).toMatchObject({ holderIdentity: 'a', leaseTransitions: 2 });
  });

  it('does not go by the name of a former self that still holds the Lease', async () => {
    const { time, stand, lease } = await election();
    const former = stand('a');
    await time.advance(firstTermMs);
    former.cutOff = true;
    const again = stand('a');
    const watcher = stand('b');
    await time.advance(ttlMs - 1_000);
    expect(lease()?.holderIdentity).toBe('a');
    expect(watcher.last).toMatchObject({ name: 'a', isLeader: false });
    expect(again.candidacy.look()).toMatchObject({ name: '', isLeader: false });
    expect(again.changes).toEqual([]);
  });

  it('that is asked to stop no longer leads before the Lease is given back', async () => {
    const { time, stand, lease } = await election();
    const a = stand('a');
    await time.advance(firstTermMs);
    const seen: (boolean | undefined)[] = [];
    a.beforeWrite = () => seen.push(a.last?.isLeader, a.candidacy.look().isLeader);
    a.stop.abort();
    await time.advance(1);
    expect(seen).toEqual([false, false]);
    expect(a.ended).toBe(true);
    expect(lease()?.holderIdentity).toBe('');
    expect(a.lost).toEqual([]);
  });

  it('is never one of two who lead at once, while one leader after another is cut off', async () => {
    const { time, stand } = await election();
    const all = ['a', 'b', 'c'].map(stand);
    const leading = (): readonly Candidate[] => all.filter(({ candidacy }) => candidacy.look().isLeader);
    const terms = new Set<number>();
    for (let tick = 0; tick < 3_000; tick++) {
      await time.advance(100);
      expect(leading().length).toBeLessThan(2);
      const [leader] = leading();
      if (leader?.last?.term !== undefined) terms.add(leader.last.term);
      if (tick % 400 === 200 && leader !== undefined) leader.cutOff = true;
      if (tick % 400 === 0) for (const candidate of all) candidate.cutOff = false;
    }
    expect([...terms]).toEqual([...terms].toSorted((a, b) => a - b));
    expect(terms.size).toBeGreaterThan(5);
  });
});
