// What caches rely on in the port through which they read: one text, for the fake that core's tests use and for the real one.
import {
  type ConfigMap,
  configMaps,
  isGone,
  isNotFound,
  KubernetesError,
  type ListPage,
  TransportError,
  type WatchOptions,
} from '@liberator/core';
import { describe, expect, test } from 'vitest';
import type { ReaderPort, Thing } from './reader-port.ts';

/** Declares the tests; each starts a server of its own. */
export function describeReaderPort(name: string, start: () => Promise<ReaderPort>): void {
  const within = async (use: (port: ReaderPort) => Promise<void>): Promise<void> => {
    const port = await start();
    try {
      await use(port);
    } finally {
      await port.close();
    }
  };

  describe(`the port to read through, ${name}`, () => {
    describe('a get', () => {
      test('finds what is there by namespace and name, as it is now', () =>
        within(async ({ reader, put }) => {
          put({ name: 'a', value: '1' });
          put({ name: 'a', namespace: 'omega', value: '2' });
          put({ name: 'a', value: '3' });
          expect(await reader.get(configMaps, { namespace: 'default', name: 'a' })).toMatchObject({
            metadata: { namespace: 'default', name: 'a', uid: expect.any(String) },
            data: { value: '3' },
          });
          expect(await reader.get(configMaps, { namespace: 'omega', name: 'a' })).toMatchObject({
            data: { value: '2' },
          });
        }));

      test('fails with 404 where there is nothing', () =>
        within(async ({ reader }) => {
          const error = await failureOf(reader.get(configMaps, { namespace: 'default', name: 'a' }));
          expect(error).toBeInstanceOf(KubernetesError);
          expect(isNotFound(error)).toBe(true);
          expect(error).toMatchObject({ reason: 'NotFound', call: { verb: 'get', name: 'a' } });
        }));
    });

    describe('a list', () => {
      test('has all objects, by namespace and name, and the version to watch from', () =>
        within(async ({ reader, put }) => {
          for (const namespace of ['omega', 'alpha'])
            for (const one of ['b', 'a']) put({ name: one, namespace });
          const { items, resourceVersion } = await reader.list(configMaps);
          expect(items.map(keyOf)).toEqual(['alpha/a', 'alpha/b', 'omega/a', 'omega/b']);
          const versions = items.map(({ metadata }) => Number(metadata.resourceVersion));
          expect(new Set(versions).size).toBe(4);
          expect(Number(resourceVersion)).toBeGreaterThanOrEqual(Math.max(...versions));
        }));

      test('has what is selected by namespace, name and label', () =>
        within(async ({ reader, put }) => {
          put({ name: 'a', labels: { app: 'web', tier: 'cache' } });
          put({ name: 'b', labels: { app: 'web' } });
          put({ name: 'c', labels: { app: 'db' } });
          put({ name: 'd', namespace: 'omega' });
          const select = async (selection: object): Promise<readonly string[]> =>
            (await reader.list(configMaps, selection)).items.map(keyOf);
          expect(await select({ namespace: 'omega' })).toEqual(['omega/d']);
          expect(await select({ fieldSelector: 'metadata.name=b' })).toEqual(['default/b']);
          expect(await select({ labelSelector: 'app=web' })).toEqual(['default/a', 'default/b']);
          expect(await select({ labelSelector: 'app=web,tier!=cache' })).toEqual(['default/b']);
          expect(await select({ labelSelector: 'app' })).toEqual(['default/a', 'default/b', 'default/c']);
          expect(await select({ labelSelector: '!app' })).toEqual(['omega/d']);
          expect(await select({ namespace: 'alpha' })).toEqual([]);
        }));

      test('comes in pages, all of one moment', () =>
        within(async ({ reader, put, pass }) => {
          for (const one of ['a', 'b', 'c', 'd', 'e']) put({ name: one });
          const pages = await collect(
            pass,
            reader.listPages(configMaps, { pageSize: 2, project: keyOf }),
            () => put({ name: 'late' }),
          );
          expect(pages.map(({ items }) => items)).toEqual([
            ['default/a', 'default/b'],
            ['default/c', 'default/d'],
            ['default/e'],
          ]);
          expect(pages.map(({ first, last }) => [first, last])).toEqual([
            [true, false],
            [false, false],
            [false, true],
          ]);
          expect(new Set(pages.map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
        }));

      test('that is empty is one page', () =>
        within(async ({ reader, pass }) => {
          const pages = await collect(pass, reader.listPages(configMaps, { pageSize: 2 }));
          expect(pages).toMatchObject([{ items: [], first: true, last: true }]);
        }));

      test('begins anew when its moment is forgotten between two pages', () =>
        within(async ({ reader, put, pass, forget }) => {
          for (const one of ['a', 'b', 'c']) put({ name: one });
          let forgotten = false;
          const pages = await collect(
            pass,
            reader.listPages(configMaps, { pageSize: 2, project: keyOf }),
            () => {
              if (forgotten) return;
              forgotten = true;
              put({ name: 'd' });
              forget();
            },
          );
          expect(pages.map(({ items, first, last }) => [items, first, last])).toEqual([
            [['default/a', 'default/b'], true, false],
            [['default/a', 'default/b'], true, false],
            [['default/c', 'default/d'], false, true],
          ]);
        }));
    });

    describe('a watch', () => {
      test('brings each change after its version, in order, of its kind alone', () =>
        within(async (port) => {
          port.put({ name: 'before' });
          const { resourceVersion } = await port.reader.list(configMaps);
          port.put({ name: 'a', value: '1' });
          const watch = open(port, { resourceVersion });
          await port.pass(0);
          port.putNode('node-1');
          port.put({ name: 'a', value: '2' });
          port.remove({ name: 'a' });
          port.put({ name: 'a', value: '3' });
          await port.pass(1_000);
          expect(watch.heard).toEqual([
            'ADDED default/a 1',
            'MODIFIED default/a 2',
            'DELETED default/a 2',
            'ADDED default/a 3',
          ]);
          const versions = watch.versions.map(Number);
          expect(versions).toEqual(versions.toSorted((a, b) => a - b));
          expect(new Set(versions).size).toBe(4);
          expect(versions[0]).toBeGreaterThan(Number(resourceVersion));
          expect(watch.end).toBeUndefined();
        }));

      test('goes on from the version of what it brought last', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          for (const one of ['a', 'b', 'c']) port.put({ name: one });
          const first = open(port, { resourceVersion });
          await port.pass(1_000);
          const second = open(port, { resourceVersion: first.versions[1] ?? '' });
          await port.pass(1_000);
          expect(second.heard).toEqual(['ADDED default/c ']);
        }));

      test('brings what enters its selection as added and what leaves it as deleted', () =>
        within(async (port) => {
          const labelSelector = 'app=web';
          const { resourceVersion } = await port.reader.list(configMaps, { labelSelector });
          const watch = open(port, { resourceVersion, labelSelector, namespace: 'default' });
          await port.pass(0);
          const web: Thing = { name: 'a', labels: { app: 'web' } };
          port.put({ name: 'a', value: '1' });
          port.put({ ...web, value: '2' });
          port.put({ ...web, value: '3' });
          port.put({ ...web, namespace: 'omega' });
          port.put({ name: 'a', value: '4' });
          port.remove({ name: 'a' });
          await port.pass(1_000);
          expect(watch.heard.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
            'ADDED default/a',
            'MODIFIED default/a',
            'DELETED default/a',
          ]);
        }));

      test('says that it is open before it says anything else', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion });
          await port.pass(0);
          expect([watch.opened, watch.heard]).toEqual([1, []]);
        }));

      test('bears a bookmark once a minute while others change, and none while nothing does', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion, idleTimeoutMs: 300_000 });
          await port.pass(70_000);
          expect(watch.bookmarks).toEqual([]);
          port.putNode('node-1');
          await port.pass(70_000);
          expect(watch.bookmarks.length).toBeGreaterThan(0);
          expect(Number(watch.bookmarks[0])).toBeGreaterThan(Number(resourceVersion));
          expect(watch.heard).toEqual([]);
          const next = open(port, { resourceVersion: watch.bookmarks[0] ?? '' });
          port.put({ name: 'a' });
          await port.pass(1_000);
          expect(next.heard).toEqual(['ADDED default/a ']);
        }));

      test('is ended by the server when its time is over', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion, timeoutSeconds: 100 });
          await port.pass(99_000);
          expect(watch.end).toBeUndefined();
          await port.pass(2_000);
          expect(watch.end).toBe('ended');
        }));

      test('fails with 410 when it begins where the server has forgotten', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          port.put({ name: 'a' });
          port.put({ name: 'b' });
          port.forget();
          const late = open(port, { resourceVersion });
          await port.pass(1_000);
          expect(late.end).toBeInstanceOf(KubernetesError);
          expect(isGone(late.end)).toBe(true);
          expect(late.heard).toEqual([]);
          const anew = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion: anew.resourceVersion });
          await port.pass(0);
          port.put({ name: 'c' });
          await port.pass(1_000);
          expect(watch.heard).toEqual(['ADDED default/c ']);
        }));

      test('that was open while the server forgot goes on', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion });
          port.put({ name: 'a' });
          await port.pass(1_000);
          port.forget();
          port.put({ name: 'b' });
          await port.pass(1_000);
          expect(watch.heard).toEqual(['ADDED default/a ', 'ADDED default/b ']);
        }));

      test('fails when nothing arrives for too long, and brings all when it is opened anew', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion, idleTimeoutMs: 20_000 });
          await port.pass(1_000);
          port.deafen();
          port.put({ name: 'a' });
          await port.pass(18_000);
          expect([watch.heard, watch.end]).toEqual([[], undefined]);
          await port.pass(2_000);
          expect(watch.end).toMatchObject({ name: 'RequestTimeoutError', phase: 'idle', timeoutMs: 20_000 });
          port.recover();
          const next = open(port, { resourceVersion });
          await port.pass(1_000);
          expect(next.heard).toEqual(['ADDED default/a ']);
        }));

      test('fails when it is told to stop', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const stop = new AbortController();
          const watch = open(port, { resourceVersion, signal: stop.signal });
          await port.pass(1_000);
          stop.abort(new Error('enough'));
          await port.pass(0);
          expect(watch.end).toMatchObject({ name: 'RequestAbortedError', code: 'LIBERATOR_ABORTED' });
        }));
    });

    describe('a server that can’t be reached', () => {
      test('fails every read, and breaks what is open', () =>
        within(async (port) => {
          const { resourceVersion } = await port.reader.list(configMaps);
          const watch = open(port, { resourceVersion });
          await port.pass(1_000);
          port.breakDown();
          const failures = [
            failureOf(port.reader.get(configMaps, { namespace: 'default', name: 'a' })),
            failureOf(port.reader.list(configMaps)),
            failureOf(port.reader.listPages(configMaps).next()),
          ];
          const late = open(port, { resourceVersion });
          await port.pass(60_000);
          for (const failure of failures) expect(await failure).toBeInstanceOf(TransportError);
          expect(watch.end).toBeInstanceOf(TransportError);
          expect(late.end).toBeInstanceOf(TransportError);
          expect(late.opened).toBe(0);
          port.recover();
          expect((await port.reader.list(configMaps)).items).toEqual([]);
        }));
    });
  });
}

