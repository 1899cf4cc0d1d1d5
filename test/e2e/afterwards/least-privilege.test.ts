// When every scenario has been played: the account may do all that it did, and did all that it may.
import { expect, it } from 'vitest';
import { grantsOf, unusedGrants } from '../../deploy/least-privilege.ts';
import { installation } from '../installation.ts';
import { readUsage, usageFolder } from '../usage.ts';

if (usageFolder === undefined) throw new Error('expected LIBERATOR_E2E_USAGE, found nothing');
const uses = readUsage(usageFolder);
const grants = grantsOf(installation());

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
