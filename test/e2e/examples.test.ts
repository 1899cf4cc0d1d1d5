// Every example, as its reader runs it, on a real control plane: it does what it is about, and leaves nothing behind.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runProgram } from '../../packages/examples/src/testing/run-program.ts';
import { ControlPlane } from '../control-plane/cluster.ts';

let cluster: ControlPlane;

beforeAll(async () => {
  cluster = await ControlPlane.start({ nodes: 3 });
});

afterAll(async () => {
  await cluster?.stop();
});

it.each([
  'borrowed-election',
  'sidecar-election',
  'mysql-statefulset',
  'planned-maintenance',
  'embedded-controller',
  'custom-guard-and-fencer',
  'failover-drill',
  'demo',
])('%s', async (example) => {
  const { exitCode, stdout, stderr } = await runProgram(example, '--kubeconfig', cluster.kubeconfigPath);
  expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
  expect(cluster.nodes.map(({ condition }) => condition)).toEqual(['running', 'running', 'running']);
  for (const { name } of cluster.nodes) await cluster.untilReady(name);
});
