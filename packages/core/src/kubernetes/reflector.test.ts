import { getEventListeners } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { latest, node, reflect, type Setup, watching } from '../testing/reflect.ts';
import { TransportError } from './transport.ts';

const noAnswer = (): TransportError => new TransportError('connection refused', { sent: false });

describe('in good times', () => {
  test('lists, reports what is there, and watches on from there', async () => {
    const { reader, reflector, told } = await watching(reflect(), node('a'), node('b'));
    expect(told).toEqual(['+a#uid-a', '+b#uid-b', 'synced']);
    expect(reflector.hasSynced).toBe(true);
    expect(reflector.isStale()).toBe(false);
    expect([...reflector.items().keys()]).toEqual(['a', 'b']);
    expect(latest(reader).options).toMatchObject({ resourceVersion: '10', idleTimeoutMs: 120_000 });
  });

  test('keeps only what the projection keeps', async () => {
    const { reflector } = await watching(reflect(), node('a'));
    expect(reflector.items().get('a')).toEqual({
      metadata: { name: 'a', uid: 'uid-a', resourceVersion: '1' },
    });
  });

  test('follows the events', async () => {
    const { clock, reader, reflector, told } = await watching(reflect(), node('a'));
    told.length = 0;
    latest(reader).send({ type: 'MODIFIED', object: node('a', '11') });
    latest(reader).send({ type: 'ADDED', object: node('b', '12') });
    latest(reader).send({ type: 'DELETED', object: node('a', '13') });
    await clock.settle();
    expect(told).toEqual(['~a 1>11', '+b#uid-b', '-a#uid-a']);
    expect([...reflector.items().keys()]).toEqual(['b']);
  });

  test.each([
    [0, 300],
    [0.999_999, 600],
  ])('asks for a watch of random length (chance %f: %i s)', async (chance, seconds) => {
    const { reader } = await watching(reflect({}, chance));
    expect(latest(reader).options.timeoutSeconds).toBe(seconds);
  });

  test('goes on from the last event or bookmark when the server ends the watch, without a break or a word', async () => {
    const { clock, reader, reflector, errors, told } = await watching(reflect(), node('a'));
    const since = reflector.freshSince();
    await clock.advance(60_000);
    latest(reader).send({ type: 'MODIFIED', object: node('a', '11') });
    await clock.advance(60_000);
    latest(reader).send({ type: 'BOOKMARK', resourceVersion: '99' });
    await clock.advance(1000);
    latest(reader).end();
    await clock.settle();
    expect(reader.watches).toHaveLength(2);
    expect(latest(reader).options.resourceVersion).toBe('99');
    expect(reader.listCalls).toBe(1);
    expect(errors).toEqual([]);
    expect(reflector.freshSince()).toBe(since);
    expect(told.filter((line) => line === 'synced')).toHaveLength(1);
  });

  test('a listing that starts over in the middle counts only its second half', async () => {
    const setup = reflect();
    setup.reader.pages = [
      { items: [node('ghost')], resourceVersion: '8', first: true, last: false },
      { items: [node('a')], resourceVersion: '10', first: true, last: false },
      { items: [node('b')], resourceVersion: '10', first: false, last: true },
    ];
    setup.reflector.start();
    await setup.clock.advance(0);
    expect(setup.told).toEqual(['+a#uid-a', '+b#uid-b', 'synced']);
  });
});

describe('a handler that throws', () => {
  test('neither stops the stream nor goes unseen, at once or later', async () => {
    const failure = new Error('handler');
    const late = new Error('late handler');
    const told: string[] = [];
    const errors: unknown[] = [];
    const setup = reflect({
      handlers: {
        onAdded: ({ metadata }) => {
          told.push(metadata.name);
          if (metadata.name === 'a') throw failure;
        },
        onDeleted: async () => {
          throw late;
        },
        onError: (error, next) => void errors.push([error, next]),
      },
    });
    await watching(setup, node('a'), node('b'));
    latest(setup.reader).send({ type: 'DELETED', object: node('a', '11') });
    latest(setup.reader).send({ type: 'ADDED', object: node('c', '12') });
    await setup.clock.settle();
    expect(told).toEqual(['a', 'b', 'c']);
    expect(errors).toEqual([
      [failure, { willRetryInMs: undefined }],
      [late, { willRetryInMs: undefined }],
    ]);
    expect(setup.reflector.hasSynced).toBe(true);
  });

  test('is a warning of the process when it is the handler for errors', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    const setup = reflect({
      handlers: {
        onAdded: () => {
          throw new Error('first');
        },
        onError: () => {
          throw new Error('second');
        },
      },
    });
    await watching(setup, node('a'));
    await vi.waitFor(() => expect(warnings).toContain('second'));
    process.off('warning', listen);
    expect(setup.reflector.hasSynced).toBe(true);
  });
});

describe('stopping', () => {
  test('ends a watch, and nothing is handed out afterwards', async () => {
    const { clock, reader, reflector, told, errors } = await watching(reflect());
    told.length = 0;
    const watch = latest(reader);
    watch.send({ type: 'ADDED', object: node('a', '11') });
    const stopped = reflector.stop();
    await stopped;
    watch.send({ type: 'ADDED', object: node('b', '12') });
    await clock.advance(600_000);
    expect(told).toEqual([]);
    expect(errors).toEqual([]);
    expect(reader.watches).toHaveLength(1);
    expect(reader.openWatches).toBe(0);
    expect(reflector.isStale()).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  test('ends a list under way, and it never becomes a watch', async () => {
    const { clock, reader, reflector, told } = reflect();
    reader.listDelayMs = 5000;
    reader.lists.push({ items: [node('a')], resourceVersion: '10' });
    reflector.start();
    await clock.advance(1000);
    await reflector.stop();
    await clock.advance(60_000);
    expect(told).toEqual([]);
    expect(reader.watches).toHaveLength(0);
  });

  test('ends the waiting between two attempts', async () => {
    const { clock, reader, reflector } = reflect();
    reader.listFailure = noAnswer;
    reflector.start();
    await clock.advance(0);
    await reflector.stop();
    await clock.advance(60_000);
    expect(reader.listCalls).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  test('by a handler keeps the rest of the changes from being handed out', async () => {
    const told: string[] = [];
    const setup: Setup = reflect({
      handlers: {
        onAdded: ({ metadata }) => {
          told.push(metadata.name);
          void setup.reflector.stop();
        },
        onSynced: () => void told.push('synced'),
        onError: () => void told.push('error'),
      },
    });
    await watching(setup, node('a'), node('b'));
    await setup.clock.advance(60_000);
    expect(told).toEqual(['a']);
    expect(setup.reader.watches).toHaveLength(0);
  });

  test('is for good, and starting twice is starting once', async () => {
    const { reader, reflector } = await watching(reflect());
    reflector.start();
    expect(reader.listCalls).toBe(1);
    await reflector.stop();
    await reflector.stop();
    expect(() => reflector.start()).toThrow('make a new one');
  });

  test('leaves no listener behind on the way, however often it reconnects', async () => {
    const { clock, reader } = await watching(reflect());
    const signal = latest(reader).options.signal as AbortSignal;
    for (let i = 0; i < 50; i++) {
      await clock.advance(2000);
      if (i % 2 === 0) latest(reader).end();
      else latest(reader).fail(noAnswer());
      await clock.advance(30_000);
    }
    expect(reader.watches.length).toBeGreaterThan(50);
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  });
});
