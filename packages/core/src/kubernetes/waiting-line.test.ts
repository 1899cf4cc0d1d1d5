// Who goes when: so many at once, and the others in the order in which they came.
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { FixedGate, WaitingLine } from './waiting-line.ts';

class Crowd {
  readonly clock = new ManualClock();
  readonly line: WaitingLine;
  readonly #leave = new Map<string, () => void>();
  /** Who was let in, in order. */
  admitted = '';

  constructor(width: number) {
    this.line = new WaitingLine(this.clock, new FixedGate(width));
  }

  async come(names: string): Promise<void> {
    for (const name of names) {
      void this.line.enter(new AbortController().signal).then((leave) => {
        this.admitted += name;
        this.#leave.set(name, leave);
      });
    }
    await this.clock.settle();
  }

  async leaves(name: string): Promise<void> {
    this.#leave.get(name)?.();
    await this.clock.settle();
  }
}

describe('a line', () => {
  test('lets in as many as its gate is wide, and the others in the order in which they came', async () => {
    const crowd = new Crowd(2);
    await crowd.come('abcde');
    expect(crowd.admitted).toBe('ab');
    await crowd.leaves('b');
    expect(crowd.admitted).toBe('abc');
    await crowd.leaves('a');
    await crowd.leaves('c');
    expect(crowd.admitted).toBe('abcde');
    expect(crowd.line.length).toBe(0);
  });

  test('counts one that leaves twice once', async () => {
    const crowd = new Crowd(1);
    await crowd.come('abc');
    await crowd.leaves('a');
    await crowd.leaves('a');
    expect(crowd.admitted).toBe('ab');
  });

  test('forgets who aborts, at once and for good', async () => {
    const crowd = new Crowd(1);
    const abort = new AbortController();
    await crowd.come('a');
    const waiting = crowd.line.enter(abort.signal);
    await crowd.come('c');
    expect(crowd.line.length).toBe(2);
    const reason = new Error('the term is over');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(crowd.line.length).toBe(1);
    await expect(crowd.line.enter(abort.signal)).rejects.toBe(reason);
    await crowd.leaves('a');
    expect(crowd.admitted).toBe('ac');
  });

  test('that is closed sends home who waits', async () => {
    const crowd = new Crowd(1);
    await crowd.come('a');
    const waiting = crowd.line.enter(new AbortController().signal);
    const reason = new Error('closed');
    crowd.line.close(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(crowd.clock.pendingTimers).toBe(0);
  });
});
