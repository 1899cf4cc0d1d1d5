// The judge of least privilege must be able to find somebody guilty.
import { describe, expect, it } from 'vitest';
import { grantsOf, type Use, unusedGrants } from './least-privilege.ts';

const use = (verb: string, resource: string, more: Partial<Use> = {}): Use => ({
  verb,
  resource,
  group: '',
  namespace: '',
  name: '',
  ...more,
});

const role = (rules: object[], namespace?: string): Parameters<typeof grantsOf>[0][number] => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: namespace === undefined ? 'ClusterRole' : 'Role',
  metadata: { name: 'r', ...(namespace !== undefined && { namespace }) },
  rules,
});

const verbsOf = (grants: ReturnType<typeof unusedGrants>): readonly string[] =>
  grants.map(({ role: from, verb, resource, name }) =>
    [from, verb, resource, name].filter(Boolean).join(' '),
  );

describe('a grant', () => {
  it('that was used is none too many, and every other one is', () => {
    const grants = grantsOf([
      role([{ apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list'] }]),
    ]);
    const uses = [use('get', 'nodes', { name: 'node-1' }), use('list', 'pods', { namespace: 'default' })];
    expect(verbsOf(unusedGrants(grants, uses))).toEqual([
      'ClusterRole r list nodes',
      'ClusterRole r get pods',
    ]);
  });

  it('in one namespace is not used by what happens in another', () => {
    const grants = grantsOf([
      role([{ apiGroups: [''], resources: ['events'], verbs: ['create'] }], 'default'),
    ]);
    expect(unusedGrants(grants, [use('create', 'events', { namespace: 'apps' })])).toHaveLength(1);
    expect(unusedGrants(grants, [use('create', 'events', { namespace: 'default' })])).toEqual([]);
  });

  it('of one object is not used by what happens to another', () => {
    const rule = { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get'] };
    const grants = grantsOf([role([rule])]);
    expect(verbsOf(unusedGrants(grants, [use('get', 'secrets', { name: 'a' })]))).toEqual([
      'ClusterRole r get secrets b',
    ]);
  });

  it('is not used by what was refused, nor by the same name in another API group', () => {
    const grants = grantsOf([role([{ apiGroups: [''], resources: ['events'], verbs: ['create'] }])]);
    const refused = use('create', 'events', { refusedBy: 'admission' });
    const other = use('create', 'events', { group: 'events.k8s.io' });
    expect(unusedGrants(grants, [refused, other])).toHaveLength(1);
  });
});
