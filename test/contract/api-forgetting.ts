// What a server answers to those who ask for a past that it has forgotten.
import { beforeAll, describe, expect, test } from 'vitest';
import { expectFailure, type GetFixture, type Namespace, namesIn } from './api-fixture.ts';

export function describeForgetting(fixture: GetFixture): void {
  describe('once the past is forgotten', () => {
    let space: Namespace;
    let version: string;
    let token: string;

    beforeAll(async () => {
      const { client, target } = fixture();
      space = await fixture().namespace();
      for (const name of ['a', 'b', 'c']) await client.post(space.leases(), { metadata: { name } });
      const { metadata } = (await client.get(`${space.leases()}?limit=1`)).body;
      version = String(metadata?.['resourceVersion']);
      token = String(metadata?.['continue']);
      await client.delete(space.leases('/b'));
      await target.forgetHistory();
    }, 120_000);

    test('a watch from then answers 200, says 410 Expired in the stream, and ends', async () => {
      const watch = await fixture().client.watch(`${space.leases()}?watch=true&resourceVersion=${version}`);
      const line = await watch.next(({ type }) => type === 'ERROR');
      expect(watch.status).toBe(200);
      expect(line.object).toEqual({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: expect.stringMatching(new RegExp(`^too old resource version: ${version} \\(\\d+\\)$`)),
        reason: 'Expired',
        code: 410,
      });
      await watch.ended;
    });

    test('the next page answers 410, with a token that goes on with the present', async () => {
      const { client } = fixture();
      const expired = await client.get(`${space.leases()}?limit=2&continue=${encodeURIComponent(token)}`);
      expect(expired.status).toBe(410);
      expect(expired.body).toMatchObject({
        kind: 'Status',
        status: 'Failure',
        message: expect.stringMatching(
          /^The provided continue parameter is too old to display a consistent list result\./,
        ),
        reason: 'Expired',
        code: 410,
      });
      const rest = encodeURIComponent(String(expired.body['metadata']?.['continue']));
      expect(namesIn(await client.get(`${space.leases()}?limit=2&continue=${rest}`))).toEqual(['c']);
    });

    test('a list of exactly then answers 410', async () => {
      const query = `resourceVersion=${version}&resourceVersionMatch=Exact`;
      expectFailure(await fixture().client.get(`${space.leases()}?${query}`), {
        code: 410,
        reason: 'Expired',
        message: 'The resourceVersion for the provided list is too old.',
      });
    });
  });
}
