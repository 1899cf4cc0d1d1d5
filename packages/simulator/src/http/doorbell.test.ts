// A stream that waits must wake for news and for its time, with as few timers as it takes.
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../time/virtual-clock.ts';
import { Doorbell } from './doorbell.ts';

async function heardAt(clock: VirtualClock, doorbell: Doorbell, until: number): Promise<number> {
  await doorbell.rung(until);
  return clock.now();
}

describe('a doorbell', () => {
  it('is heard at once, and at the latest at the moment that was named', async () => {
    const clock = new VirtualClock();
    const doorbell = new Doorbell(clock);
    clock.setTimeout(() => doorbell.ring(), 10);
    expect(await clock.runUntilSettled(heardAt(clock, doorbell, 100))).toBe(10);
    expect(await clock.runUntilSettled(heardAt(clock, doorbell, 100))).toBe(100);
  });

  it('that rang while nobody waited is heard by the next one', async () => {
    const clock = new VirtualClock();
    const doorbell = new Doorbell(clock);
    doorbell.ring();
    doorbell.ring();
    expect(await clock.runUntilSettled(heardAt(clock, doorbell, 100))).toBe(0);
    expect(await clock.runUntilSettled(heardAt(clock, doorbell, 100))).toBe(100);
  });

  it('has one timer at a time, and none in the end', async () => {
    const clock = new VirtualClock();
    const doorbell = new Doorbell(clock);
    for (const until of [100, 100, 50]) {
      const heard = doorbell.rung(until);
      expect(clock.pendingTimers).toBe(1);
      doorbell.ring();
      await heard;
    }
    doorbell.dispose();
    expect(clock.pendingTimers).toBe(0);
  });
});
