// How long a term is valid, by which clocks, and how it ends.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../time/clock.ts';
import { RenewableTerm, TermEndedError } from './leader-term.ts';

/** A clock whose two hands a test sets by hand. */
class Hands implements Clock {
  monotonic = 0;
  wall = Date.UTC(2030, 0, 1);

  now(): number {
    return this.monotonic;
  }

  wallTime(): number {
    return this.wall;
  }

  setTimeout(): object {
    throw new Error('a term sets no timers');
  }

  clearTimeout(): void {}

  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }
}

function termOn(clock: Hands): RenewableTerm {
  return new RenewableTerm({
    epoch: 7,
    identity: 'a',
    clock,
    validityMs: 10_000,
    first: { renewTime: 'first', sentAt: clock.now() },
    firstWallTime: clock.wallTime(),
  });
}

describe('a term', () => {
  it('is valid for the renew deadline, counted from when its first renewal was sent', () => {
    const clock = new Hands();
    const term = termOn(clock);
    clock.pass(9_999);
    expect(term.remainingMs()).toBe(1);
    expect(() => term.assertValid()).not.toThrow();
    clock.pass(1);
    expect(term.remainingMs()).toBe(0);
    expect(() => term.assertValid()).toThrow('leadership term 7 is over: not renewed for 10000 ms');
  });

  it('counts from the send time of a renewal, not from when its answer came', () => {
    const clock = new Hands();
    const term = termOn(clock);
    clock.pass(2_000);
    const sent = { renewTime: 'second', sentAt: clock.now() };
    const sentWallTime = clock.wallTime();
    clock.pass(4_000);
    term.renewed(sent, sentWallTime);
    expect(term.remainingMs()).toBe(6_000);
  });

  it('cannot be renewed once it ran out', () => {
    const clock = new Hands();
    const term = termOn(clock);
    clock.pass(9_000);
    const sent = { renewTime: 'late', sentAt: clock.now() };
    const sentWallTime = clock.wallTime();
    clock.pass(1_000);
    term.renewed(sent, sentWallTime);
    expect(term.remainingMs()).toBe(0);
    expect(term.renewals).toHaveLength(1);
  });

  it('ends at once and for good, with the first reason', () => {
    const clock = new Hands();
    const term = termOn(clock);
    term.end('asked to stop');
    term.end('another reason');
    term.renewed({ renewTime: 'x', sentAt: clock.now() }, clock.wallTime());
    expect(term.remainingMs()).toBe(0);
    expect(term.signal.aborted).toBe(true);
    expect(term.signal.reason).toBeInstanceOf(TermEndedError);
    expect(() => term.assertValid()).toThrow('asked to stop');
  });

  it('is over before those who are told of its end ask', () => {
    const term = termOn(new Hands());
    let remaining = -1;
    term.signal.addEventListener('abort', () => {
      remaining = term.remainingMs();
    });
    term.end('asked to stop');
    expect(remaining).toBe(0);
  });

  it.each([
    { jump: 10_000, remaining: 0, what: 'a wall clock that went on while the monotonic one slept ends it' },
    { jump: 4_000, remaining: 6_000, what: 'a wall clock set forward shortens it' },
    { jump: -3_600_000, remaining: 10_000, what: 'a wall clock set back does not stretch it' },
  ])('$what', ({ jump, remaining }) => {
    const clock = new Hands();
    const term = termOn(clock);
    clock.wall += jump;
    expect(term.remainingMs()).toBe(remaining);
  });

  it('remembers the newest renewals only', () => {
    const clock = new Hands();
    const term = termOn(clock);
    for (let i = 0; i < 100; i++) {
      clock.pass(2_000);
      term.renewed({ renewTime: String(i), sentAt: clock.now() }, clock.wallTime());
    }
    expect(term.renewals).toHaveLength(16);
    expect(term.renewals.at(-1)?.renewTime).toBe('99');
  });

  it('never outlasts the renew deadline after its last good renewal left, whatever the wall clock does', () => {
    const event = fc.oneof(
      fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(6_000) }),
      fc.record({ kind: fc.constant('jump' as const), ms: fc.integer({ min: -20_000, max: 20_000 }) }),
      fc.record({ kind: fc.constant('renew' as const), ms: fc.nat(6_000) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const clock = new Hands();
        const term = termOn(clock);
        let lastSentAt = 0;
        for (const { kind, ms } of events) {
          if (kind === 'pass') clock.pass(ms);
          if (kind === 'jump') clock.wall += ms;
          if (kind === 'renew') {
            const sent = { renewTime: 'x', sentAt: clock.now() };
            const sentWallTime = clock.wallTime();
            clock.pass(ms);
            lastSentAt = sent.sentAt;
            term.renewed(sent, sentWallTime);
          }
          const remaining = term.remainingMs();
          expect(remaining).toBeGreaterThanOrEqual(0);
          expect(remaining).toBeLessThanOrEqual(Math.max(0, lastSentAt + 10_000 - clock.now()));
        }
      }),
    );
  });
});
