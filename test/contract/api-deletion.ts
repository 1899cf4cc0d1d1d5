// Deleting: what goes at once, what waits for whom, and on which conditions.
import { describe, expect, test } from 'vitest';
import {
  expectFailure,
  expectSuccess,
  type GetFixture,
  type Namespace,
  podOf,
  statefulSetOf,
  uniqueName,
} from './api-fixture.ts';
import type { Answer, Json } from './raw-client.ts';

interface Deleted {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
}

const metadataOf = ({ body }: { body: Json }): Deleted => body['metadata'] as unknown as Deleted;

export function describeDeletion(fixture: GetFixture): void {
  /** A namespace with one pod, on a node that doesn't exist unless `nodeName` is undefined. */
  const withPod = async (
    more: Parameters<typeof podOf>[1] = { nodeName: uniqueName('ghost') },
  ): Promise<{ space: Namespace; path: string; pod: Answer }> => {
    const space = await fixture().namespace();
    const pod = await fixture().client.post(space.core('pods'), podOf('a', more));
    expectSuccess(pod, 201);
    return { space, path: space.core('pods/a'), pod };
  };

  const isGone = async (path: string): Promise<void> =>
    expectFailure(await fixture().client.get(path), { code: 404, reason: 'NotFound' });

  describe('deleting', () => {
    test('answers with a Status or with the object, as the kind has it', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const { body } = await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      expect((await client.delete(space.core('configmaps/a'))).body).toEqual({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Success',
        details: { name: 'a', kind: 'configmaps', uid: body['metadata']?.['uid'] },
      });
      const { body: account } = await client.post(space.core('serviceaccounts'), { metadata: { name: 'a' } });
      const deleted = await client.delete(space.core('serviceaccounts/a'));
      expect(deleted.body['kind']).toBe('ServiceAccount');
      // The deletion is a change with a resourceVersion of its own.
      expect(Number(metadataOf(deleted).resourceVersion)).toBeGreaterThan(
        Number(metadataOf({ body: account }).resourceVersion),
      );
      await isGone(space.core('configmaps/a'));
    });

    test('answers 404 for what is not there', async () => {
      const { client } = fixture();
      const answer = await client.delete('/api/v1/nodes/no-such-node', { preconditions: { uid: 'a' } });
      expectFailure(answer, { code: 404, reason: 'NotFound', message: 'nodes "no-such-node" not found' });
    });

    test('does nothing but answer 409 when uid or resourceVersion in the preconditions are others', async () => {
      const { client } = fixture();
      const name = uniqueName('node');
      const path = `/api/v1/nodes/${name}`;
      const uid = metadataOf(await client.post('/api/v1/nodes', { metadata: { name } })).uid;
      const start = `Operation cannot be fulfilled on Node "${name}": `;
      expectFailure(await client.delete(path, { preconditions: { uid: 'other' } }), {
        code: 409,
        reason: 'Conflict',
        message:
          `${start}the UID in the precondition (other) does not match the UID in record (${uid}). The object might ` +
          'have been deleted and then recreated',
        details: { name, kind: 'Node' },
      });
      expectFailure(await client.delete(path, { preconditions: { uid, resourceVersion: '1' } }), {
        code: 409,
        reason: 'Conflict',
        message: new RegExp(
          'the ResourceVersion in the precondition \\(1\\) does not match the ResourceVersion in record \\(\\d+\\)\\. ' +
            'The object might have been modified$',
        ),
        details: { name, kind: 'Node' },
      });
      // Others write to nodes, too: the version counts that is current at the moment of the deletion.
      for (;;) {
        const { resourceVersion } = metadataOf(await client.get(path));
        const answer = await client.delete(path, { preconditions: { uid, resourceVersion } });
        if (answer.status === 409) continue;
        expectSuccess(answer);
        break;
      }
      await isGone(path);
    });

    test('reads its options from the body, and from the query only when there is no body', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      expectSuccess(await client.delete(`${space.core('configmaps/a')}?dryRun=All`));
      expectSuccess(await client.get(space.core('configmaps/a')));
      expectSuccess(
        await client.delete(`${space.core('configmaps/a')}?dryRun=All`, { gracePeriodSeconds: 0 }),
      );
      await isGone(space.core('configmaps/a'));
    });

    test('answers 400 to a body that is not JSON, 422 to a policy that does not exist', async () => {
      const { client } = fixture();
      const path = '/api/v1/namespaces/default/configmaps/a';
      expectFailure(await client.delete(path, '{'), { code: 400, reason: 'BadRequest' });
      expectFailure(await client.delete(path, '[]'), { code: 400, reason: 'BadRequest' });
      const wrong = { code: 422, reason: 'Invalid', field: 'propagationPolicy' };
      expectFailure(await client.delete(path, { propagationPolicy: 'Sometimes' }), wrong);
      expectFailure(
        await client.delete(path, { propagationPolicy: 'Orphan', orphanDependents: true }),
        wrong,
      );
    });

    test('waits for finalizers: marks the object, takes no new ones, and goes with the last', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = space.core('configmaps/a');
      const finalizers = ['example.com/hold'];
      await client.post(space.core('configmaps'), { metadata: { name: 'a', finalizers } });
      const marked = await client.delete(path);
      expect(marked.body['kind']).toBe('ConfigMap');
      expect(metadataOf(marked)).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers });
      expect(metadataOf(await client.delete(path))).toEqual(metadataOf(marked));
      const more = { metadata: { finalizers: [...finalizers, 'example.com/more'] } };
      expectFailure(await client.patch(path, 'merge-patch', more), {
        code: 422,
        reason: 'Invalid',
        message:
          /no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"example\.com\/more"\}$/,
        field: 'metadata.finalizers',
      });
      expectSuccess(await client.patch(path, 'merge-patch', { data: { x: 'y' } }));
      const released = await client.patch(path, 'merge-patch', { metadata: { finalizers: [] } });
      expect(released.body['metadata']).not.toHaveProperty('finalizers');
      await isGone(path);
    });

    test('leaves dependents to the garbage collector by a finalizer', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = space.apps('statefulsets/a');
      await client.post(space.apps('statefulsets'), statefulSetOf('a'));
      const finalizersAfter = async (propagationPolicy: string): Promise<unknown> => {
        const tried = await client.delete(path, { propagationPolicy, dryRun: ['All'] });
        expectSuccess(tried);
        return tried.body['metadata']?.['finalizers'];
      };
      expect(await finalizersAfter('Orphan')).toEqual(['orphan']);
      expect(await finalizersAfter('Foreground')).toEqual(['foregroundDeletion']);
      expect(await finalizersAfter('Background')).toBeUndefined();
    });

    test('a namespace lets nothing new in, and goes once it is empty', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = `/api/v1/namespaces/${space.name}`;
      const held = { metadata: { name: 'held', finalizers: ['example.com/hold'] } };
      await client.post(space.core('secrets'), held);
      const terminating = await client.delete(path);
      expect(terminating.body).toMatchObject({
        kind: 'Namespace',
        spec: { finalizers: ['kubernetes'] },
        status: { phase: 'Terminating' },
      });
      expectFailure(await client.post(space.core('secrets'), { metadata: { name: 'new' } }), {
        code: 403,
        reason: 'Forbidden',
        message: `secrets "new" is forbidden: unable to create new content in namespace ${space.name} because it is being terminated`,
        details: {
          name: 'new',
          kind: 'secrets',
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${space.name} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        },
      });
      await client.patch(space.core('secrets/held'), 'merge-patch', { metadata: { finalizers: null } });
      await expect.poll(async () => (await client.get(path)).status, { timeout: 40_000 }).toBe(404);
    }, 60_000);

    test('takes a whole collection within a namespace, by selector', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      for (const name of ['a', 'b'])
        await client.post(space.leases(), { metadata: { name, labels: { name } } });
      const deleted = await client.delete(`${space.leases()}?labelSelector=name%3Da`);
      expect(deleted.body).toMatchObject({ kind: 'LeaseList', items: [{ metadata: { name: 'a' } }] });
      expect((await client.get(space.leases())).body['items']).toHaveLength(1);
    });
  });

  describe('deleting a pod', () => {
    test('on a node leaves it, marked, to its kubelet', async () => {
      const { client } = fixture();
      const { path, pod } = await withPod();
      const marked = await client.delete(path);
      expect(marked.body['kind']).toBe('Pod');
      const { deletionTimestamp, deletionGracePeriodSeconds, generation } = metadataOf(marked);
      expect(deletionGracePeriodSeconds).toBe(30);
      expect(generation).toBe((metadataOf(pod).generation ?? 0) + 1);
      const inSeconds = (Date.parse(deletionTimestamp ?? '') - Date.now()) / 1000;
      expect(inSeconds).toBeGreaterThan(25);
      expect(inSeconds).toBeLessThan(31);
      expect((await client.get(path)).body).toEqual(marked.body);
    });

    test('again may only cut the grace short', async () => {
      const { client } = fixture();
      const { path } = await withPod();
      const graceAfter = async (options?: object): Promise<Deleted> =>
        metadataOf(await client.delete(path, options));
      const first = await graceAfter({ gracePeriodSeconds: 20 });
      expect(await graceAfter({ gracePeriodSeconds: 25 })).toEqual(first);
      expect(await graceAfter()).toEqual(first);
      const shorter = await graceAfter({ gracePeriodSeconds: 10 });
      expect(shorter).toMatchObject({ deletionGracePeriodSeconds: 10, generation: first.generation });
      expect(Date.parse(first.deletionTimestamp ?? '') - Date.parse(shorter.deletionTimestamp ?? '')).toBe(
        10_000,
      );
    });

    test('with a grace of 0 and the right uid is what the kubelet confirms with', async () => {
      const { client } = fixture();
      const { path, pod } = await withPod();
      await client.delete(path);
      const wrong = { gracePeriodSeconds: 0, preconditions: { uid: 'other' } };
      expectFailure(await client.delete(path, wrong), {
        code: 409,
        reason: 'Conflict',
        details: { name: 'a', kind: 'Pod' },
      });
      const { uid } = metadataOf(pod);
      const gone = await client.delete(path, { gracePeriodSeconds: 0, preconditions: { uid } });
      expect(gone.body['kind']).toBe('Pod');
      expect(metadataOf(gone).deletionGracePeriodSeconds).toBe(0);
      await isGone(path);
    });

    test('that has no node takes no time', async () => {
      const { client } = fixture();
      const { path } = await withPod({});
      expect(metadataOf(await client.delete(path)).deletionGracePeriodSeconds).toBe(0);
      await isGone(path);
    });

    test('that has finished takes no time', async () => {
      const { client } = fixture();
      const { path } = await withPod();
      await client.patch(`${path}/status`, 'merge-patch', { status: { phase: 'Succeeded' } });
      expectSuccess(await client.delete(path));
      await isGone(path);
    });

    test('with a negative grace gives it one second', async () => {
      const { client } = fixture();
      const { path } = await withPod();
      expect(
        metadataOf(await client.delete(path, { gracePeriodSeconds: -5 })).deletionGracePeriodSeconds,
      ).toBe(1);
    });

    test('waits for finalizers even with a grace of 0', async () => {
      const { client } = fixture();
      const { path } = await withPod({ nodeName: uniqueName('ghost'), finalizers: ['example.com/hold'] });
      const marked = await client.delete(path, { gracePeriodSeconds: 0 });
      expect(metadataOf(marked).deletionGracePeriodSeconds).toBe(0);
      expectSuccess(await client.get(path));
      expectSuccess(await client.patch(path, 'merge-patch', { metadata: { finalizers: null } }));
      await isGone(path);
    });

    test('waits for its kubelet even when the last finalizer has gone', async () => {
      const { client } = fixture();
      const { path } = await withPod({ nodeName: uniqueName('ghost'), finalizers: ['example.com/hold'] });
      await client.delete(path);
      expectSuccess(await client.patch(path, 'merge-patch', { metadata: { finalizers: null } }));
      expectSuccess(await client.get(path));
    });
  });
}
