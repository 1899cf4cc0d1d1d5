// What `proof: required` and a pause promise, on a real control plane, when somebody deletes the Node object under them.
import { confirmedDeadAnnotation } from '@liberator/core';
import { expect, it } from 'vitest';
import { expectDeletes } from './deletes.ts';
import { fast } from './fast.ts';
import { account } from './installation.ts';
import { databaseOn, pause, Stage } from './stage.ts';

const { namespace } = account;

/** Kubernetes' own pod garbage collection leaves a vanished node's pods alone for at least this long. */
const quarantineMs = 40_000;

it('a Node that somebody deletes while its death waits for proof frees nothing: neither proof nor pause end with it', async () => {
  await using stage = await openWithProofRequired();
  const { node } = await databaseOn(stage);

  stage.cluster.cut(node);
  await untilItWaitsForProof(stage, node);
  await stage.patch({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'liberator', namespace, annotations: { 'liberator.dev/paused': 'we look into it' } },
  });
  await stage.remove({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  const deletedAt = performance.now();
  // A new leader is as bound by it as the one before.
  await stage.changeLeader();
  await pause(Math.max(0, quarantineMs - 10_000 - (performance.now() - deletedAt)));

  await expectDeletes(stage, 'nothing');
  const [record] = await stage.records();
  expect(record).toMatchObject({ node: { name: node } });
  expect(record?.proof).toBeUndefined();
  expect(record?.steps.release).toBeUndefined();
  expect(record?.result).toBeUndefined();
});

it('a human may vouch on the record for a machine whose Node is gone, and then its pods are freed', async () => {
  await using stage = await openWithProofRequired();
  const { before, node } = await databaseOn(stage);

  stage.cluster.crash(node);
  await untilItWaitsForProof(stage, node);
  await stage.remove({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  const [record] = await stage.records();
  await stage.patch({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace,
      name: `liberator-takeover-${record?.id}`,
      annotations: { [confirmedDeadAnnotation]: record?.deathId, 'liberator.dev/confirmed-by': 'alice' },
    },
  });

  await stage.untilRecovered(before);
  expect((await stage.records())[0]).toMatchObject({ proof: 'confirmed-by-human' });
  await expectDeletes(stage, { pod: before.metadata.uid });
});

function openWithProofRequired(): Promise<Stage> {
  return Stage.open({
    ...fast,
    agents: ['agent-a', 'agent-b'],
    policy: { detection: fast.detection, fencing: { ladder: [{ fencer: 'manual' }], proof: 'required' } },
  });
}

async function untilItWaitsForProof(stage: Stage, node: string): Promise<void> {
  await stage.until('the takeover waits for proof', async () =>
    (await stage.records()).some(({ steps }) => steps.fence?.detail?.includes(node) ?? false),
  );
}
