// The chart's whole life on a real cluster, one with a single node: installed, changed, refused a second time, removed.
import {
  createReader,
  createTransport,
  loadKubeConfig,
  type Pod,
  pods,
  type Transport,
} from '@liberator/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ControlPlane } from '../control-plane/cluster.ts';
import { chart } from '../deploy/chart.ts';
import { findTools } from '../deploy/tools.ts';
import { account } from './installation.ts';

const release = 'liberator';

let cluster: ControlPlane;
let transport: Transport;
let helm: (...args: readonly string[]) => Promise<string>;

beforeAll(async () => {
  const tools = await findTools();
  cluster = await ControlPlane.start({ nodes: 1 });
  transport = createTransport(loadKubeConfig({ path: cluster.kubeconfigPath }));
  helm = (...args) =>
    tools.helm(...args, '--namespace', account.namespace, '--kubeconfig', cluster.kubeconfigPath);
});

afterAll(async () => {
  await transport?.close();
  await cluster?.stop();
});

async function replicas(): Promise<readonly Pod[]> {
  const { items } = await createReader({ transport }).list(pods, { namespace: account.namespace });
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

it('is installed with one command, runs on the only node that there is, and says what to do next', async () => {
  const said = await helm('install', release, chart, '--create-namespace', '--wait', '--timeout', '60s');
  expect(await replicas()).toHaveLength(2);
  expect(said).toContain('Liberator runs in namespace tkr-system, with 2 replica(s)');
  expect(said).toContain('  - all-nodes\n');
  expect(said).toContain('kubectl --namespace tkr-system get lease liberator\n');
});

it('starts new replicas for a new configuration', async () => {
  const names = async (): Promise<readonly string[]> =>
    (await replicas()).map(({ metadata }) => metadata.name);
  const before = await names();
  await helm('upgrade', release, chart, '--set', 'config.log.level=debug', '--wait', '--timeout', '60s');
  const after = await names();
  expect(after).toHaveLength(2);
  expect(after.filter((name) => before.includes(name))).toEqual([]);
});

it('is refused a second time under another name', async () => {
  await expect(helm('install', 'another', chart)).rejects.toThrow(
    /"liberator.*exists and cannot be imported/,
  );
});

it('leaves no replica and no permission behind', async () => {
  await helm('uninstall', release, '--wait', '--timeout', '60s');
  expect(await replicas()).toEqual([]);
  const left = await cluster.audit({
    verb: 'delete',
    resource: ['clusterroles', 'roles', 'validatingadmissionpolicies'],
  });
  expect(
    left
      .filter(({ code }) => code === 200)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual([
    'liberator',
    'liberator',
    'liberator-events',
    'liberator-fencing-token',
    'liberator-heartbeats',
  ]);
});
