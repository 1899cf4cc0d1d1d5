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

  test('names of objects are only taken within their namespace', async () => {
    const { client } = fixture();
    const [one, other] = [await fixture().namespace(), await fixture().namespace()];
    const name = uniqueName();
    for (const space of [one, other]) {
      expectSuccess(await client.post(space.core('configmaps'), { metadata: { name } }), 201);
    }
  });
}
