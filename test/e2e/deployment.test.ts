// The manifests as people apply them, and what Kubernetes makes of them. The agents in these pods only pretend to run.
import {
  createReader,
  createTransport,
  type KubernetesReader,
  loadKubeConfig,
  type Pod,
  pods,
  type Transport,
} from '@liberator/core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ControlPlane } from '../control-plane/cluster.ts';
import { type Manifest, parseManifests, renderChart } from '../deploy/chart.ts';
import { account, create, installation } from './installation.ts';

let cluster: ControlPlane;
let transport: Transport;
let reader: KubernetesReader;

beforeAll(async () => {
  cluster = await ControlPlane.start({ nodes: 3, timings: { nodeMonitorGracePeriodMs: 20_000 } });
  transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
  reader = createReader({ transport });
});

afterAll(async () => {
  await transport?.close();
  await cluster?.stop();
});

describe('what is installed by default', () => {
  it('is taken by an API server that refuses every field it does not know', async () => {
    await create(cluster, installation());
  });

  it('runs two replicas, on two nodes in two zones, in a namespace that admits restricted pods only', async () => {
    const replicas = await untilReady(2);
    const homes = replicas.map(({ spec }) => cluster.node(spec?.nodeName ?? ''));
    expect(new Set(homes.map(({ name }) => name)).size).toBe(2);
    expect(new Set(homes.map(({ zone }) => zone)).size).toBe(2);
  });

  it('replaces the replica of a dead node on a living one soon after Kubernetes has noticed', async () => {
    const [doomed] = await untilReady(2);
    const node = doomed?.spec?.nodeName ?? '';
    cluster.crash(node);
    await cluster.untilReady(node, 'Unknown');
    const noticedAt = performance.now();
    const replicas = await untilReady(2, node);
    const tookMs = performance.now() - noticedAt;
    expect(tookMs).toBeGreaterThan(20_000);
    expect(tookMs).toBeLessThan(90_000);
    expect(new Set(replicas.map(({ spec }) => spec?.nodeName)).size).toBe(2);
  });
});

describe('what is optional', () => {
  it('is taken by the same API server', async () => {
    const all = parseManifests(
      await renderChart({
        set: { 'metrics.serviceMonitor.enabled': 'true', 'networkPolicy.enabled': 'true' },
      }),
    );
    const there = new Set(installation().map(({ kind }) => kind));
    const more = all.filter(({ kind }) => !there.has(kind));
    expect(more.map(({ kind }) => kind).toSorted()).toEqual(['NetworkPolicy', 'Service', 'ServiceMonitor']);
    await create(cluster, [serviceMonitors]);
    await vi.waitFor(
      () =>
        create(
          cluster,
          more.filter(({ kind }) => kind === 'ServiceMonitor'),
        ),
      {
        timeout: 20_000,
        interval: 500,
      },
    );
    await create(
      cluster,
      more.filter(({ kind }) => kind !== 'ServiceMonitor'),
    );
  });
});

/** So many replicas that are Ready and not on their way out, none of them on a certain node. */
async function untilReady(count: number, notOn?: string): Promise<readonly Pod[]> {
  return vi.waitFor(
    async () => {
      const { items } = await reader.list(pods, { namespace: account.namespace });
      const ready = items.filter(
        ({ metadata, spec, status }) =>
          metadata.deletionTimestamp === undefined &&
          spec?.nodeName !== notOn &&
          status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
      );
      expect(ready.map(({ spec }) => spec?.nodeName)).toHaveLength(count);
      return ready;
    },
    { timeout: 120_000, interval: 500 },
  );
}

/** As much of the Prometheus operator as it takes to have its objects accepted. */
const serviceMonitors: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'servicemonitors.monitoring.coreos.com' },
  spec: {
    group: 'monitoring.coreos.com',
    scope: 'Namespaced',
    names: { plural: 'servicemonitors', singular: 'servicemonitor', kind: 'ServiceMonitor' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};
