import { describe, expect, test } from 'vitest';
import { startTrial, type TrialCluster } from '../testing/trial-cluster.ts';

const labels = { app: 'web' };

function createBudget(cluster: TrialCluster, spec: object): void {
  cluster.client.create('poddisruptionbudgets', {
    metadata: { name: 'budget', namespace: 'default' },
    spec: { selector: { matchLabels: labels }, ...spec },
  });
}

function statusOf(cluster: TrialCluster): object | undefined {
  return cluster.client.find('poddisruptionbudgets', 'default', 'budget')?.status;
}

async function evict(cluster: TrialCluster, pod: string): Promise<number> {
  const response = await cluster.simulator.transport().send({
    method: 'POST',
    path: `/api/v1/namespaces/default/pods/${pod}/eviction`,
    body: JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod } }),
    signal: new AbortController().signal,
  });
  return response.status;
}

describe('a disruption budget', () => {
  test.each([
    { spec: { minAvailable: 2 }, desired: 2, allowed: 1 },
    { spec: { minAvailable: '50%' }, desired: 2, allowed: 1 },
    { spec: { maxUnavailable: 1 }, desired: 2, allowed: 1 },
    { spec: { maxUnavailable: '34%' }, desired: 1, allowed: 2 },
    { spec: { maxUnavailable: 0 }, desired: 3, allowed: 0 },
    { spec: { minAvailable: 5 }, desired: 5, allowed: 0 },
  ])('of $spec over three healthy pods allows $allowed', async ({ spec, desired, allowed }) => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 3 });
    createBudget(cluster, spec);
    await cluster.clock.advance(2_000);
    expect(statusOf(cluster)).toMatchObject({
      expectedPods: 3,
      currentHealthy: 3,
      desiredHealthy: desired,
      disruptionsAllowed: allowed,
      observedGeneration: 1,
      conditions: [
        {
          type: 'DisruptionAllowed',
          status: allowed > 0 ? 'True' : 'False',
          reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
          observedGeneration: 1,
        },
      ],
    });
  });

  test('that covers nothing allows nothing', async () => {
    await using cluster = await startTrial();
    createBudget(cluster, { minAvailable: 0 });
    await cluster.clock.advance(2_000);
    expect(statusOf(cluster)).toMatchObject({ expectedPods: 0, currentHealthy: 0, disruptionsAllowed: 0 });
  });

  test('is spent by an eviction until the replacement is Ready, and follows what its owner wants', async () => {
    await using cluster = await startTrial();
    await cluster.createSet('web', { replicas: 3 });
    createBudget(cluster, { maxUnavailable: 1 });
    await cluster.clock.advance(2_000);
    expect(await evict(cluster, 'web-2')).toBe(201);
    expect(await evict(cluster, 'web-1')).toBe(429);
    await cluster.clock.advance(1_000);
    expect(statusOf(cluster)).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 0 });
    await cluster.until(() => cluster.podReady('web-2'), 60_000);
    await cluster.clock.advance(2_000);
    expect(statusOf(cluster)).toMatchObject({ currentHealthy: 3, disruptionsAllowed: 1 });
    expect(await evict(cluster, 'web-1')).toBe(201);

    cluster.client.change('statefulsets', { metadata: { namespace: 'default', name: 'web' } }, (draft) => {
      draft.spec = { ...draft.spec, replicas: 5 };
      return true;
    });
    await cluster.until(() => cluster.podReady('web-4'), 60_000);
    await cluster.clock.advance(2_000);
    expect(statusOf(cluster)).toMatchObject({ expectedPods: 5, desiredHealthy: 4, disruptionsAllowed: 1 });
  });
});
