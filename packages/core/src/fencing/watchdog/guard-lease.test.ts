// A guard's Lease on the wire, and what can be read back from it.
import { expect, test } from 'vitest';
import { answer, statusBody } from '../../testing/scripted-server.ts';
import { connectTo, failureOf, serve } from '../../testing/wire.ts';
import { guardOffAnnotation } from './bound.ts';
import { claimAnnotations, claimOf, type GuardClaim } from './guard-claim.ts';
import { createGuardLeaseStore } from './guard-lease.ts';

const claim: GuardClaim = {
  node: 'node-1',
  state: 'armed',
  bootId: 'boot-1',
  device: 'watchdog0 (iTCO_wdt)',
  grantMs: 20_000,
  timeoutMs: 10_000,
};
const seen = { uid: 'u', resourceVersion: '7' };
const limits = { timeoutMs: 5_000, signal: new AbortController().signal };

interface Heard {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly body: { readonly metadata: object; readonly spec: { readonly renewTime: string } };
}

async function storeThatHears(status: number, body: unknown) {
  const heard: Heard[] = [];
  const server = await serve((request, response) => {
    heard.push({ method: request.method, url: request.url, body: JSON.parse(request.body || '{}') });
    answer(response, status, body);
  });
  const transport = connectTo(server.kubeConfig());
  const store = createGuardLeaseStore({ transport, namespace: 'guards', node: 'node-1', identity: 'pod-1' });
  return { store, heard };
}

const lease = { metadata: { uid: 'u', resourceVersion: '8', annotations: { [guardOffAnnotation]: 'why' } } };

test('a renewal is conditional, says everything, and never says the same twice', async () => {
  const { store, heard } = await storeThatHears(200, lease);
  expect(await store.write(seen, claim, limits)).toEqual({
    outcome: 'written',
    snapshot: { uid: 'u', resourceVersion: '8', off: 'why' },
  });
  await store.write(seen, claim, limits);
  const [first, second] = heard;
  expect(first).toMatchObject({
    method: 'PATCH',
    url: '/apis/coordination.k8s.io/v1/namespaces/guards/leases/liberator-guard-node-1',
    body: {
      metadata: { uid: 'u', resourceVersion: '7', annotations: claimAnnotations(claim) },
      spec: { holderIdentity: 'pod-1', leaseDurationSeconds: 20 },
    },
  });
  expect(first?.body.spec.renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  expect(second?.body.spec.renewTime).not.toBe(first?.body.spec.renewTime);
});

test('a Lease that is not there is created with its name and its label', async () => {
  const { store, heard } = await storeThatHears(201, lease);
  await store.write(undefined, claim, limits);
  expect(heard).toMatchObject([
    {
      method: 'POST',
      body: {
        kind: 'Lease',
        metadata: {
          namespace: 'guards',
          name: 'liberator-guard-node-1',
          labels: { 'liberator.dev/watchdog-guard': 'true' },
        },
      },
    },
  ]);
});

test.each([
  [undefined, 409, 'AlreadyExists'],
  [seen, 409, 'Conflict'],
  [seen, 404, 'NotFound'],
] as const)('with %o seen, a %i %s means that somebody else was faster', async (before, status, reason) => {
  const { store } = await storeThatHears(status, statusBody(status, reason));
  expect(await store.write(before, claim, limits)).toEqual({ outcome: 'conflict' });
});

test('a namespace that is not there, and a refusal, are said aloud', async () => {
  const away = await storeThatHears(404, statusBody(404, 'NotFound'));
  expect(await failureOf(away.store.write(undefined, claim, limits))).toMatchObject({ status: 404 });
  expect(await away.store.read(limits)).toBeUndefined();
  const refused = await storeThatHears(403, statusBody(403, 'Forbidden'));
  expect(await failureOf(refused.store.write(seen, claim, limits))).toMatchObject({ status: 403 });
  expect(await failureOf(refused.store.read(limits))).toMatchObject({ status: 403 });
});

test('what a guard claims can be read back, and nothing else can', () => {
  const annotations = claimAnnotations(claim);
  const read = (change: Readonly<Record<string, unknown>>) =>
    claimOf({
      metadata: {
        name: 'x',
        uid: 'u',
        resourceVersion: '1',
        annotations: { ...annotations, ...change },
      } as never,
    });
  expect(read({})).toEqual(claim);
  for (const name of ['node', 'state', 'boot-id', 'grant-ms', 'timeout-ms']) {
    for (const bad of ['', undefined, null, 7, {}])
      expect(read({ [`guard.liberator.dev/${name}`]: bad })).toBeUndefined();
  }
  for (const bad of ['1e3', '-5000', '0x1000', '999', '3600001', '20000.5', ' 20000']) {
    expect(read({ 'guard.liberator.dev/timeout-ms': bad })).toBeUndefined();
  }
  expect(claimOf({ metadata: { name: 'x', uid: 'u', resourceVersion: '1' } })).toBeUndefined();
});
