// The API server itself refuses a leader that no longer is one: played by a client that skips every check of ours.
import { ApiException, KubernetesObjectApi } from '@kubernetes/client-node';
import { epochAnnotation, loadKubeConfig, outOfServiceTaint } from '@liberator/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ControlPlane } from '../control-plane/cluster.ts';
import { account, create, installationWithoutPods } from './installation.ts';
import { pause } from './stage.ts';
import { noteUsage } from './usage.ts';

let cluster: ControlPlane;
let admin: KubernetesObjectApi;
/** Acts with the agent's own token, and believes whatever it likes about who leads. */
let agent: KubernetesObjectApi;

beforeAll(async () => {
  cluster = await ControlPlane.start({ nodes: 2 });
  admin = KubernetesObjectApi.makeApiClient(loadKubeConfig({ path: cluster.kubeconfigPath }));
  await create(cluster, installationWithoutPods());
  await admin.create(lease(7));
  agent = KubernetesObjectApi.makeApiClient(
    loadKubeConfig({ path: await cluster.serviceAccountKubeconfig(account) }),
  );
  await untilEnforced();
});

afterAll(async () => {
  if (cluster !== undefined) await noteUsage(cluster, { provoked: true });
  await cluster?.stop();
});

it('refuses the out-of-service taint, and any stamp, of an epoch that is over', async () => {
  expect(await outcomeOf(taintedBy(agent, 'node-1', '6'))).toMatch(
    /out-of-service taint may be set in epoch 7 only/,
  );
  expect(await outcomeOf(stampedBy(agent, 'node-1', '6'))).toMatch(/may be stamped with epoch 7 only/);
});

it('lets the leader of the epoch taint and stamp', async () => {
  expect(await outcomeOf(taintedBy(agent, 'node-1', '7'))).toBe('done');
});

it('refuses to delete a Node that bears no stamp', async () => {
  expect(await outcomeOf(deletedBy(agent, 'node-2'))).toMatch(/may be deleted in epoch 7 only/);
});

it('refuses the leader that was paused: its Node bears its epoch, and the Lease has moved on', async () => {
  await admin.patch(lease(8));
  // The server learns of the Lease through a watch of its own.
  await vi.waitFor(async () =>
    expect(await outcomeOf(deletedBy(agent, 'node-1'))).toMatch(/in epoch 8 only/),
  );
});

it('lets the new leader delete it, once it bears the new epoch', async () => {
  expect(await outcomeOf(stampedBy(agent, 'node-1', '8'))).toBe('done');
  expect(await outcomeOf(deletedBy(agent, 'node-1'))).toBe('done');
});

it('leaves everybody else alone', async () => {
  expect(await outcomeOf(taintedBy(admin, 'node-2', 'none'))).toBe('done');
});

it("stands in nobody's way, least of all in Kubernetes' own, when there is no election Lease", async () => {
  await admin.delete(lease(8));
  // Long enough for the server to have learned of it.
  await pause(3_000);
  expect(await outcomeOf(patchNode(admin, 'node-2', null, { spec: { taints: [] } }))).toBe('done');
});

type Created = Parameters<KubernetesObjectApi['create']>[0];

function lease(leaseTransitions: number): Created {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'tkr-system', name: 'liberator' },
    spec: { holderIdentity: 'somebody', leaseDurationSeconds: 15, leaseTransitions },
  } as Created;
}

function taintedBy(client: KubernetesObjectApi, name: string, epoch: string): Promise<unknown> {
  return patchNode(client, name, epoch, { spec: { taints: [outOfServiceTaint] } });
}

function stampedBy(client: KubernetesObjectApi, name: string, epoch: string | null): Promise<unknown> {
  return patchNode(client, name, epoch, {});
}

function patchNode(
  client: KubernetesObjectApi,
  name: string,
  epoch: string | null,
  more: object,
): Promise<unknown> {
  const metadata = { name, annotations: { [epochAnnotation]: epoch } };
  return client.patch({ apiVersion: 'v1', kind: 'Node', metadata, ...more } as unknown as Created);
}

function deletedBy(client: KubernetesObjectApi, name: string): Promise<unknown> {
  return client.delete({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
}

/** `done`, or what the server said. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (error instanceof ApiException) return String(error.body);
    throw error;
  }
}

/** A policy takes effect some seconds after it was created; until then anything goes, so only a harmless write is tried. */
async function untilEnforced(): Promise<void> {
  let attempt = 0;
  await vi.waitFor(
    async () => expect(await outcomeOf(stampedBy(agent, 'node-2', `stale-${attempt++}`))).not.toBe('done'),
    { timeout: 60_000, interval: 500 },
  );
  await stampedBy(admin, 'node-2', null);
}
