// Pods and StatefulSets: what they are given, what they must have, and how little of them may change.
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, type GetFixture, podOf, statefulSetOf } from './api-fixture.ts';

export function describeWorkloads(fixture: GetFixture): void {
  describe('a Pod', () => {
    test('gets what every pod has, and five minutes of patience with its node', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const made = await client.post(space.core('pods'), podOf('a'));
      expectSuccess(made, 201);
      expect(made.body['spec']).toMatchObject({
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        serviceAccountName: 'default',
        tolerations: ['not-ready', 'unreachable'].map((trouble) => ({
          key: `node.kubernetes.io/${trouble}`,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: expect.any(Number),
        })),
      });
      expect(made.body['status']).toMatchObject({ phase: 'Pending' });
      expect(made.body['metadata']?.['generation']).toBe(1);
    });

    test.each([
      ['no containers', { containers: [] }, 'spec.containers'],
      ['a container without an image', { containers: [{ name: 'a' }] }, 'spec.containers[0].image'],
      [
        'a restart policy that does not exist',
        { containers: [{ name: 'a', image: 'a:1' }], restartPolicy: 'Maybe' },
        'spec.restartPolicy',
      ],
    ])('answers 422 to %s', async (_, spec, field) => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const answer = await client.post(space.core('pods'), { metadata: { name: 'a' }, spec });
      expectFailure(answer, { code: 422, reason: 'Invalid', field });
    });

    test('keeps its spec, but for images and more tolerations', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.core('pods'), podOf('a'));
      const patch = (kind: string, body: unknown): ReturnType<typeof client.patch> =>
        client.patch(space.core('pods/a'), kind, body);
      for (const spec of [{ nodeName: 'x' }, { terminationGracePeriodSeconds: 5 }, { schedulerName: 'x' }]) {
        expectFailure(await patch('merge-patch', { spec }), {
          code: 422,
          reason: 'Invalid',
          message:
            /spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`/,
          field: 'spec',
        });
      }
      expectSuccess(
        await patch('strategic-merge-patch', { spec: { containers: [{ name: 'main', image: 'app:2' }] } }),
      );
      const more = { op: 'add', path: '/spec/tolerations/-', value: { key: 'x', operator: 'Exists' } };
      expectSuccess(await patch('json-patch', [more]));
      expectFailure(await patch('merge-patch', { spec: { tolerations: [] } }), {
        code: 422,
        reason: 'Invalid',
        field: 'spec.tolerations',
      });
      expectSuccess(await patch('merge-patch', { metadata: { labels: { x: 'y' } } }));
    });
  });

  describe('a StatefulSet', () => {
    test('gets what every StatefulSet has', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const made = await client.post(space.apps('statefulsets'), statefulSetOf('a', { replicas: undefined }));
      await client.patch(space.apps('statefulsets/a'), 'merge-patch', { spec: { replicas: 0 } });
      expect(made.body['spec']).toMatchObject({
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        revisionHistoryLimit: 10,
      });
    });

    test.each([
      ['no selector', { selector: undefined }, 'spec.selector'],
      ['a selector for everything', { selector: {} }, 'spec.selector'],
      [
        'a selector that misses its own template',
        { selector: { matchLabels: { other: 'x' } } },
        'spec.template.metadata.labels',
      ],
      ['a negative number of replicas', { replicas: -1 }, 'spec.replicas'],
    ])('answers 422 to %s', async (_, spec, field) => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const answer = await client.post(space.apps('statefulsets'), statefulSetOf('a', spec));
      expectFailure(answer, { code: 422, reason: 'Invalid', field });
    });

    test('keeps its service and its selector', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.apps('statefulsets'), statefulSetOf('a'));
      const answer = await client.patch(space.apps('statefulsets/a'), 'merge-patch', {
        spec: { serviceName: 'b' },
      });
      expectFailure(answer, {
        code: 422,
        reason: 'Invalid',
        message:
          /updates to statefulset spec for fields other than 'replicas', 'ordinals', .* are forbidden$/,
        field: 'spec',
      });
    });
  });
}
