// Brings a cluster up, part by part, and says how it goes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planNodes } from './addresses.ts';
import { callApi } from './api-client.ts';
import { AUDIT_POLICY } from './audit-policy.ts';
import {
  type ClusterRecord,
  prepareDirectory,
  prepareRuntimeDirectory,
  writeRecord,
} from './cluster-directory.ts';
import type { ClusterShape } from './components.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import {
  kubeconfigText,
  planCertificates,
  readCredentials,
  signCertificates,
  writeKubeconfig,
  writeServiceAccountKeys,
} from './credentials.ts';
import { createBridge } from './network.ts';
import { readyStatus } from './node-readiness.ts';
import { ClusterNode } from './nodes.ts';
import { findPrograms } from './programs.ts';
import { waitUntil } from './readiness.ts';
import type { ClusterTimings } from './timings.ts';

/** One line to show to whoever waits. */
export interface StartProgress {
  readonly part: string;
  readonly detail: string;
  readonly elapsedMs: number;
}

/** Everything that is settled before anything starts. */
export interface StartRequest {
  readonly dir: string;
  readonly name: string;
  readonly nodes: number;
  readonly zones: readonly string[];
  readonly timings: ClusterTimings;
  readonly owner: ClusterRecord['owner'];
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: StartProgress) => void) | undefined;
}

/** Leaves the mess to the caller when it fails: `removeCluster` cleans up after any of its steps. */
export async function startCluster(request: StartRequest): Promise<ClusterRecord> {
  const { dir, name, zones, timings, owner, signal, onProgress } = request;
  const startedAt = performance.now();
  const report = (part: string, detail: string): void => {
    onProgress?.({ part, detail, elapsedMs: performance.now() - startedAt });
  };

  const programs = await findPrograms({
    signal,
    onProgress: ({ program, detail }) => {
      report(program, detail);
    },
  });
  signal?.throwIfAborted();
  prepareDirectory(dir);
  prepareRuntimeDirectory(dir);

  const addresses = createBridge(dir);
  const record: ClusterRecord = {
    name,
    phase: 'starting',
    slot: addresses.slot,
    nodes: request.nodes,
    zones,
    timings,
    programs,
    ...(owner === undefined ? {} : { owner }),
  };
  writeRecord(dir, record);
  report('network', `bridge ${addresses.bridge}, ${addresses.subnet}`);

  const shape: ClusterShape = { addresses, timings, dir };
  const nodeAddresses = planNodes(addresses.slot, record.nodes);
  const pki = join(dir, 'pki');
  const certificates = planCertificates(addresses, nodeAddresses);
  await signCertificates(programs.certificates, pki, certificates);
  writeServiceAccountKeys(pki);
  writeFileSync(join(dir, 'audit-policy.json'), JSON.stringify(AUDIT_POLICY));
  const writeFor = (user: string, file: string): void => {
    const { ca, cert, key } = readCredentials(pki, user);
    writeKubeconfig(join(dir, file), kubeconfigText(addresses.apiServerUrl, ca, { cert, key }));
  };
  for (const user of [
    'kube-controller-manager',
    'kube-scheduler',
    ...nodeAddresses.map((node) => node.name),
  ]) {
    writeFor(user, `${user}.kubeconfig`);
  }
  writeFor('admin', 'kubeconfig');
  report('certificates', `${certificates.length} signed`);

  const startComponent = async (
    component: ConstructorParameters<typeof ControlPlaneProcess>[0],
  ): Promise<void> => {
    await new ControlPlaneProcess(component, shape, programs[component]).start({ signal });
    report(component, 'ready');
  };
  await startComponent('etcd');
  await startComponent('kube-apiserver');

  const credentials = readCredentials(pki, 'watcher');
  const version = (
    await callApi<{ gitVersion: string }>({ url: `${addresses.apiServerUrl}/version`, credentials, signal })
  ).gitVersion;

  for (const [index, address] of nodeAddresses.entries()) {
    signal?.throwIfAborted();
    const zone = zones[index % zones.length] ?? '';
    await new ClusterNode(address, zone, shape, programs['hollow-kubelet']).create(addresses);
  }
  // All have to settle before anybody cleans up, or one would start after the cleaning.
  const settled = await Promise.allSettled([
    startComponent('kube-controller-manager'),
    startComponent('kube-scheduler'),
  ]);
  for (const result of settled) {
    if (result.status === 'rejected') {
      throw result.reason;
    }
  }

  await waitUntil(
    'The default service account to be there',
    async () =>
      await callApi({
        url: `${addresses.apiServerUrl}/api/v1/namespaces/default/serviceaccounts/default`,
        credentials,
        signal,
      }),
    { signal },
  );
  const waiting = new Set(nodeAddresses.map((node) => node.name));
  await waitUntil(
    'Every node to be Ready',
    async () => {
      const ready = await readyStatus(addresses.apiServerUrl, credentials, signal);
      for (const node of waiting) {
        if (ready.get(node) === 'True') {
          waiting.delete(node);
          report(node, 'Ready');
        }
      }
      return waiting.size === 0 ? true : undefined;
    },
    { signal, timeoutMs: 120_000 },
  );

  const up: ClusterRecord = { ...record, phase: 'up', version };
  writeRecord(dir, up);
  return up;
}
