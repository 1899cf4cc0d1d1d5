// Watches: where they begin, what they tell, and how they end.
import { describe, expect, test } from 'vitest';
import { expectFailure, type GetFixture, type Namespace, podOf, uniqueName } from './api-fixture.ts';
import type { RawWatch, WatchLine } from './raw-client.ts';

const settleMs = 400;

const isNamed =
  (name: string, type?: string) =>
  (line: WatchLine): boolean =>
    line.object['metadata']?.['name'] === name && (type === undefined || line.type === type);

const told = (watch: RawWatch): string[] =>
  watch.lines.map((line) => `${line.type} ${line.object['metadata']?.['name'] ?? ''}`);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function describeWatches(fixture: GetFixture): void {
  const make = (space: Namespace, name: string, labels: object = {}): Promise<unknown> =>
    fixture().client.post(space.leases(), { metadata: { name, labels } });
  const label = (space: Namespace, name: string, labels: object): Promise<unknown> =>
    fixture().client.patch(space.leases(`/${name}`), 'merge-patch', { metadata: { labels } });
  const versionOf = async (space: Namespace): Promise<string> =>
    String((await fixture().client.get(space.leases())).body['metadata']?.['resourceVersion']);

  const watching = async (path: string, act: (watch: RawWatch) => Promise<void>): Promise<void> => {
    const watch = await fixture().client.watch(path);
    try {
      await act(watch);
    } finally {
      watch.close();
    }
  };

  describe('watching', () => {
    test.each(['', '&resourceVersion=0'])(
      'from "%s" begins with all that is there, then tells the news',
      async (from) => {
        const space = await fixture().namespace();
        await make(space, 'a');
        await make(space, 'b');
        await versionOf(space);
        await watching(`${space.leases()}?watch=true${from}`, async (watch) => {
          await watch.next(isNamed('a'));
          await watch.next(isNamed('b'));
          await make(space, 'c');
          const news = await watch.next(isNamed('c'));
          expect(told(watch)).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
          expect(news.object).toMatchObject({ kind: 'Lease', apiVersion: 'coordination.k8s.io/v1' });
        });
      },
    );

    test('from a resourceVersion tells every change after it, whenever they were, in order', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await make(space, 'before');
      const version = await versionOf(space);
      await make(space, 'a');
      await label(space, 'a', { x: '1' });
      await label(space, 'a', { x: '1' });
      await client.delete(space.leases('/a'));
      await watching(`${space.leases()}?watch=true&resourceVersion=${version}`, async (watch) => {
        await watch.next(isNamed('a', 'DELETED'));
        expect(told(watch)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
        const versions = watch.lines.map((line) => Number(line.object['metadata']?.['resourceVersion']));
        expect(versions).toEqual([...versions].sort((one, other) => one - other));
        expect(new Set(versions).size).toBe(3);
        // What is deleted is told in its last state.
        expect(watch.lines[2]?.object['metadata']?.['labels']).toEqual({ x: '1' });
      });
    });

    test('with a selector tells of coming and going instead of changing', async () => {
      const space = await fixture().namespace();
      await make(space, 'a', { x: '1' });
      await make(space, 'b', { x: '2' });
      await watching(`${space.leases()}?watch=true&labelSelector=x%3D1`, async (watch) => {
        await watch.next(isNamed('a', 'ADDED'));
        await label(space, 'b', { x: '1', y: '1' });
        await label(space, 'b', { y: '2' });
        await label(space, 'b', { x: '3', y: '3' });
        await label(space, 'b', { y: '4' });
        const gone = await watch.next(isNamed('b', 'DELETED'));
        await pause(settleMs);
        expect(told(watch)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED b']);
        // The last state that fitted, with the version of the change that took it away.
        expect(gone.object['metadata']?.['labels']).toEqual({ x: '1', y: '2' });
        const modified = Number(watch.lines[2]?.object['metadata']?.['resourceVersion']);
        expect(Number(gone.object['metadata']?.['resourceVersion'])).toBeGreaterThan(modified);
      });
    });

    test('of pods by node sees a pod when it is bound', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const nodeName = uniqueName('ghost');
      const selector = encodeURIComponent(`spec.nodeName=${nodeName}`);
      await watching(`/api/v1/pods?watch=true&fieldSelector=${selector}`, async (watch) => {
        await client.post(space.core('pods'), podOf('a'));
        const binding = { metadata: { name: 'a' }, target: { kind: 'Node', name: nodeName } };
        await client.post(space.core('pods/a/binding'), binding);
        await watch.next(isNamed('a', 'ADDED'));
        expect(told(watch)).toEqual(['ADDED a']);
      });
    });

    test('tells of a forced deletion in two steps', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await watching(`${space.core('pods')}?watch=true`, async (watch) => {
        await client.post(space.core('pods'), podOf('a', { nodeName: uniqueName('ghost') }));
        await client.delete(space.core('pods/a'), { gracePeriodSeconds: 0 });
        await watch.next(isNamed('a', 'DELETED'));
        expect(told(watch)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
        expect(watch.lines[1]?.object['metadata']).toMatchObject({ deletionGracePeriodSeconds: 0 });
      });
    });

    test('tells of the removal of the last finalizer as of a deletion only', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const finalizers = ['example.com/hold'];
      await watching(`${space.leases()}?watch=true`, async (watch) => {
        await client.post(space.leases(), { metadata: { name: 'a', finalizers } });
        await client.delete(space.leases('/a'));
        await client.patch(space.leases('/a'), 'merge-patch', { metadata: { finalizers: null } });
        const gone = await watch.next(isNamed('a', 'DELETED'));
        expect(told(watch)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
        expect(gone.object['metadata']?.['finalizers']).toEqual(finalizers);
      });
    });

    test('ends after timeoutSeconds, without an error', async () => {
      const space = await fixture().namespace();
      const start = performance.now();
      const version = await versionOf(space);
      await watching(
        `${space.leases()}?watch=true&timeoutSeconds=1&resourceVersion=${version}`,
        async (watch) => {
          await watch.ended;
          expect(performance.now() - start).toBeGreaterThan(900);
          expect([watch.status, watch.lines]).toEqual([200, []]);
        },
      );
    });

    test('with bookmarks gets one before it ends, when there is anything new to say', async () => {
      const space = await fixture().namespace();
      const version = await versionOf(space);
      const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=8&resourceVersion=${version}`;
      await watching(`${space.leases()}?${query}`, async (watch) => {
        await make(space, 'a');
        await make(space, 'b');
        const newest = Number(await versionOf(space));
        await watch.ended;
        const bookmark = watch.lines.at(-1);
        expect(bookmark?.type).toBe('BOOKMARK');
        const metadata = { resourceVersion: expect.stringMatching(/^\d+$/) };
        expect(bookmark?.object).toEqual({
          kind: 'Lease',
          apiVersion: 'coordination.k8s.io/v1',
          metadata,
          spec: {},
        });
        expect(Number(bookmark?.object['metadata']?.['resourceVersion'])).toBeGreaterThanOrEqual(newest);
      });
    }, 30_000);

    test('can be told where the beginning ends', async () => {
      const space = await fixture().namespace();
      await make(space, 'a');
      const query =
        'watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan';
      await watching(`${space.leases()}?${query}`, async (watch) => {
        const end = await watch.next((line) => line.type === 'BOOKMARK');
        expect(told(watch)).toEqual(['ADDED a', 'BOOKMARK ']);
        expect(end.object['metadata']?.['annotations']).toEqual({ 'k8s.io/initial-events-end': 'true' });
      });
    });

    test('from a resourceVersion that is still to come says nothing until then', async () => {
      const space = await fixture().namespace();
      await watching(`${space.leases()}?watch=true&resourceVersion=99999999`, async (watch) => {
        await make(space, 'a');
        await pause(settleMs);
        expect([watch.status, watch.lines]).toEqual([200, []]);
      });
    });

    test('one object by its own path is only a read', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await make(space, 'a');
      const answer = await client.get(`${space.leases('/a')}?watch=true`);
      expect(answer.body).toMatchObject({ kind: 'Lease', metadata: { name: 'a' } });
    });

    test.each([
      ['resourceVersion=abc', 500, undefined],
      ['timeoutSeconds=x', 400, 'BadRequest'],
      ['fieldSelector=spec.nothing%3Dx', 400, 'BadRequest'],
      ['resourceVersion=1&resourceVersionMatch=Exact', 422, 'Invalid'],
      ['sendInitialEvents=true', 422, 'Invalid'],
    ])('with %s answers %i instead', async (query, code, reason) => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const answer = await client.get(`${space.leases()}?watch=true&${query}`);
      expectFailure(answer, reason === undefined ? { code } : { code, reason });
    });
  });
}
