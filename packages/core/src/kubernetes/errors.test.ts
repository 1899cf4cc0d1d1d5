import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isNotFound,
  isTooManyRequests,
  isUnauthorized,
  KubernetesError,
  RequestAbortedError,
  RequestTimeoutError,
} from './errors.ts';
import { nodes, pods } from './resources.ts';

const eviction = {
  verb: 'create',
  resource: pods,
  namespace: 'shop',
  name: 'web-0',
  subresource: 'eviction',
} as const;

describe('KubernetesError', () => {
  test('names the verb, the resource, the object and what the server said', () => {
    const error = new KubernetesError(
      { verb: 'delete', resource: pods, namespace: 'shop', name: 'web-0' },
      { status: 409, body: { reason: 'Conflict', message: 'the uid\n does not match' } },
    );
    expect(error.message).toBe(
      'could not delete pods web-0 in namespace shop: the API server answered 409 Conflict: the uid does not match',
    );
    expect(error).toMatchObject({ code: 'LIBERATOR_API_ERROR', status: 409, reason: 'Conflict' });
  });

  test('says for a 403 which permission to grant, and where', () => {
    const inNamespace = new KubernetesError(eviction, {
      status: 403,
      body: {
        reason: 'Forbidden',
        message:
          'pods "web-0" is forbidden: User "eve" cannot create resource "pods/eviction" in API group "" in the namespace "shop"',
      },
    });
    expect(inNamespace.message).toBe(
      'not allowed to create pods/eviction web-0 in namespace shop: grant this identity the verb "create" on resource ' +
        '"pods/eviction" of the core API group in namespace shop (the server said: pods "web-0" is forbidden: ' +
        'User "eve" cannot create resource "pods/eviction" in API group "" in the namespace "shop")',
    );
    const atClusterScope = new KubernetesError(
      { verb: 'list', resource: nodes },
      {
        status: 403,
        body: {
          reason: 'Forbidden',
          message:
            'nodes is forbidden: User "eve" cannot list resource "nodes" in API group "" at the cluster scope',
        },
      },
    );
    expect(atClusterScope.message).toContain(
      'not allowed to list nodes: grant this identity the verb "list" on resource "nodes" of the core API group ' +
        'at the cluster scope',
    );
    expect([inNamespace, atClusterScope].map(({ lacksPermission }) => lacksPermission)).toEqual([true, true]);
  });

  test.each([
    'configmaps "liberator-takeover-1" is forbidden: exceeded quota: few, requested: count/configmaps=1, used: count/configmaps=5, limited: count/configmaps=5',
    'admission webhook "guard.example.com" denied the request: not at night',
    "nodes \"node-1\" is forbidden: ValidatingAdmissionPolicy 'frozen' with binding 'all' denied request: change freeze, you cannot delete nodes",
    'pods "x" is forbidden: unable to create new content in namespace shop because it is being terminated',
  ])('keeps the words of whoever else refuses, and blames no role: %s', (message) => {
    const call = { verb: 'create', resource: pods, namespace: 'shop' } as const;
    const error = new KubernetesError(call, { status: 403, body: { reason: 'Forbidden', message } });
    expect(error.message).toBe(
      `could not create pods in namespace shop: the API server answered 403 Forbidden: ${message}`,
    );
    expect(error.lacksPermission).toBe(false);
  });

  test('blames no role for a 403 that nobody explains, as a proxy gives it', () => {
    const error = new KubernetesError({ verb: 'list', resource: nodes }, { status: 403 });
    expect(error.message).toBe('could not list nodes: the API server answered 403');
  });

  test('says for a 401 that the credentials are at fault', () => {
    const error = new KubernetesError({ verb: 'list', resource: nodes }, { status: 401 });
    expect(error.message).toContain('did not accept the credentials (401)');
  });

  test('says for the 404 of a whole collection that the server does not serve it', () => {
    const error = new KubernetesError({ verb: 'list', resource: nodes }, { status: 404 });
    expect(error.message).toContain('does not serve nodes of v1');
  });

  test('takes the time to wait from the header, or else from the body', () => {
    const body = { details: { retryAfterSeconds: 7 } };
    expect(new KubernetesError(eviction, { status: 429, body }).retryAfterMs).toBe(7000);
    expect(new KubernetesError(eviction, { status: 429, body, retryAfterMs: 2000 }).retryAfterMs).toBe(2000);
    expect(new KubernetesError(eviction, { status: 429 }).retryAfterMs).toBeUndefined();
  });

  test('quotes no more of the server than a message can bear', () => {
    const error = new KubernetesError(eviction, { status: 500, body: { message: 'x'.repeat(100_000) } });
    expect(error.message.length).toBeLessThan(1000);
    expect(inspect(error).length).toBeLessThan(5000);
  });
});

describe('the helpers', () => {
  const failed = (status: number, reason = ''): KubernetesError =>
    new KubernetesError(eviction, { status, body: { reason } });

  test.each([
    ['isUnauthorized', isUnauthorized, 401],
    ['isForbidden', isForbidden, 403],
    ['isNotFound', isNotFound, 404],
    ['isConflict', isConflict, 409],
    ['isGone', isGone, 410],
    ['isTooManyRequests', isTooManyRequests, 429],
  ] as const)('%s is true for its own status only', (_name, helper, status) => {
    for (const other of [400, 401, 403, 404, 409, 410, 429, 500]) {
      expect(helper(failed(other))).toBe(other === status);
    }
    expect(helper({ status })).toBe(false);
    expect(helper(undefined)).toBe(false);
  });

  test('tells a name that is taken from an object that changed', () => {
    expect(isAlreadyExists(failed(409, 'AlreadyExists'))).toBe(true);
    expect(isConflict(failed(409, 'AlreadyExists'))).toBe(false);
    expect(isAlreadyExists(failed(409, 'Conflict'))).toBe(false);
    expect(isConflict(failed(409, 'Conflict'))).toBe(true);
  });
});

test('a timeout says which limit ran out and whether the request may have been applied', () => {
  const error = new RequestTimeoutError(eviction, 'head', 5000, true);
  expect(error.message).toBe(
    'could not create pods/eviction web-0 in namespace shop: no answer within 5000 ms',
  );
  expect(error).toMatchObject({ code: 'LIBERATOR_TIMEOUT', phase: 'head', timeoutMs: 5000, sent: true });
  expect(new RequestTimeoutError(eviction, 'total', 5000, false).message).toContain('was never sent');
});

test('an aborted call keeps the reason as its cause', () => {
  const reason = new Error('the term is over');
  const error = new RequestAbortedError(eviction, false, reason);
  expect(error).toMatchObject({ code: 'LIBERATOR_ABORTED', sent: false, cause: reason });
});
