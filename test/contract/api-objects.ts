// Making, reading and replacing objects: what the server fills in, what it refuses, and in which words.
import { describe, expect, test } from 'vitest';
import { expectFailure, expectSuccess, type GetFixture, statefulSetOf, uniqueName } from './api-fixture.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function describeObjects(fixture: GetFixture): void {
  describe('creating', () => {
    test('answers 201 with uid, resourceVersion and a creation time in whole seconds', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const made = await client.post(space.core('configmaps'), { metadata: { name: 'a' }, data: { x: 'y' } });
      expectSuccess(made, 201);
      expect(made.headers['content-type']).toBe('application/json');
      expect(made.body).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { x: 'y' } });
      const metadata = made.body['metadata'];
      expect(metadata).toMatchObject({ name: 'a', namespace: space.name });
      expect(metadata?.['uid']).toMatch(uuid);
      expect(metadata?.['resourceVersion']).toMatch(/^\d+$/);
      expect(metadata?.['creationTimestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect((await client.get(space.core('configmaps/a'))).body).toEqual(made.body);
    });

    test('makes each resourceVersion larger than the one before, across kinds', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const first = await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      const second = await client.post(space.leases(), { metadata: { name: 'a' } });
      const version = (answer: typeof first): number => Number(answer.body['metadata']?.['resourceVersion']);
      expect(version(second)).toBeGreaterThan(version(first));
    });

    test('answers 409 AlreadyExists when the name is taken', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      expectFailure(await client.post(space.core('configmaps'), { metadata: { name: 'a' } }), {
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "a" already exists',
        details: { name: 'a', kind: 'configmaps' },
      });
      await client.post(space.leases(), { metadata: { name: 'a' } });
      expectFailure(await client.post(space.leases(), { metadata: { name: 'a' } }), {
        code: 409,
        reason: 'AlreadyExists',
        message: 'leases.coordination.k8s.io "a" already exists',
        details: { name: 'a', group: 'coordination.k8s.io', kind: 'leases' },
      });
    });

    test('completes generateName with five letters', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const made = await client.post(space.core('configmaps'), { metadata: { generateName: 'a-' } });
      expect(made.body['metadata']).toMatchObject({
        generateName: 'a-',
        name: expect.stringMatching(/^a-[bcdfghjklmnpqrstvwxz2456789]{5}$/),
      });
    });

    test('answers 404 when the namespace does not exist', async () => {
      const { client } = fixture();
      const path = '/api/v1/namespaces/no-such-namespace/configmaps';
      expectFailure(await client.post(path, { metadata: { name: 'a' } }), {
        code: 404,
        reason: 'NotFound',
        message: 'namespaces "no-such-namespace" not found',
        details: { name: 'no-such-namespace', kind: 'namespaces' },
      });
    });

    test('answers 422 to a missing or impossible name, and says which field', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      expectFailure(await client.post(space.core('configmaps'), { metadata: {} }), {
        code: 422,
        reason: 'Invalid',
        message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
        details: {
          kind: 'ConfigMap',
          causes: [
            {
              reason: 'FieldValueRequired',
              message: 'Required value: name or generateName is required',
              field: 'metadata.name',
            },
          ],
        },
      });
      for (const name of ['A', 'a_b', '-a', 'a'.repeat(254)]) {
        const answer = await client.post(space.core('configmaps'), { metadata: { name } });
        expectFailure(answer, { code: 422, reason: 'Invalid', field: 'metadata.name' });
      }
      const dotted = await client.post('/api/v1/namespaces', { metadata: { name: 'a.b' } });
      expectFailure(dotted, { code: 422, reason: 'Invalid', field: 'metadata.name' });
    });

    test.each([
      ['a label value with a space', { labels: { a: 'b c' } }, 'metadata.labels'],
      ['a label key with a space', { labels: { 'a b': 'c' } }, 'metadata.labels'],
      ['an annotation key with a space', { annotations: { 'a b': 'c' } }, 'metadata.annotations'],
      ['a finalizer without a domain', { finalizers: ['mine'] }, 'metadata.finalizers[0]'],
      [
        'an owner without a uid',
        { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x' }] },
        'metadata.ownerReferences.uid',
      ],
    ])('answers 422 to %s', async (_, metadata, field) => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const answer = await client.post(space.core('configmaps'), { metadata: { name: 'a', ...metadata } });
      expectFailure(answer, { code: 422, reason: 'Invalid', field });
    });

    test('answers 400 to a body that is not the object it should be', async () => {
      const { client } = fixture();
      const path = (await fixture().namespace()).core('configmaps');
      const refused = async (body: unknown, message: string | RegExp): Promise<void> =>
        expectFailure(await client.post(path, body), { code: 400, reason: 'BadRequest', message });
      const unrecognized = 'the object provided is unrecognized (must be of type ConfigMap): ';
      await refused(
        '',
        `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)`,
      );
      await refused(
        '{"a',
        `${unrecognized}couldn't get version/kind; json parse error: unexpected end of JSON input ({"a)`,
      );
      await refused('[]', /json: cannot unmarshal array into Go value of type struct/);
      await refused(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } },
        'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
      );
      await refused(
        { apiVersion: 'v1', kind: 'Nonsense', metadata: { name: 'a' } },
        /no kind "Nonsense" is registered for version "v1"/,
      );
      await refused(
        { apiVersion: 'v2', metadata: { name: 'a' } },
        /no kind "ConfigMap" is registered for version "v2"/,
      );
      await refused(
        { metadata: { name: 'a' }, data: { x: 1 } },
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string',
      );
      await refused(
        { metadata: { name: 'a', namespace: 'default' } },
        'the namespace of the provided object does not match the namespace sent on the request',
      );
    });

    test('answers 415 to a body in another format', async () => {
      const { client } = fixture();
      const path = (await fixture().namespace()).core('configmaps');
      const answer = await client.post(path, { metadata: { name: 'a' } }, { contentType: 'text/plain' });
      expectFailure(answer, { code: 415, reason: 'UnsupportedMediaType' });
    });

    test('writes nothing in a dry run', async () => {
      const { client } = fixture();
      const path = (await fixture().namespace()).core('configmaps');
      const tried = await client.post(`${path}?dryRun=All`, { metadata: { name: 'a' } });
      expectSuccess(tried, 201);
      expect(tried.body['metadata']).not.toHaveProperty('resourceVersion');
      expect((await client.get(`${path}/a`)).status).toBe(404);
      const wrong = await client.post(`${path}?dryRun=Some`, { metadata: { name: 'a' } });
      expectFailure(wrong, { code: 422, reason: 'Invalid', field: 'dryRun' });
    });

    test('refuses a resourceVersion', async () => {
      const { client } = fixture();
      const path = (await fixture().namespace()).core('configmaps');
      expectFailure(await client.post(path, { metadata: { name: 'a', resourceVersion: '5' } }), {
        code: 500,
        message: 'resourceVersion should not be set on objects to be created',
      });
    });
  });

  describe('reading', () => {
    test('answers 404 with the name and the plural', async () => {
      const { client } = fixture();
      expectFailure(await client.get('/api/v1/nodes/no-such-node'), {
        code: 404,
        reason: 'NotFound',
        message: 'nodes "no-such-node" not found',
        details: { name: 'no-such-node', kind: 'nodes' },
      });
      expectFailure(await client.get('/apis/apps/v1/namespaces/default/statefulsets/nothing'), {
        code: 404,
        reason: 'NotFound',
        message: 'statefulsets.apps "nothing" not found',
        details: { name: 'nothing', group: 'apps', kind: 'statefulsets' },
      });
    });
  });

  describe('replacing', () => {
    test('needs the resourceVersion that it names to be the current one', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = space.core('configmaps/a');
      const { body: old } = await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      expectSuccess(await client.put(path, { ...old, data: { x: '1' } }));
      expectFailure(await client.put(path, { ...old, data: { x: '2' } }), {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes ' +
          'to the latest version and try again',
        details: { name: 'a', kind: 'configmaps' },
      });
      expectSuccess(await client.put(path, { metadata: { name: 'a' }, data: { x: '3' } }));
      expectSuccess(
        await client.put(path, { metadata: { name: 'a', resourceVersion: '0' }, data: { x: '4' } }),
      );
      const wrong = { metadata: { name: 'a', resourceVersion: 'abc' } };
      expectFailure(await client.put(path, wrong), { code: 500 });
    });

    test('needs a resourceVersion for a Lease, and creates the Lease when there is none', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const lease = { metadata: { name: 'a' }, spec: { holderIdentity: 'x' } };
      expectSuccess(await client.put(space.leases('/a'), lease), 201);
      expectFailure(await client.put(space.leases('/a'), lease), {
        code: 422,
        reason: 'Invalid',
        message:
          'leases.coordination.k8s.io "a" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified ' +
          'for an update',
        field: 'metadata.resourceVersion',
      });
    });

    test('answers 404 for what is not there', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const answer = await client.put(space.core('configmaps/a'), { metadata: { name: 'a' } });
      expectFailure(answer, { code: 404, reason: 'NotFound', message: 'configmaps "a" not found' });
    });

    test('keeps resourceVersion, and tells no watch, when nothing changes', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const { body } = await client.post(space.core('configmaps'), {
        metadata: { name: 'a' },
        data: { x: '1' },
      });
      expect((await client.put(space.core('configmaps/a'), body)).body).toEqual(body);
    });

    test('never moves the creation time', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const { body } = await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      const moved = { metadata: { name: 'a', creationTimestamp: '2020-01-01T00:00:00Z' }, data: { x: '1' } };
      const after = await client.put(space.core('configmaps/a'), moved);
      expect(after.body['metadata']?.['creationTimestamp']).toBe(body['metadata']?.['creationTimestamp']);
    });

    test('refuses another object: 409 for a foreign uid, 400 for a foreign name, 422 for a deletion time', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = space.core('configmaps/a');
      const { body } = await client.post(space.core('configmaps'), { metadata: { name: 'a' } });
      const uid = body['metadata']?.['uid'];
      expectFailure(await client.put(path, { metadata: { name: 'a', uid: 'other' } }), {
        code: 409,
        reason: 'Conflict',
        message: new RegExp(`Precondition failed: UID in precondition: other, UID in object meta: ${uid}$`),
        details: { name: 'a', kind: 'configmaps' },
      });
      expectFailure(await client.put(path, { metadata: { name: 'b' } }), {
        code: 400,
        reason: 'BadRequest',
        message: 'the name of the object (b) does not match the name on the URL (a)',
      });
      const deleted = { metadata: { name: 'a', deletionTimestamp: '2020-01-01T00:00:00Z' } };
      expectFailure(await client.put(path, deleted), {
        code: 422,
        reason: 'Invalid',
        field: 'metadata.deletionTimestamp',
      });
    });

    test('counts changes of spec in generation, not those of labels or status', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      const path = space.apps('statefulsets/a');
      const generationAfter = async (change: object, subresource = ''): Promise<unknown> =>
        (await client.patch(`${path}${subresource}`, 'merge-patch', change)).body['metadata']?.['generation'];
      const made = await client.post(space.apps('statefulsets'), statefulSetOf('a'));
      expect(made.body['metadata']?.['generation']).toBe(1);
      expect(await generationAfter({ metadata: { labels: { x: 'y' } } })).toBe(1);
      expect(await generationAfter({ status: { replicas: 0, observedGeneration: 1 } }, '/status')).toBe(1);
      expect(await generationAfter({ spec: { minReadySeconds: 1 } })).toBe(2);
    });
  });

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

  test('names of objects are only taken within their namespace', async () => {
    const { client } = fixture();
    const [one, other] = [await fixture().namespace(), await fixture().namespace()];
    const name = uniqueName();
    for (const space of [one, other]) {
      expectSuccess(await client.post(space.core('configmaps'), { metadata: { name } }), 201);
    }
  });
}
