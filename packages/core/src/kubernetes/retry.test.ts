import { describe, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { KubernetesError, RequestAbortedError, RequestTimeoutError } from './errors.ts';
import { nodes } from './resources.ts';
import { askedDelayMs, isTransient, retryTransient } from './retry.ts';
import { TransportError } from './transport.ts';

const call = { verb: 'get', resource: nodes, name: 'node-1' } as const;
const failed = (status: number, retryAfterMs?: number): KubernetesError =>
  new KubernetesError(call, { status, retryAfterMs });

test('only what may pass by itself is transient', () => {
  for (const status of [429, 500, 502, 503, 504]) expect(isTransient(failed(status))).toBe(true);
  for (const status of [400, 401, 403, 404, 409, 410, 422]) expect(isTransient(failed(status))).toBe(false);
  expect(isTransient(new TransportError('reset', { sent: true }))).toBe(true);
  expect(isTransient(new RequestTimeoutError(call, 'head', 1, true))).toBe(true);
  expect(isTransient(new RequestAbortedError(call, true, undefined))).toBe(false);
  expect(isTransient(new TypeError('a bug'))).toBe(false);
});

test('Retry-After is honoured up to a minute', () => {
  expect(askedDelayMs(failed(429, 5000))).toBe(5000);
  expect(askedDelayMs(failed(429, 3_600_000))).toBe(60_000);
  expect(askedDelayMs(failed(429))).toBe(0);
  expect(askedDelayMs(new Error('other'))).toBe(0);
});

describe('retryTransient', () => {
  test('sleeps on the given clock, longer each time', async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    const done = retryTransient({ clock, random: { next: () => 0 }, attempts: 4 }, async () => {
      at.push(clock.now());
      if (at.length < 4) throw failed(503);
      return 'done';
    });
    await clock.advance(10_000);
    expect(await done).toBe('done');
    expect(at).toEqual([0, 250, 750, 1750]);
  });

  test('ends at once when its signal aborts, with the error it was about to forgive', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const options = { clock, random: { next: () => 0 }, attempts: 4, signal: abort.signal };
    const done = retryTransient(options, async () => {
      throw failed(503);
    });
    const caught = done.catch((error: unknown) => error);
    await clock.settle();
    abort.abort();
    expect(await caught).toMatchObject({ status: 503 });
    expect(clock.pendingTimers).toBe(0);
  });
});
