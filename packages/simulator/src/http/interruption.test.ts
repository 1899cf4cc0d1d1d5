// What waits in an exchange must hear of its end once, and leave nothing behind.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Interruption } from './interruption.ts';

const never = new Promise<never>(() => {});
const lost = new Error('lost');

describe('an interruption', () => {
  it('lets work settle as it does while it has not come', async () => {
    const interruption = new Interruption(new AbortController().signal);
    expect(await interruption.unless(Promise.resolve(1))).toBe(1);
    await expect(interruption.unless(Promise.reject(lost))).rejects.toBe(lost);
  });

  it('ends all that waits, and whatever comes to wait later', async () => {
    const interruption = new Interruption(new AbortController().signal);
    const waiting = [interruption.unless(never), interruption.unless(never)];
    interruption.interrupt(lost);
    interruption.interrupt(new Error('too late to matter'));
    for (const one of [...waiting, interruption.unless(never)]) await expect(one).rejects.toBe(lost);
  });

  it('comes when the signal aborts, before or after it was made, for the reason that is asked for', async () => {
    const abort = new AbortController();
    const before = new Interruption(abort.signal, () => lost).unless(never);
    abort.abort(new Error('closed'));
    const after = new Interruption(abort.signal).unless(never);
    await expect(before).rejects.toBe(lost);
    await expect(after).rejects.toThrow('closed');
  });

  it('asks for no reason that nobody hears', () => {
    const abort = new AbortController();
    new Interruption(abort.signal, () => {
      throw new Error('asked');
    });
    expect(() => abort.abort()).not.toThrow();
  });

  it('has one listener however much waits, and none once it is released', () => {
    const { signal } = new AbortController();
    const interruption = new Interruption(signal);
    for (let count = 0; count < 5; count++) void interruption.unless(never);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    interruption.release();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('leaves no rejection unheard when work fails after it came', async () => {
    const interruption = new Interruption(new AbortController().signal);
    const { promise, reject } = Promise.withResolvers<never>();
    const waiting = interruption.unless(promise);
    interruption.interrupt(lost);
    reject(new Error('late'));
    await expect(waiting).rejects.toBe(lost);
  });
});
