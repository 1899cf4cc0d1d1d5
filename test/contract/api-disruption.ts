// Disruption budgets: what the server counts for them, and how an eviction spends what they allow.
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, type GetFixture, type Namespace, uniqueName } from './api-fixture.ts';

const labels = { app: 'web' };
const withinMs = 15_000;

export function describeDisruption(fixture: GetFixture): void {
  describe('a PodDisruptionBudget', () => {
    /** Three pods of a StatefulSet that run and are Ready, as far as the API knows. */
    const withReadyPods = async (): Promise<Namespace> => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const spec = { nodeName: uniqueName('ghost'), containers: [{ name: 'main', image: 'app:1' }] };
      const set = {
        metadata: { name: 'web' },
        spec: {
          replicas: 3,
          podManagementPolicy: 'Parallel',
          serviceName: 'web',
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec },
        },
      };
      expectSuccess(await client.post(space.apps('statefulsets'), set), 201);
      for (const pod of ['web-0', 'web-1', 'web-2']) {
        const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
        await eventually(async () => {
          const answer = await client.patch(space.core(`pods/${pod}/status`), 'merge-patch', { status });
          expectSuccess(answer);
        });
      }
      return space;
    };

    const createBudget = async (space: Namespace, name: string, limit: object): Promise<void> => {
      const spec = { selector: { matchLabels: labels }, ...limit };
      expectSuccess(await fixture().client.post(space.budgets(), { metadata: { name }, spec }), 201);
    };

    const expectStatus = (space: Namespace, name: string, status: object): Promise<void> =>
      eventually(async () => {
        const { body } = await fixture().client.get(space.budgets(`/${name}`));
        expect(body['status']).toEqual(status);
      });

    const evict = (space: Namespace, name: string) =>
      fixture().client.post(space.core(`pods/${name}/eviction`), {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name },
      });

    test('counts its healthy pods, and how many of them may go', async () => {
      const space = await withReadyPods();
      const limits = [
        { name: 'at-least-two', limit: { minAvailable: 2 }, desired: 2 },
        { name: 'at-least-half', limit: { minAvailable: '50%' }, desired: 2 },
        { name: 'at-least-five', limit: { minAvailable: 5 }, desired: 5 },
        { name: 'all-but-one', limit: { maxUnavailable: 1 }, desired: 2 },
        { name: 'all-but-a-third', limit: { maxUnavailable: '34%' }, desired: 1 },
        { name: 'all', limit: { maxUnavailable: 0 }, desired: 3 },
      ];
      for (const { name, limit } of limits) await createBudget(space, name, limit);
      for (const { name, desired } of limits) {
        await expectStatus(space, name, statusOf({ healthy: 3, desired, expected: 3 }));
      }
    });

    test('that selects no pod allows nothing', async () => {
      const space = await fixture().namespace();
      await createBudget(space, 'empty', { minAvailable: 0 });
      await expectStatus(space, 'empty', statusOf({ healthy: 0, desired: 0, expected: 0 }));
    });

    test('lets one pod go, and refuses the next until there is another healthy one', async () => {
      const { client } = fixture();
      const space = await withReadyPods();
      await createBudget(space, 'budget', { maxUnavailable: 1 });
      await expectStatus(space, 'budget', statusOf({ healthy: 3, desired: 2, expected: 3 }));
      expectSuccess(await evict(space, 'web-2'), 201);
      await expectStatus(space, 'budget', statusOf({ healthy: 2, desired: 2, expected: 3 }));
      const refused = await evict(space, 'web-1');
      expectFailure(refused, {
        code: 429,
        reason: 'TooManyRequests',
        message: "Cannot evict pod as it would violate the pod's disruption budget.",
        details: {
          causes: [
            {
              reason: 'DisruptionBudget',
              message: 'The disruption budget budget needs 2 healthy pods and has 2 currently',
            },
          ],
        },
      });
      const { body } = await client.get(space.core('pods/web-1'));
      expect(body['metadata']?.['deletionTimestamp']).toBeUndefined();
      await client.patch(space.budgets('/budget'), 'merge-patch', { spec: { maxUnavailable: 2 } });
      await expectStatus(space, 'budget', statusOf({ healthy: 2, desired: 1, expected: 3, generation: 2 }));
      expectSuccess(await evict(space, 'web-1'), 201);
    });
  });
}

function statusOf(counts: {
  healthy: number;
  desired: number;
  expected: number;
  generation?: number;
}): object {
  const { healthy, desired, expected, generation = 1 } = counts;
  const allowed = Math.max(0, healthy - desired);
  const some = allowed > 0 && expected > 0;
  return {
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: some ? allowed : 0,
    observedGeneration: generation,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status: some ? 'True' : 'False',
        reason: some ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        observedGeneration: generation,
        lastTransitionTime: expect.any(String),
      },
    ],
  };
}

/** Tries until `attempt` no longer throws, and throws what it threw last. */
async function eventually(attempt: () => Promise<void>): Promise<void> {
  const end = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
