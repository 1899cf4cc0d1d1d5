import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apiVersionOf, leases, nodes, pods, resourcePath, type Verb } from './resources.ts';

describe('resourcePath', () => {
  test.each([
    ['list', { resource: nodes }, '/api/v1/nodes'],
    ['get', { resource: nodes, name: 'node-1' }, '/api/v1/nodes/node-1'],
    ['list', { resource: pods }, '/api/v1/pods'],
    ['list', { resource: pods, namespace: 'shop' }, '/api/v1/namespaces/shop/pods'],
    [
      'create',
      { resource: leases, namespace: 'kube-system' },
      '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
    ],
    [
      'create',
      { resource: pods, namespace: 'shop', name: 'web-0', subresource: 'eviction' },
      '/api/v1/namespaces/shop/pods/web-0/eviction',
    ],
  ] as const)('addresses a %s of %o', (verb, address, path) => {
    expect(resourcePath(verb, address)).toBe(path);
  });

  test('encodes names and queries', () => {
    expect(resourcePath('get', { resource: nodes, name: 'a b?c#d' })).toBe('/api/v1/nodes/a%20b%3Fc%23d');
    const query = { fieldSelector: 'spec.nodeName=a&b', limit: 100, watch: true, continue: undefined };
    expect(resourcePath('list', { resource: pods }, query)).toBe(
      '/api/v1/pods?fieldSelector=spec.nodeName%3Da%26b&limit=100&watch=true',
    );
  });

  test.each(['get', 'update', 'patch', 'delete'] as const)(
    'refuses to %s without a name: that would mean the whole collection',
    (verb) => {
      expect(() => resourcePath(verb, { resource: nodes })).toThrow(
        `to ${verb} nodes, the name of one object`,
      );
      expect(() => resourcePath(verb, { resource: nodes, name: '' })).toThrow(
        'expected a name that is not empty',
      );
    },
  );

  test('refuses a namespace where none belongs, and its absence where one does', () => {
    expect(() => resourcePath('list', { resource: nodes, namespace: 'shop' })).toThrow(
      'belong to no namespace',
    );
    expect(() => resourcePath('get', { resource: pods, name: 'web-0' })).toThrow('its namespace is needed');
    expect(() => resourcePath('create', { resource: pods })).toThrow('its namespace is needed');
    expect(() => resourcePath('list', { resource: pods, namespace: '' })).toThrow('expected a namespace');
    expect(() =>
      resourcePath('create', { resource: pods, namespace: 'shop', subresource: 'eviction' }),
    ).toThrow('its name is needed');
  });

  test('a name never changes which object of which collection is addressed', () => {
    const awkward = fc.constantFrom(...'aZ9-./%?#&=+:@\\ \t\n\u0000ü🚀', '\ud800');
    const verbs: Verb[] = ['get', 'update', 'patch', 'delete'];
    fc.assert(
      fc.property(fc.constantFrom(...verbs), fc.string({ unit: awkward }), (verb, name) => {
        let path: string;
        try {
          path = resourcePath(verb, { resource: nodes, name });
        } catch {
          return;
        }
        const { pathname, search, hash } = new URL(path, 'https://api.example');
        expect(pathname.split('/').slice(0, 4)).toEqual(['', 'api', 'v1', 'nodes']);
        expect(pathname.split('/')).toHaveLength(5);
        expect(decodeURIComponent(pathname.split('/')[4] ?? '')).toBe(name);
        expect(search + hash).toBe('');
      }),
    );
  });
});

test('apiVersionOf is what the objects themselves carry', () => {
  expect(apiVersionOf(nodes)).toBe('v1');
  expect(apiVersionOf(leases)).toBe('coordination.k8s.io/v1');
});
