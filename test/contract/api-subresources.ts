// Binding and eviction: the two subresources that decide where pods run and when they may be taken away.
import { describe, expect, test } from 'vitest';
import {
  expectFailure,
  expectSuccess,
  type GetFixture,
  type Namespace,
  podOf,
  uniqueName,
} from './api-fixture.ts';
import type { Answer } from './raw-client.ts';

const success = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };

export function describeSubresources(fixture: GetFixture): void {
  describe('binding', () => {
    const bind = (space: Namespace, pod: string, nodeName: string, more: object = {}): Promise<Answer> => {
      const target = { kind: 'Node', name: nodeName };
      const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: pod }, target, ...more };
      return fixture().client.post(space.core(`pods/${pod}/binding`), binding);
    };

    test('gives a pod to a node, once', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const node = uniqueName('ghost');
      await client.post(space.core('pods'), podOf('a'));
      const bound = await bind(space, 'a', node);
      expectSuccess(bound, 201);
      expect(bound.body).toEqual(success);
      const { body } = await client.get(space.core('pods/a'));
      expect(body['spec']?.['nodeName']).toBe(node);
      expect(body['status']?.['conditions']).toEqual([
        expect.objectContaining({ type: 'PodScheduled', status: 'True' }),
      ]);
      expectFailure(await bind(space, 'a', node), {
        code: 409,
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on pods/binding "a": pod a is already assigned to node "${node}"`,
        details: { name: 'a', kind: 'pods/binding' },
      });
    });

    test('takes only the pod that it names', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.core('pods'), podOf('a'));
      expectFailure(await bind(space, 'b', 'x'), {
        code: 404,
        reason: 'NotFound',
        message: 'pods "b" not found',
      });
      expectFailure(await bind(space, 'a', 'x', { metadata: { name: 'b' } }), {
        code: 400,
        reason: 'BadRequest',
        message: 'name in URL does not match name in Binding object',
      });
      expectFailure(await bind(space, 'a', 'x', { metadata: { name: 'a', uid: 'other' } }), {
        code: 409,
        reason: 'Conflict',
      });
      expectFailure(await client.get(space.core('pods/a/binding')), {
        code: 405,
        reason: 'MethodNotAllowed',
      });
    });

    test('leaves alone what is being deleted', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.core('pods'), podOf('a', { finalizers: ['example.com/hold'] }));
      await client.delete(space.core('pods/a'));
      expectFailure(await bind(space, 'a', 'x'), {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on pods/binding "a": pod a is being deleted, cannot be assigned to a host',
      });
      await client.patch(space.core('pods/a'), 'merge-patch', { metadata: { finalizers: null } });
    });
  });

  describe('eviction', () => {
    const evict = (space: Namespace, pod: string, more: object = {}): Promise<Answer> => {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod }, ...more };
      return fixture().client.post(space.core(`pods/${pod}/eviction`), eviction);
    };

    /** A pod that runs and is Ready, as far as the API knows. */
    const withRunningPod = async (): Promise<Namespace> => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const labels = { app: 'a' };
      expectSuccess(
        await client.post(space.core('pods'), podOf('a', { nodeName: uniqueName('ghost'), labels })),
        201,
      );
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      expectSuccess(await client.patch(space.core('pods/a/status'), 'merge-patch', { status }));
      return space;
    };

    /** A budget whose status is the one that the disruption controller would give it, whether there is one or not. */
    const withBudget = async (space: Namespace, name: string, minAvailable: number): Promise<void> => {
      const { client } = fixture();
      const spec = { minAvailable, selector: { matchLabels: { app: 'a' } } };
      const made = await client.post(space.budgets(), { metadata: { name }, spec });
      expectSuccess(made, 201);
      expect(made.body['status']).toMatchObject({
        disruptionsAllowed: 0,
        currentHealthy: 0,
        desiredHealthy: 0,
        expectedPods: 0,
      });
      const counts = { currentHealthy: 1, desiredHealthy: minAvailable, expectedPods: 1 };
      const status = { ...counts, observedGeneration: 1, disruptionsAllowed: 1 - minAvailable };
      // The controller of a real cluster may be about to write what it saw before the pod was Ready.
      for (let agreed = 0; agreed < 3; ) {
        const { body } = await client.get(space.budgets(`/${name}`));
        const now = body['status'] as unknown as Record<string, number>;
        const agrees = Object.entries(status).every(([field, value]) => (now[field] ?? 0) === value);
        agreed = agrees ? agreed + 1 : 0;
        if (!agrees) await client.patch(space.budgets(`/${name}/status`), 'merge-patch', { status });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };

    test('deletes gracefully, and marks the pod as disrupted on purpose', async () => {
      const { client } = fixture();
      const space = await withRunningPod();
      const evicted = await evict(space, 'a');
      expectSuccess(evicted, 201);
      expect(evicted.body).toEqual(success);
      const { body } = await client.get(space.core('pods/a'));
      expect(body['metadata']?.['deletionGracePeriodSeconds']).toBe(30);
      expect(body['status']?.['conditions']).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'EvictionByEvictionAPI',
          }),
        ]),
      );
      expectSuccess(await evict(space, 'a'), 201);
    });

    test('answers 429 with a DisruptionBudget cause while a budget says no', async () => {
      const space = await withRunningPod();
      await withBudget(space, 'budget', 1);
      const refused = await evict(space, 'a');
      expectFailure(refused, {
        code: 429,
        reason: 'TooManyRequests',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        details: {
          causes: [
            {
              reason: 'DisruptionBudget',
              message: 'The disruption budget budget needs 1 healthy pods and has 1 currently',
            },
          ],
        },
      });
      expect(refused.headers['retry-after']).toBeUndefined();
      const { body } = await fixture().client.get(space.core('pods/a'));
      expect(body['metadata']).not.toHaveProperty('deletionTimestamp');
    });

    test('goes through while a budget says yes', async () => {
      const space = await withRunningPod();
      await withBudget(space, 'budget', 0);
      expectSuccess(await evict(space, 'a'), 201);
    });

    test('does not ask for pods that have finished', async () => {
      const { client } = fixture();
      const space = await withRunningPod();
      await withBudget(space, 'budget', 1);
      await client.patch(space.core('pods/a/status'), 'merge-patch', { status: { phase: 'Succeeded' } });
      expectSuccess(await evict(space, 'a'), 201);
      expect((await client.get(space.core('pods/a'))).status).toBe(404);
    });

    test('answers 500 to two budgets for one pod', async () => {
      const { client } = fixture();
      const space = await withRunningPod();
      const spec = { minAvailable: 1, selector: { matchLabels: { app: 'a' } } };
      for (const name of ['one', 'two']) await client.post(space.budgets(), { metadata: { name }, spec });
      expectFailure(await evict(space, 'a'), {
        code: 500,
        message:
          'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      });
    });

    test('keeps to the preconditions and to a dry run', async () => {
      const { client } = fixture();
      const space = await withRunningPod();
      const wrong = await evict(space, 'a', { deleteOptions: { preconditions: { uid: 'other' } } });
      expectFailure(wrong, { code: 409, reason: 'Conflict', details: { name: 'a', kind: 'Pod' } });
      expectSuccess(await evict(space, 'a', { deleteOptions: { dryRun: ['All'] } }), 201);
      expect((await client.get(space.core('pods/a'))).body['metadata']).not.toHaveProperty(
        'deletionTimestamp',
      );
    });

    test('answers 404 when the pod is not there, 400 when it names another', async () => {
      const space = await withRunningPod();
      expectFailure(await evict(space, 'b'), {
        code: 404,
        reason: 'NotFound',
        message: 'pods "b" not found',
      });
      expectFailure(await evict(space, 'a', { metadata: { name: 'b' } }), {
        code: 400,
        reason: 'BadRequest',
        message: 'name in URL does not match name in Eviction object',
      });
    });
  });
}
