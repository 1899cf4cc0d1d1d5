// Records that can't be read, on a real control plane: they stop nothing but themselves, and nobody touches them.
import { expect, it } from 'vitest';
import { expectDeletes } from './deletes.ts';
import { fast } from './fast.ts';
import { account } from './installation.ts';
import { databaseOn, Stage } from './stage.ts';

const { namespace } = account;

const damaged = {
  'not-json': 'recovered, I think',
  'without-node': JSON.stringify({
    version: 1,
    id: 'without-node',
    deathId: 'without-node',
    epoch: 0,
    steps: {},
    pods: [],
  }),
  'of-another-type': JSON.stringify({
    version: 1,
    id: 'of-another-type',
    node: 'node-1',
    steps: [],
    pods: {},
  }),
} as const;

it('records that are damaged, or of a newer version, are left as they are and hold up no other node', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a'],
    policy: { detection: fast.detection },
  });
  const { before, node } = await databaseOn(stage);
  const other = stage.cluster.nodes.map(({ name }) => name).find((name) => name !== node) ?? '';
  for (const [id, text] of Object.entries(damaged)) await stage.create(holding(id, text, node));
  const newer = JSON.stringify({ version: 2, id: 'newer', node: { name: other }, phase: 'thinking' });
  await stage.create(holding('newer', newer, other));
  const written = await versions(stage);

  // A leader that begins with them, and not only one that meets them later.
  await stage.startReadyAgent('agent-b');
  await stage.changeLeader();
  stage.cluster.crash(node);
  await stage.untilRecovered(before);
  await expectDeletes(stage, { node, pod: before.metadata.uid });
  expect(await versions(stage)).toEqual(written);

  // Whoever wrote the newer one knows what is under way with that node.
  stage.cluster.crash(other);
  const leader = stage.agent(await stage.leader());
  const held = await leader.waitFor((entry) => entry.event === 'decision' && entry['node'] === other, 60_000);
  expect(held['action']).toBe('hold');
  expect(held.msg).toMatch(/newer/);
  expect(await versions(stage)).toEqual(written);
});

function holding(id: string, text: string, node: string) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: `liberator-takeover-${id}`,
      labels: { 'liberator.dev/takeover': 'running' },
      annotations: { 'liberator.dev/node': node },
    },
    data: { 'record.json': text },
  };
}

/** By name, the resourceVersion of what was put there by this test. */
async function versions(stage: Stage): Promise<Readonly<Record<string, string>>> {
  const ours = [...Object.keys(damaged), 'newer'].map((id) => `liberator-takeover-${id}`);
  const all = await stage.recordObjects();
  return Object.fromEntries(
    all
      .filter(({ metadata }) => ours.includes(metadata.name))
      .map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
  );
}
