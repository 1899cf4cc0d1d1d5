// The server itself: who may do what, what it serves, and what it says to everything else.
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, type GetFixture } from './api-fixture.ts';

export function describeServer(fixture: GetFixture): void {
  describe('somebody who may not', () => {
    test('gets 403 in words that name user, verb, resource and scope', async () => {
      const { stranger, target } = fixture();
      const { user } = target.stranger;
      expectFailure(await stranger.get('/api/v1/nodes'), {
        code: 403,
        reason: 'Forbidden',
        message: `nodes is forbidden: User "${user}" cannot list resource "nodes" in API group "" at the cluster scope`,
        details: { kind: 'nodes' },
      });
      expectFailure(await stranger.delete('/apis/apps/v1/namespaces/default/statefulsets/a'), {
        code: 403,
        reason: 'Forbidden',
        message:
          `statefulsets.apps "a" is forbidden: User "${user}" cannot delete resource "statefulsets" in API group ` +
          '"apps" in the namespace "default"',
        details: { name: 'a', group: 'apps', kind: 'statefulsets' },
      });
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'a' } };
      expectFailure(await stranger.post('/api/v1/namespaces/default/pods/a/eviction', eviction), {
        code: 403,
        reason: 'Forbidden',
        message:
          `pods "a" is forbidden: User "${user}" cannot create resource "pods/eviction" in API group "" in the ` +
          'namespace "default"',
      });
    });

    test('can ask beforehand', async () => {
      const { client, stranger } = fixture();
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      const review = { spec: { resourceAttributes: { verb: 'list', resource: 'nodes' } } };
      const allowed = await client.post(path, review);
      expectSuccess(allowed, 201);
      expect(allowed.body).toMatchObject({
        kind: 'SelfSubjectAccessReview',
        ...review,
        status: { allowed: true },
      });
      expect((await stranger.post(path, review)).body['status']?.['allowed']).toBe(false);
      const empty = await client.post(path, { spec: {} });
      expectFailure(empty, { code: 422, reason: 'Invalid', field: 'spec.resourceAttributes' });
    });
  });

  describe('what is not served', () => {
    test('is 404: as a Status within a group that is, as text elsewhere', async () => {
      const { client } = fixture();
      const message = 'the server could not find the requested resource';
      for (const path of [
        '/api/v1/widgets',
        '/api/v2',
        '/apis/apps/v1/widgets',
        '/apis/apps/v2',
        '/api/v1/namespaces/default/nodes',
        '/api/v1/pods/a',
        '/api/v1/nodes/a/nonsense',
      ]) {
        expectFailure(await client.get(path), { code: 404, reason: 'NotFound', message, details: {} });
      }
      for (const path of ['/nonsense', '/apis/nonsense.example', '/apis/nonsense.example/v1/widgets']) {
        const answer = await client.get(path);
        expect([answer.status, answer.text]).toEqual([404, '404 page not found\n']);
      }
    });

    test('is 405 for a method that makes no sense there', async () => {
      const { client } = fixture();
      const expected = {
        code: 405,
        reason: 'MethodNotAllowed',
        message: 'the server does not allow this method on the requested resource',
        details: {},
      };
      expectFailure(await client.post('/api/v1/pods', {}), expected);
      expectFailure(await client.put('/api/v1/nodes', {}), expected);
      expectFailure(await client.delete('/api/v1/pods'), expected);
      expectFailure(await client.post('/api/v1/nodes/a', {}), expected);
    });
  });

  describe('the server itself', () => {
    test('is well, and says who it is', async () => {
      const { client } = fixture();
      for (const path of ['/healthz', '/livez', '/readyz']) expect((await client.get(path)).text).toBe('ok');
      expect((await client.get('/version')).body).toMatchObject({
        major: '1',
        gitVersion: expect.stringMatching(/^v1\./),
      });
    });

    test('lists its groups and kinds', async () => {
      const { client } = fixture();
      expect((await client.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
      const groups = (await client.get('/apis')).body['groups'] as unknown as { name: string }[];
      expect(groups.map((group) => group.name)).toEqual(
        expect.arrayContaining(['apps', 'coordination.k8s.io', 'policy']),
      );
      expect((await client.get('/apis/apps')).body).toMatchObject({
        kind: 'APIGroup',
        name: 'apps',
        preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
      });
      const { resources } = (await client.get('/apis/apps/v1')).body as unknown as {
        resources: { name: string }[];
      };
      expect(resources.find((one) => one.name === 'statefulsets')).toMatchObject({
        kind: 'StatefulSet',
        namespaced: true,
        shortNames: ['sts'],
        verbs: expect.arrayContaining(['get', 'list', 'watch', 'patch']),
      });
      expect(resources.map((one) => one.name)).toContain('statefulsets/status');
    });
  });
}
