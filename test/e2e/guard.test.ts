// The API server itself keeps a guard to its own Lease: played by a client with the token of a guard's pod, which writes what it likes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubernetesObjectApi } from '@kubernetes/client-node';
import {
  createGuardLeaseStore,
  createReader,
  createTransport,
  type GuardClaim,
  guardLeaseName,
  type Lease,
  leases,
  loadKubeConfig,
} from '@liberator/core';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ControlPlane } from '../control-plane/cluster.ts';
import { type Manifest, parseManifests, renderChart } from '../deploy/chart.ts';
import { findTools } from '../deploy/tools.ts';
import { account, create } from './installation.ts';

const namespace = 'liberator-guards';
const guard = { namespace, name: 'liberator-guard' } as const;

let cluster: ControlPlane;
let admin: KubernetesObjectApi;
/** With the token of a guard's pod on node-1, and with one that is no pod's. */
let onNode1: string;
let ofNobody: string;

beforeAll(async () => {
  const tools = await findTools();
  const folder = mkdtempSync(join(tmpdir(), 'liberator-values-'));
  const values = join(folder, 'values.yaml');
  writeFileSync(values, JSON.stringify({ guard: { enabled: true, nodeSelector: { watchdog: 'present' } } }));
  const rendered = await renderChart({ set: { createNamespace: 'true' }, valueFiles: [values], tools });
  rmSync(folder, { recursive: true });
  cluster = await ControlPlane.start({ nodes: 2 });
  admin = KubernetesObjectApi.makeApiClient(loadKubeConfig({ path: cluster.kubeconfigPath }));
  // No node has the label, so no pod of the DaemonSet comes; the Deployment's are not wanted here.
  await create(
    cluster,
    parseManifests(rendered).map((one) => (one.kind === 'Deployment' ? withoutPods(one) : one)),
  );
  const pod = await admin.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'guard-1', namespace },
    spec: {
      serviceAccountName: guard.name,
      automountServiceAccountToken: false,
      nodeName: 'node-1',
      containers: [{ name: 'guard', image: 'guard' }],
    },
  } as Parameters<KubernetesObjectApi['create']>[0]);
  onNode1 = await cluster.serviceAccountKubeconfig({
    ...guard,
    pod: { name: 'guard-1', uid: pod.metadata?.uid ?? '' },
  });
  ofNobody = await cluster.serviceAccountKubeconfig(guard);
  // A policy takes effect some seconds after it was created.
  await vi.waitFor(async () => expect(await outcomeOf(ofNobody, 'probe')).not.toBe('written'), {
    timeout: 60_000,
    interval: 500,
  });
});

afterAll(async () => {
  await cluster?.stop();
});

it('lets a guard write the Lease of the node that its pod runs on, again and again', async () => {
  expect(await outcomeOf(onNode1, 'node-1')).toBe('written');
  expect(await outcomeOf(onNode1, 'node-1')).toBe('written');
});

it('refuses it that of another node, and its own about another node', async () => {
  expect(await outcomeOf(onNode1, 'node-2')).toMatch(/a guard on node "node-1" may write the Lease/);
  expect(await outcomeOf(onNode1, 'node-1', 'node-2')).toMatch(/found liberator-guard-node-1 about "node-2"/);
});

it('refuses a token that is no pod’s', async () => {
  expect(await outcomeOf(ofNobody, 'node-1')).toMatch(/a guard on node "" may write/);
});

it('lets it reach nothing else, and lets the leader read', async () => {
  await expect(read(onNode1, 'tkr-system', 'liberator')).rejects.toThrow(/forbidden/i);
  const lease = await read(
    await cluster.serviceAccountKubeconfig(account),
    namespace,
    guardLeaseName('node-1'),
  );
  expect(lease.metadata.annotations).toMatchObject({ 'guard.liberator.dev/state': 'armed' });
  await expect(outcomeOf(await cluster.serviceAccountKubeconfig(account), 'node-1')).resolves.toMatch(
    /forbidden/i,
  );
});

function withoutPods(manifest: Manifest): Manifest {
  return { ...manifest, spec: { ...(manifest['spec'] as object), replicas: 0 } };
}

/** `written`, or what the server said. */
async function outcomeOf(kubeconfig: string, node: string, about: string = node): Promise<string> {
  const transport = createTransport(loadKubeConfig({ path: kubeconfig }));
  try {
    const store = createGuardLeaseStore({ transport, namespace, node, identity: 'test' });
    const limits = { timeoutMs: 10_000, signal: new AbortController().signal };
    const claim: GuardClaim = {
      node: about,
      state: 'armed',
      bootId: 'boot-1',
      device: 'watchdog0',
      grantMs: 30_000,
      timeoutMs: 10_000,
    };
    const result = await store.write(await store.read(limits), claim, limits);
    return result.outcome;
  } catch (error) {
    return String(error);
  } finally {
    await transport.close();
  }
}

async function read(kubeconfig: string, where: string, name: string): Promise<Lease> {
  const transport = createTransport(loadKubeConfig({ path: kubeconfig }));
  try {
    return await createReader({ transport }).get(leases, { namespace: where, name });
  } finally {
    await transport.close();
  }
}
