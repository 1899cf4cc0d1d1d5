import { describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ResponseBody } from './response-body.ts';

const source = () => ({ pause: vi.fn(), resume: vi.fn(), cancel: vi.fn() });
const bytes = (size: number): Uint8Array => new Uint8Array(size);

describe('ResponseBody', () => {
  test('hands out what came before it was asked, then what comes after, then the end', async () => {
    const body = new ResponseBody(source());
    body.push(bytes(1));
    expect(await body.next()).toEqual({ done: false, value: bytes(1) });
    const next = body.next();
    body.push(bytes(2));
    expect(await next).toEqual({ done: false, value: bytes(2) });
    const last = body.next();
    body.end();
    expect(await last).toEqual({ done: true, value: undefined });
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  test('hands out all that came before the end', async () => {
    const body = new ResponseBody(source());
    body.push(bytes(1));
    body.end();
    expect((await body.next()).done).toBe(false);
    expect((await body.next()).done).toBe(true);
  });

  test('pauses a source that is faster than the reader, once, and lets it go on when half is read', async () => {
    const from = source();
    const body = new ResponseBody(from);
    for (let i = 0; i < 4; i++) body.push(bytes(100 * 1024));
    expect(from.pause).toHaveBeenCalledTimes(1);
    await body.next();
    await body.next();
    expect(from.resume).not.toHaveBeenCalled();
    await body.next();
    expect(from.resume).toHaveBeenCalledTimes(1);
  });

  test('fails whoever waits and whoever asks later, and ignores what comes after', async () => {
    const body = new ResponseBody(source());
    const waiting = body.next().catch((error: unknown) => error);
    const reason = new Error('reset');
    body.fail(reason);
    body.fail(new Error('another'));
    body.push(bytes(1));
    expect(await waiting).toBe(reason);
    await expect(body.next()).rejects.toBe(reason);
  });

  test('a failure after the end changes nothing', async () => {
    const body = new ResponseBody(source());
    body.end();
    body.fail(new Error('late'));
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  test('a reader that leaves cancels the source, but only before the end', async () => {
    const early = source();
    await new ResponseBody(early).return();
    expect(early.cancel).toHaveBeenCalledTimes(1);
    const late = source();
    const body = new ResponseBody(late);
    body.end();
    await body.return();
    expect(late.cancel).not.toHaveBeenCalled();
  });
});

describe('a body that rests', () => {
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };

  test('hands on what is there at once, and then lets the kernel collect for a while', async () => {
    const clock = new ManualClock();
    const did: string[] = [];
    const source = {
      pause: () => void did.push('pause'),
      resume: () => void did.push('resume'),
      cancel: () => undefined,
    };
    const body = new ResponseBody(source, { clock, restMs: 100 });
    body.push(Buffer.from('a'));
    body.push(Buffer.from('b'));
    expect((await body.next()).value?.toString()).toBe('a');
    expect(did).toEqual([]);
    await turns();
    expect(did).toEqual(['pause']);
    await clock.advance(99);
    expect(did).toEqual(['pause']);
    await clock.advance(1);
    expect(did).toEqual(['pause', 'resume']);
    await turns();
    // Nothing came: nothing to rest from.
    expect(did).toEqual(['pause', 'resume']);
    body.push(Buffer.from('c'));
    await turns();
    expect(did).toEqual(['pause', 'resume', 'pause']);
    body.end();
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not read on after a rest while its reader is far behind', async () => {
    const clock = new ManualClock();
    const did: string[] = [];
    const source = {
      pause: () => void did.push('pause'),
      resume: () => void did.push('resume'),
      cancel: () => undefined,
    };
    const body = new ResponseBody(source, { clock, restMs: 100 });
    body.push(Buffer.alloc(300 * 1024));
    await turns();
    await clock.advance(200);
    expect(did).toEqual(['pause']);
    await body.next();
    expect(did).toEqual(['pause', 'resume']);
  });
});
