// Installs the agent as people do, from the manifests that come with it, and as strictly as the API server can.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport, loadKubeConfig, type Transport } from '@liberator/core';
import type { ControlPlane } from '../control-plane/cluster.ts';
import { type Manifest, parseManifests } from '../deploy/chart.ts';
import { deployFolder } from '../deploy/manifests.ts';

/** The account that the manifests create, and that agents run under. */
export const account = { namespace: 'tkr-system', name: 'high-availability' } as const;

export const accountUser: string = `system:serviceaccount:${account.namespace}:${account.name}`;

/** All of install.yaml. */
export function installation(): readonly Manifest[] {
  return parseManifests(readFileSync(join(deployFolder, 'install.yaml'), 'utf8'));
}

/** The same, for tests whose agents are processes beside the cluster: the Deployment is there, and asks for no pod. */
export function installationWithoutPods(): readonly Manifest[] {
  return installation().map((manifest) =>
    manifest.kind === 'Deployment'
      ? { ...manifest, spec: { ...(manifest['spec'] as object), replicas: 0 } }
      : manifest,
  );
}

/**
 * Creates each of them, one after the other. A field that Kubernetes does not know is an error.
 *
 * @throws Error with what the API server says
 */
export async function create(cluster: ControlPlane, manifests: readonly Manifest[]): Promise<void> {
  const transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
  try {
    for (const manifest of manifests) {
      const path = `${await collectionPath(transport, manifest)}?fieldValidation=Strict`;
      const { status, text } = await send(transport, 'POST', path, manifest);
      if (status !== 201) throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${status} ${text}`);
    }
  } finally {
    await transport.close();
  }
}

async function collectionPath(
  transport: Transport,
  { apiVersion, kind, metadata }: Manifest,
): Promise<string> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { text } = await send(transport, 'GET', base);
  const { resources = [] } = JSON.parse(text) as {
    resources?: { name: string; kind: string; namespaced: boolean }[];
  };
  const resource = resources.find((one) => one.kind === kind && !one.name.includes('/'));
  if (resource === undefined) throw new Error(`the API server knows no ${kind} of ${apiVersion}`);
  if (!resource.namespaced) return `${base}/${resource.name}`;
  return `${base}/namespaces/${metadata.namespace ?? 'default'}/${resource.name}`;
}

async function send(
  transport: Transport,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  const answer = await transport.send({
    method,
    path,
    signal: AbortSignal.timeout(10_000),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { status: answer.status, text: Buffer.concat(chunks).toString('utf8') };
}
