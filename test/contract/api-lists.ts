// Lists: selectors, pages, and how old an answer may be.
import { beforeAll, describe, expect, test } from 'vitest';
import {
  expectFailure,
  expectSuccess,
  type GetFixture,
  type Namespace,
  namesIn,
  podOf,
  uniqueName,
} from './api-fixture.ts';
import type { Answer } from './raw-client.ts';

export function describeLists(fixture: GetFixture): void {
  describe('selecting', () => {
    let space: Namespace;

    beforeAll(async () => {
      space = await fixture().namespace();
      const labelled: Record<string, object> = {
        a: { app: 'web', tier: '1' },
        b: { app: 'web' },
        c: { app: 'db', tier: '2' },
        d: {},
        e: { size: '5', app: '' },
      };
      for (const [name, labels] of Object.entries(labelled)) {
        expectSuccess(await fixture().client.post(space.leases(), { metadata: { name, labels } }), 201);
      }
    });

    const byLabels = (selector: string): Promise<Answer> =>
      fixture().client.get(`${space.leases()}?labelSelector=${encodeURIComponent(selector)}`);

    test.each([
      ['', 'abcde'],
      ['app=web', 'ab'],
      ['app==web', 'ab'],
      ['app!=web', 'cde'],
      ['app in (web, db)', 'abc'],
      ['app notin (web)', 'cde'],
      ['app', 'abce'],
      ['!app', 'd'],
      ['app,tier', 'ac'],
      ['app=web,!tier', 'b'],
      ['tier in (1,2),app=web', 'a'],
      ['app=', 'e'],
      ['app in ()', 'e'],
      ['app in (,web)', 'abe'],
      ['size>3', 'e'],
      ['size<3', ''],
      [' app = web ', 'ab'],
      ['app=web,app=db', ''],
      ['in in (a)', ''],
    ])('by labels "%s" finds "%s"', async (selector, names) => {
      expect(namesIn(await byLabels(selector)).join('')).toBe(names);
    });

    test.each([
      ['=web', "found '=', expected: !, identifier, or 'end of string'"],
      ['app=web=', "found '=', expected: ',' or 'end of string'"],
      ['app web', "unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt"],
      ['!app=web', "found '=', expected: ',' or 'end of string'"],
      ['app,', "found '', expected: identifier after ','"],
      ['app in', "unable to parse requirement: found '' expected: '('"],
      ['app in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
      ['app in (web', "unable to parse requirement: found '', expected: ',' or ')'"],
      ['size>x', /for 'Gt', 'Lt' operators, the value must be an integer$/],
      [
        'app=-',
        /^unable to parse requirement: values\[0\]\[app\]: Invalid value: "-": a valid label must be/,
      ],
      ['-app=x', /^unable to parse requirement: <nil>: Invalid value: "-app": name part must consist of/],
    ])('by labels "%s" answers 400', async (selector, message) => {
      expectFailure(await byLabels(selector), { code: 400, reason: 'BadRequest', message });
      const watch = `${space.leases()}?watch=1&labelSelector=${encodeURIComponent(selector)}`;
      expectFailure(await fixture().client.get(watch), { code: 400, reason: 'BadRequest', message });
    });

    const byFields = (path: string, selector: string): Promise<Answer> =>
      fixture().client.get(`${path}?fieldSelector=${encodeURIComponent(selector)}`);

    test('by fields finds names and namespaces of every kind', async () => {
      expect(namesIn(await byFields(space.leases(), 'metadata.name=a'))).toEqual(['a']);
      expect(namesIn(await byFields(space.leases(), 'metadata.name!=a'))).toHaveLength(4);
      expect(
        namesIn(await byFields(space.leases(), `metadata.namespace==${space.name},metadata.name=b`)),
      ).toEqual(['b']);
      expect(namesIn(await byFields('/api/v1/namespaces', `metadata.name=${space.name}`))).toEqual([
        space.name,
      ]);
    });

    test('by fields finds the pods of a node and of a phase', async () => {
      const { client } = fixture();
      const nodeName = uniqueName('ghost');
      await client.post(space.core('pods'), podOf('on', { nodeName }));
      await client.post(space.core('pods'), podOf('off'));
      const path = space.core('pods');
      expect(namesIn(await byFields(path, `spec.nodeName=${nodeName}`))).toEqual(['on']);
      expect(
        namesIn(await byFields('/api/v1/pods', `spec.nodeName=${nodeName},status.phase!=Failed`)),
      ).toEqual(['on']);
      expect(namesIn(await byFields(path, 'spec.nodeName='))).toEqual(['off']);
      expect(namesIn(await byFields(path, 'status.phase=Running'))).toEqual([]);
    });

    test('by fields finds the Events about something', async () => {
      const { client } = fixture();
      for (const name of ['one', 'two']) {
        const involvedObject = { kind: 'Pod', name, namespace: space.name, uid: `uid-${name}` };
        const event = {
          metadata: { name },
          involvedObject,
          reason: 'Tested',
          type: 'Warning',
          source: { component: 'test' },
        };
        expectSuccess(await client.post(space.core('events'), event), 201);
      }
      expect(
        namesIn(await byFields(space.core('events'), 'involvedObject.name=one,reason=Tested,source=test')),
      ).toEqual(['one']);
      expect(
        namesIn(await byFields(space.core('events'), 'involvedObject.uid=uid-two,type=Warning')),
      ).toEqual(['two']);
    });

    test.each([
      [
        'leases',
        'spec.holderIdentity=x',
        '"spec.holderIdentity" is not a known field selector: only "metadata.name", "metadata.namespace"',
      ],
      ['pods', 'spec.nothing=x', 'field label not supported: spec.nothing'],
      ['nodes', 'metadata.namespace=x', 'field label not supported: metadata.namespace'],
      ['leases', 'metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
      ['leases', 'metadata.name=a=b', 'invalid field selector: unescaped character in value: 61'],
    ])('%s by fields "%s" answers 400', async (plural, selector, message) => {
      const paths: Record<string, string> = {
        leases: space.leases(),
        pods: '/api/v1/pods',
        nodes: '/api/v1/nodes',
      };
      expectFailure(await byFields(paths[plural] ?? '', selector), {
        code: 400,
        reason: 'BadRequest',
        message,
      });
    });

    test('leaves kind and apiVersion to the list', async () => {
      const { body } = await byLabels('app=web');
      expect(body).toMatchObject({
        kind: 'LeaseList',
        apiVersion: 'coordination.k8s.io/v1',
        metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
      });
      expect(Object.keys(body['items']?.[0] ?? {}).sort()).toEqual(['metadata', 'spec']);
    });

    test('finds nothing, rather than an error, in a namespace that does not exist', async () => {
      expect(namesIn(await fixture().client.get('/api/v1/namespaces/no-such-namespace/pods'))).toEqual([]);
    });
  });

  describe('in pages', () => {
    let space: Namespace;

    beforeAll(async () => {
      space = await fixture().namespace();
      for (const name of ['a', 'b', 'c', 'd', 'e'])
        await fixture().client.post(space.leases(), { metadata: { name } });
    });

    const page = (query: string): Promise<Answer> => fixture().client.get(`${space.leases()}?${query}`);
    const tokenOf = ({ body }: Answer): string => encodeURIComponent(body['metadata']?.['continue'] ?? '');

    test('shows the same moment on all of them', async () => {
      const { client } = fixture();
      const first = await page('limit=2');
      expect(namesIn(first)).toEqual(['a', 'b']);
      expect(first.body['metadata']?.['remainingItemCount']).toBe(3);
      await client.delete(space.leases('/c'));
      await client.post(space.leases(), { metadata: { name: 'bb' } });
      const second = await page(`limit=2&continue=${tokenOf(first)}`);
      expect(namesIn(second)).toEqual(['c', 'd']);
      expect(second.body['metadata']).toMatchObject({
        resourceVersion: first.body['metadata']?.['resourceVersion'],
        remainingItemCount: 1,
      });
      const third = await page(`limit=2&continue=${tokenOf(second)}`);
      expect(namesIn(third)).toEqual(['e']);
      expect(Object.keys(third.body['metadata'] ?? {})).toEqual(['resourceVersion']);
      expect(namesIn(await page('limit=0'))).toEqual(['a', 'b', 'bb', 'd', 'e']);
      await client.delete(space.leases('/bb'));
      await client.post(space.leases(), { metadata: { name: 'c' } });
    });

    test('counts what fits a selector, and does not guess how much of it is left', async () => {
      const answer = await page('limit=1&labelSelector=!none');
      expect(namesIn(answer)).toEqual(['a']);
      expect(answer.body['metadata']).toHaveProperty('continue');
      expect(answer.body['metadata']).not.toHaveProperty('remainingItemCount');
    });

    test('ignores the limit when anything at hand will do', async () => {
      // The server's cache may lag a moment behind what was written last.
      await expect
        .poll(async () => namesIn(await page('limit=2&resourceVersion=0')))
        .toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    test('answers 400 to a token that is none', async () => {
      const refused = {
        code: 400,
        reason: 'BadRequest',
        message: /^invalid continue token: continue key is not valid: /,
      };
      for (const token of ['abc', Buffer.from('{"v":"x","rv":1,"start":"a"}').toString('base64url')]) {
        expectFailure(await page(`limit=2&continue=${token}`), refused);
      }
      expectFailure(await page(`limit=2&resourceVersion=5&continue=${tokenOf(await page('limit=2'))}`), {
        code: 400,
        reason: 'BadRequest',
        message: 'specifying resource version is not allowed when using continue',
      });
      expectFailure(await page('limit=x'), {
        code: 400,
        reason: 'BadRequest',
        message: 'strconv.ParseInt: parsing "x": invalid syntax',
      });
    });
  });

  describe('at a resourceVersion', () => {
    const at = (space: Namespace, query: string): Promise<Answer> =>
      fixture().client.get(`${space.leases()}?${query}`);

    test('shows exactly that moment when asked to, and nothing older otherwise', async () => {
      const { client } = fixture();
      const space = await fixture().namespace();
      await client.post(space.leases(), { metadata: { name: 'a' } });
      const version = (await at(space, '')).body['metadata']?.['resourceVersion'];
      await client.post(space.leases(), { metadata: { name: 'b' } });
      expect(namesIn(await at(space, `resourceVersion=${version}&resourceVersionMatch=Exact`))).toEqual([
        'a',
      ]);
      const newest = (await at(space, '')).body['metadata']?.['resourceVersion'];
      expect(namesIn(await at(space, `resourceVersion=${newest}`))).toEqual(['a', 'b']);
      expect(namesIn(await at(space, `resourceVersion=${newest}&resourceVersionMatch=NotOlderThan`))).toEqual(
        ['a', 'b'],
      );
    });

    test('that is still to come answers 504, after some seconds, with a time to come back', async () => {
      const space = await fixture().namespace();
      const answer = await at(space, 'resourceVersion=99999999');
      expectFailure(answer, {
        code: 504,
        reason: 'Timeout',
        message: /^Timeout: Too large resource version: 99999999, current: \d+$/,
        details: {
          causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
          retryAfterSeconds: 1,
        },
      });
      expect(answer.headers['retry-after']).toBe('1');
    });

    test.each([
      [
        'resourceVersion=abc',
        400,
        'BadRequest',
        /^invalid resource version: resourceVersion: Invalid value: "abc"/,
      ],
      [
        'resourceVersionMatch=Exact',
        422,
        'Invalid',
        /resourceVersionMatch is forbidden unless resourceVersion is provided$/,
      ],
      ['resourceVersion=1&resourceVersionMatch=Roughly', 422, 'Invalid', /Unsupported value: "Roughly"/],
      [
        'resourceVersion=0&resourceVersionMatch=Exact',
        422,
        'Invalid',
        /resourceVersionMatch "exact" is forbidden for resourceVersion "0"$/,
      ],
    ])('%s answers %i', async (query, code, reason, message) => {
      const space = await fixture().namespace();
      expectFailure(await at(space, query), { code, reason, message });
    });
  });
}
