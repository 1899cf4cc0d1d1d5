// The three ways to patch: what they do, and how they fail.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  expectFailure,
  expectSuccess,
  type GetFixture,
  type Namespace,
  podOf,
  uniqueName,
} from './api-fixture.ts';
import type { Answer } from './raw-client.ts';

export function describePatches(fixture: GetFixture): void {
  let space: Namespace;
  let path: string;

  beforeEach(async () => {
    space = await fixture().namespace();
    path = space.core('configmaps/a');
    const made = { metadata: { name: 'a', labels: { x: '1' } }, data: { kept: 'k', changed: 'c' } };
    expectSuccess(await fixture().client.post(space.core('configmaps'), made), 201);
  });

  const patch = (kind: string, body: unknown): Promise<Answer> => fixture().client.patch(path, kind, body);
  const rejected = {
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  };

  describe('a merge patch', () => {
    test('sets, adds, and removes by null', async () => {
      const answer = await patch('merge-patch', {
        data: { changed: 'd', added: 'a', kept: null },
        metadata: { labels: null },
      });
      expectSuccess(answer);
      expect(answer.body['data']).toEqual({ changed: 'd', added: 'a' });
      expect(answer.body['metadata']).not.toHaveProperty('labels');
    });

    test('answers 400 to what is not a JSON object', async () => {
      expectFailure(await patch('merge-patch', '{"x'), {
        code: 400,
        reason: 'BadRequest',
        message: 'error decoding patch: unexpected end of JSON input',
      });
      expectFailure(await patch('merge-patch', '[]'), {
        code: 400,
        reason: 'BadRequest',
        message:
          'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
      });
    });
  });

  describe('a JSON patch', () => {
    test('applies its operations one after the other', async () => {
      const answer = await patch('json-patch', [
        { op: 'test', path: '/data/kept', value: 'k' },
        { op: 'add', path: '/data/added', value: 'a' },
        { op: 'replace', path: '/data/changed', value: 'd' },
        { op: 'copy', from: '/data/added', path: '/data/copied' },
        { op: 'move', from: '/data/kept', path: '/data/moved' },
        { op: 'remove', path: '/metadata/labels/x' },
        { op: 'add', path: '/metadata/annotations', value: { 'example.com/a': '1' } },
        { op: 'test', path: '/metadata/annotations/example.com~1a', value: '1' },
      ]);
      expectSuccess(answer);
      expect(answer.body['data']).toEqual({ added: 'a', changed: 'd', copied: 'a', moved: 'k' });
    });

    test.each([
      ['a failed test', { op: 'test', path: '/data/kept', value: 'other' }],
      ['a test of what is not there', { op: 'test', path: '/data/missing', value: 'x' }],
      ['a removal of what is not there', { op: 'remove', path: '/data/missing' }],
      ['a move of what is not there', { op: 'move', from: '/data/missing', path: '/data/x' }],
      ['an addition to what is not there', { op: 'add', path: '/missing/x/y', value: '1' }],
      ['an operation that does not exist', { op: 'guess', path: '/data/x', value: '1' }],
    ])('answers 422 to %s, without a word about which, and changes nothing', async (_, operation) => {
      const answer = await patch('json-patch', [{ op: 'add', path: '/data/added', value: 'a' }, operation]);
      expectFailure(answer, rejected);
      expect((await fixture().client.get(path)).body['data']).toEqual({ kept: 'k', changed: 'c' });
    });

    test('takes null for what is not there, and replaces what is not there', async () => {
      expectSuccess(await patch('json-patch', [{ op: 'test', path: '/data/missing', value: null }]));
      expectSuccess(await patch('json-patch', [{ op: 'replace', path: '/data/missing', value: 'm' }]));
    });

    test('answers 400 to what is not a list of operations', async () => {
      expectFailure(await patch('json-patch', { op: 'add' }), {
        code: 400,
        reason: 'BadRequest',
        message: /^error decoding patch: json: cannot unmarshal object/,
      });
    });
  });

  describe('a strategic merge patch', () => {
    test('merges fields, and replaces a whole map where told to', async () => {
      const merged = await patch('strategic-merge-patch', { data: { kept: null, added: 'a' } });
      expect(merged.body['data']).toEqual({ changed: 'c', added: 'a' });
      const replaced = await patch('strategic-merge-patch', { data: { $patch: 'replace', only: 'o' } });
      expect(replaced.body['data']).toEqual({ only: 'o' });
    });

    test('merges finalizers as a set, new ones first', async () => {
      const finalizersAfter = async (metadata: object): Promise<unknown> =>
        (await patch('strategic-merge-patch', { metadata })).body['metadata']?.['finalizers'];
      expect(await finalizersAfter({ finalizers: ['example.com/a'] })).toEqual(['example.com/a']);
      expect(await finalizersAfter({ finalizers: ['example.com/b'] })).toEqual([
        'example.com/b',
        'example.com/a',
      ]);
      const removal = { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] };
      expect(await finalizersAfter(removal)).toEqual(['example.com/b']);
      await patch('merge-patch', { metadata: { finalizers: null } });
    });

    test('merges conditions by type, new ones first', async () => {
      await fixture().client.post(space.core('pods'), podOf('a'));
      const typesAfter = async (conditions: object[]): Promise<unknown> => {
        const status = space.core('pods/a/status');
        const answer = await fixture().client.patch(status, 'strategic-merge-patch', {
          status: { conditions },
        });
        const after = answer.body['status']?.['conditions'] as unknown as
          | { type: string; status: string }[]
          | undefined;
        return after?.map((one) => `${one.type}=${one.status}`);
      };
      expect(await typesAfter([{ type: 'A', status: 'True' }])).toEqual(['A=True']);
      expect(await typesAfter([{ type: 'B', status: 'True' }])).toEqual(['B=True', 'A=True']);
      expect(await typesAfter([{ type: 'A', status: 'False' }])).toEqual(['B=True', 'A=False']);
      expect(await typesAfter([{ type: 'B', $patch: 'delete' } as object])).toEqual(['A=False']);
    });

    test('replaces the taints of a node as a whole', async () => {
      const { client } = fixture();
      const name = uniqueName('node');
      await client.post('/api/v1/nodes', {
        metadata: { name },
        spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] },
      });
      const taints = [{ key: 'b', effect: 'NoSchedule' }];
      const answer = await client.patch(`/api/v1/nodes/${name}`, 'strategic-merge-patch', {
        spec: { taints },
      });
      expect(answer.body['spec']?.['taints']).toEqual(taints);
      await client.delete(`/api/v1/nodes/${name}`);
    });
  });

  describe('any patch', () => {
    test('is unconditional, unless it names a resourceVersion', async () => {
      expectSuccess(await patch('merge-patch', { metadata: { resourceVersion: null }, data: { x: '1' } }));
      expectFailure(await patch('merge-patch', { metadata: { resourceVersion: '1' }, data: { x: '2' } }), {
        code: 409,
        reason: 'Conflict',
        message:
          /the object has been modified; please apply your changes to the latest version and try again$/,
        details: { name: 'a', kind: 'configmaps' },
      });
    });

    test('does not turn an object into another one', async () => {
      expectFailure(await patch('merge-patch', { metadata: { name: 'b' } }), {
        code: 400,
        reason: 'BadRequest',
        message: 'the name of the object (b) does not match the name on the URL (a)',
      });
      expectFailure(await patch('merge-patch', { metadata: { namespace: 'default' } }), {
        code: 400,
        reason: 'BadRequest',
      });
      expectFailure(await patch('merge-patch', { metadata: { uid: 'other' } }), {
        code: 422,
        reason: 'Invalid',
        message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "other": field is immutable',
        field: 'metadata.uid',
      });
      expectFailure(await patch('merge-patch', { kind: 'Secret' }), {
        code: 422,
        reason: 'Invalid',
        field: 'patch',
      });
      expectFailure(await patch('merge-patch', { data: { x: 1 } }), {
        code: 422,
        reason: 'Invalid',
        field: 'patch',
      });
    });

    test('that changes nothing keeps the resourceVersion', async () => {
      const before = (await fixture().client.get(path)).body['metadata']?.['resourceVersion'];
      expect((await patch('merge-patch', {})).body['metadata']?.['resourceVersion']).toBe(before);
    });

    test('answers 404 for what is not there', async () => {
      const answer = await fixture().client.patch(space.core('configmaps/b'), 'merge-patch', {});
      expectFailure(answer, { code: 404, reason: 'NotFound' });
    });

    test('answers 415 to a format that is not known', async () => {
      for (const contentType of ['application/json', 'application/nonsense']) {
        const answer = await fixture().client.call('PATCH', path, {}, { contentType });
        expectFailure(answer, {
          code: 415,
          reason: 'UnsupportedMediaType',
          message: '415: Unsupported Media Type',
          details: {},
        });
      }
    });
  });
}
