// When every scenario has been played: the account may do all that it did, and did all that it may.
import { existsSync, rmSync } from 'node:fs';
import { afterAll, expect, it } from 'vitest';
import { grantsOf, unusedGrants } from '../../deploy/least-privilege.ts';
import { installation } from '../installation.ts';
import { readUsage, usageFolder } from '../usage.ts';

if (usageFolder === undefined || !existsSync(usageFolder)) {
  throw new Error('expected scenarios to have been played in this run, found none: add --project e2e');
}
const folder = usageFolder;
const uses = readUsage(folder);
const grants = grantsOf(installation());

afterAll(() => rmSync(folder, { recursive: true }));

it('every verb on every resource that the roles grant was used', () => {
  expect(grants.length).toBeGreaterThan(20);
  expect(unusedGrants(grants, uses)).toEqual([]);
});

it('nothing was forbidden', () => {
  expect(uses.filter(({ refusedBy }) => refusedBy !== undefined)).toEqual([]);
});

it('one verb more would have been found', () => {
  const [grant] = grants;
  if (grant === undefined) throw new Error('expected a grant, found none');
  const more = { ...grant, verb: 'deletecollection' };
  expect(unusedGrants([more], uses)).toEqual([more]);
});
