import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedReader, type WatchScript } from '../testing/scripted-reader.ts';
import { KubernetesError, MalformedAnswerError } from './errors.ts';
import type { Node } from './objects.ts';
import { Reflector, type ReflectorOptions } from './reflector.ts';
import { nodes } from './resources.ts';
import { TransportError } from './transport.ts';

interface Slim {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

const project = ({ metadata: { name, uid, resourceVersion } }: Node): Slim => ({
  metadata: { name, uid, resourceVersion },
});
const node = (name: string, resourceVersion = '1', uid = `uid-${name}`): Node => ({
  metadata: { name, uid, resourceVersion },
  status: { addresses: [] },
});
const call = { verb: 'watch', resource: nodes } as const;
const gone = (): KubernetesError => new KubernetesError(call, { status: 410, body: { reason: 'Expired' } });
const refused = (status: number): KubernetesError => new KubernetesError(call, { status });
const noAnswer = (): TransportError => new TransportError('connection refused', { sent: false });

interface Setup {
  readonly clock: ManualClock;
  readonly reader: ScriptedReader<Node>;
  readonly reflector: Reflector<Node, Slim>;
  /** What the handlers were told, in order. */
  readonly told: string[];
  readonly errors: { readonly error: unknown; readonly willRetryInMs: number | undefined }[];
}

const running: Reflector<Node, Slim>[] = [];
afterEach(async () => {
  for (const reflector of running.splice(0)) await reflector.stop();
});

function reflect(overrides: Partial<ReflectorOptions<Node, Slim>> = {}, chance = 0): Setup {
  const clock = new ManualClock({ now: 1000 });
  const reader = new ScriptedReader<Node>(clock);
  const told: string[] = [];
  const errors: Setup['errors'] = [];
  const reflector = new Reflector<Node, Slim>({
    reader,
    resource: nodes,
    project,
    clock,
    random: { next: () => chance },
    handlers: {
      onAdded: ({ metadata }) => void told.push(`+${metadata.name}#${metadata.uid}`),
      onUpdated: (previous, current) =>
        void told.push(
          `~${current.metadata.name} ${previous.metadata.resourceVersion}>${current.metadata.resourceVersion}`,
        ),
      onDeleted: ({ metadata }) => void told.push(`-${metadata.name}#${metadata.uid}`),
      onSynced: () => void told.push('synced'),
      onError: (error, { willRetryInMs }) => void errors.push({ error, willRetryInMs }),
    },
    ...overrides,
  });
  running.push(reflector);
  return { clock, reader, reflector, told, errors };
}

/** Started, synced with these nodes at resourceVersion 10, and watching. */
async function watching(setup: Setup, ...listed: Node[]): Promise<Setup> {
  setup.reader.lists.push({ items: listed, resourceVersion: '10' });
  setup.reflector.start();
  await setup.clock.advance(0);
  return setup;
}

const latest = (reader: ScriptedReader<Node>): WatchScript<Node> => {
  const watch = reader.watches.at(-1);
  if (watch === undefined) throw new Error('no watch was opened');
  return watch;
};

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

describe('in bad times', () => {
  test('opens the watch anew after two minutes of silence, from where it was, and says nothing of it', async () => {
    const { clock, reader, reflector, errors } = await watching(reflect(), node('a'));
    await clock.advance(119_999);
    expect(reader.watches).toHaveLength(1);
    await clock.advance(1);
    expect(reader.watches).toHaveLength(2);
    expect(latest(reader).options.resourceVersion).toBe('10');
    expect(reader.listCalls).toBe(1);
    expect(errors).toEqual([]);
    expect(reflector.isStale()).toBe(false);
  });

  test.each([
    ['by status', (watch: WatchScript<Node>) => watch.fail(gone())],
    [
      'after events',
      (watch: WatchScript<Node>) => {
        watch.send({ type: 'BOOKMARK', resourceVersion: '11' });
        watch.fail(gone());
      },
    ],
  ])('lists again after a 410 %s, and tells the deletes that it missed', async (_, end) => {
    const { clock, reader, reflector, told, errors } = await watching(
      reflect(),
      node('a'),
      node('b'),
      node('c'),
    );
    told.length = 0;
    reader.lists.push({ items: [node('b', '1'), node('c', '20', 'other')], resourceVersion: '30' });
    end(latest(reader));
    await clock.advance(800);
    expect(told).toEqual(['-a#uid-a', '-c#uid-c', '+c#other', 'synced']);
    expect(latest(reader).options.resourceVersion).toBe('30');
    expect(reflector.generation).toBe(2);
    expect(errors).toHaveLength(1);
  });

  test('backs off from 0.8 s to 30 s while the server is away, and goes on from where it was', async () => {
    const { clock, reader, errors } = await watching(reflect());
    reader.openFailure = noAnswer;
    latest(reader).fail(noAnswer());
    await clock.advance(300_000);
    expect(errors.slice(0, 8).map(({ willRetryInMs }) => willRetryInMs)).toEqual([
      800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000,
    ]);
    reader.openFailure = undefined;
    await clock.advance(30_000);
    expect(latest(reader).options.resourceVersion).toBe('10');
    expect(reader.listCalls).toBe(1);
  });

  test('starts its backoff over after two healthy minutes, and not before', async () => {
    const { clock, reader, errors } = await watching(reflect());
    latest(reader).fail(noAnswer());
    await clock.advance(800);
    await clock.advance(119_000);
    latest(reader).fail(noAnswer());
    await clock.advance(1600);
    await clock.advance(100_000);
    latest(reader).send({ type: 'BOOKMARK', resourceVersion: '11' });
    await clock.advance(20_000);
    latest(reader).fail(noAnswer());
    await clock.settle();
    expect(errors.map(({ willRetryInMs }) => willRetryInMs)).toEqual([800, 1600, 800]);
  });

  test('waits as long as Retry-After says, when that is longer', async () => {
    const { clock, reader, errors } = await watching(reflect());
    latest(reader).fail(new KubernetesError(call, { status: 429, retryAfterMs: 9000 }));
    await clock.advance(8999);
    expect(reader.watches).toHaveLength(1);
    await clock.advance(1);
    expect(reader.watches).toHaveLength(2);
    expect(errors[0]?.willRetryInMs).toBe(9000);
  });

  test('counts a watch that ends within a second as a failure', async () => {
    const { clock, reader, errors } = await watching(reflect());
    await clock.advance(999);
    latest(reader).end();
    await clock.settle();
    expect(errors).toMatchObject([
      { error: { message: 'the watch of nodes ended within a second' }, willRetryInMs: 800 },
    ]);
    expect(reader.watches).toHaveLength(1);
  });

  test('reconnects after a malformed line, from the last good event', async () => {
    const { clock, reader, errors } = await watching(reflect());
    latest(reader).send({ type: 'ADDED', object: node('a', '11') });
    latest(reader).fail(new MalformedAnswerError(call, 'not JSON'));
    await clock.advance(800);
    expect(latest(reader).options.resourceVersion).toBe('11');
    expect(reader.listCalls).toBe(1);
    expect(errors).toHaveLength(1);
  });

  test('lists again when the same resourceVersion keeps being answered with errors', async () => {
    const { clock, reader } = await watching(reflect());
    reader.openFailure = () => refused(504);
    latest(reader).fail(refused(504));
    await clock.advance(800 + 1600);
    expect(reader.listCalls).toBe(1);
    reader.openFailure = undefined;
    reader.lists.push({ items: [], resourceVersion: '3' });
    await clock.advance(3200);
    expect(reader.listCalls).toBe(2);
    expect(latest(reader).options.resourceVersion).toBe('3');
  });

  test.each([401, 403])('is loud about a %i, never synced, and tries on', async (status) => {
    const { clock, reader, reflector, errors } = reflect();
    reader.listFailure = () => refused(status);
    reflector.start();
    await clock.advance(0);
    expect(errors).toMatchObject([{ error: { status }, willRetryInMs: 800 }]);
    expect(reflector.hasSynced).toBe(false);
    expect(reflector.isStale()).toBe(true);
    reader.listFailure = undefined;
    reader.lists.push({ items: [], resourceVersion: '10' });
    await clock.advance(800);
    expect(reflector.hasSynced).toBe(true);
    expect(reflector.isStale()).toBe(false);
  });

  test.each([401, 403])('is stale at once after a %i on the watch', async (status) => {
    const { clock, reader, reflector } = await watching(reflect());
    await clock.advance(60_000);
    const before = reflector.freshSince();
    latest(reader).fail(refused(status));
    await clock.settle();
    expect(reflector.isStale()).toBe(true);
    await clock.advance(800);
    expect(reflector.isStale()).toBe(false);
    expect(reflector.freshSince()).not.toBe(before);
  });

  test('is stale five seconds after the watch broke, and fresh anew when it is open again', async () => {
    const { clock, reader, reflector } = await watching(reflect());
    reader.openFailure = noAnswer;
    latest(reader).fail(noAnswer());
    await clock.advance(5000);
    expect(reflector.isStale()).toBe(false);
    await clock.advance(1);
    expect(reflector.isStale()).toBe(true);
    reader.openFailure = undefined;
    await clock.advance(30_000);
    expect(reflector.isStale()).toBe(false);
    expect(reflector.freshSince()).toBeGreaterThan(6000);
  });

  test('an object that can not be projected is never skipped: it stands still, and says so', async () => {
    const broken = new Error('no metadata');
    const { clock, reader, reflector, errors } = await watching(
      reflect({
        project: (object) => {
          if (object.metadata.name === 'bad') throw broken;
          return project(object);
        },
      }),
      node('a'),
    );
    reader.lists.push({ items: [node('bad'), node('a')], resourceVersion: '20' });
    latest(reader).send({ type: 'ADDED', object: node('bad', '11') });
    await clock.advance(800);
    await clock.advance(5000);
    expect(reflector.isStale()).toBe(true);
    expect(errors[0]?.error).toMatchObject({
      message: expect.stringContaining('its projection threw'),
      cause: broken,
    });
    reader.lists.push({ items: [node('a')], resourceVersion: '30' });
    await clock.advance(30_000);
    expect(reflector.isStale()).toBe(false);
  });

  test('an object without a uid is never taken over', async () => {
    const { errors, reflector } = await watching(reflect(), node('a', '1', ''));
    expect(reflector.hasSynced).toBe(false);
    expect(errors).toMatchObject([{ error: { message: expect.stringContaining('to have a name, a uid') } }]);
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