const keyOf = ({ metadata }: ConfigMap): string => `${metadata.namespace}/${metadata.name}`;

/** A watch that runs, and what came of it. */
interface OpenWatch {
  opened: number;
  readonly heard: string[];
  readonly versions: string[];
  readonly bookmarks: string[];
  /** `ended` by the server, or what it failed with. */
  end: unknown;
}

function open({ reader }: ReaderPort, options: Partial<WatchOptions>): OpenWatch {
  const watch: OpenWatch = { opened: 0, heard: [], versions: [], bookmarks: [], end: undefined };
  const run = async (): Promise<void> => {
    const stream = reader.watch(configMaps, {
      resourceVersion: '',
      timeoutSeconds: 300,
      onOpen: () => {
        watch.opened += 1;
      },
      ...options,
    });
    for await (const event of stream) {
      if (event.type === 'BOOKMARK') watch.bookmarks.push(event.resourceVersion);
      else {
        const { metadata, data } = event.object;
        watch.heard.push(`${event.type} ${keyOf(event.object)} ${data?.['value'] ?? ''}`);
        watch.versions.push(metadata.resourceVersion);
      }
    }
  };
  run().then(
    () => {
      watch.end = 'ended';
    },
    (error: unknown) => {
      watch.end = error;
    },
  );
  return watch;
}

/** All pages; something may happen after each. */
async function collect<V>(
  pass: ReaderPort['pass'],
  pages: AsyncGenerator<ListPage<V>>,
  afterEach: () => void = () => {},
): Promise<readonly ListPage<V>[]> {
  const all: ListPage<V>[] = [];
  for (;;) {
    const next = pages.next();
    await pass(1_000);
    const { done, value } = await next;
    if (done) return all;
    all.push(value);
    afterEach();
  }
}

function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (answer) => {
      throw new Error(`expected a failure, found ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error,
  );
}
