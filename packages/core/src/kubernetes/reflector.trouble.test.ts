import { describe, expect, test } from 'vitest';
import { latest, node, project, reflect, watching } from '../testing/reflect.ts';
import type { WatchScript } from '../testing/scripted-reader.ts';
import { KubernetesError, MalformedAnswerError } from './errors.ts';
import type { Node } from './objects.ts';
import { nodes } from './resources.ts';
import { TransportError } from './transport.ts';

const call = { verb: 'watch', resource: nodes } as const;
const gone = (): KubernetesError => new KubernetesError(call, { status: 410, body: { reason: 'Expired' } });
const refused = (status: number): KubernetesError => new KubernetesError(call, { status });
const noAnswer = (): TransportError => new TransportError('connection refused', { sent: false });

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

  test('does not count the health of long ago against what fails now', async () => {
    const { clock, reader, errors } = await watching(reflect());
    await clock.advance(60_000);
    latest(reader).send({ type: 'BOOKMARK', resourceVersion: '11' });
    await clock.advance(100_000);
    reader.openFailure = noAnswer;
    latest(reader).fail(noAnswer());
    await clock.advance(7000);
    expect(errors.map(({ willRetryInMs }) => willRetryInMs)).toEqual([800, 1600, 3200, 6400]);
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
