// The whole path on a real control plane: what is deleted, by whom, and above all what is not.
import { describe, expect, it } from 'vitest';
import { expectDeletes } from './deletes.ts';
import { databaseOn, pause, replicas, Stage } from './stage.ts';

/** Longer than any silence that could condemn a node under the policies used here. */
const longEnoughMs = 75_000;

const manual = { fencing: { ladder: [{ fencer: 'manual' }], proof: 'required' } };

describe('on a real control plane', () => {
  it('a crashed node is taken over once, by one replica, and its database runs elsewhere on the same volume', async () => {
    await using stage = await Stage.open();
    const { before, node } = await databaseOn(stage);
    const leader = await stage.leader();
    // The leader shall survive, so that this is about the node alone.
    if (agentOn(stage, node) === leader) await moveLeadership(stage, leader);

    stage.cluster.crash(node);
    const after = await stage.untilRecovered(before);

    expect(claimOf(after)).toBe(claimOf(before));
    await expectDeletes(stage, { node, pod: before.metadata.uid });
    const [deleted] = await stage.deletes('nodes');
    expect(deleted?.requestObject).toMatchObject({
      preconditions: { uid: expect.any(String), resourceVersion: expect.any(String) },
    });
    expect(deleted?.userAgent).toContain(await stage.leader());
    await expectReplacementStays(stage, after.metadata.uid);
  });

  it('a node that dies before its first heartbeat is taken over on the word of Kubernetes and of its host', async () => {
    await using stage = await Stage.open();
    const { before, node } = await databaseOn(stage);

    stage.cluster.crash(node);
    await stage.forgetHeartbeats(node);
    // Replicas that start now have never heard of it, and all that Kubernetes shows is a node that is Ready.
    for (const replica of replicas) await stage.agent(replica).kill();
    for (const replica of replicas) if (replica !== agentOn(stage, node)) await stage.startAgent(replica);
    await stage.untilRecovered(before);

    await expectDeletes(stage, { node, pod: before.metadata.uid });
    expect((await stage.records())[0]?.reasons.join()).toContain('no Lease yet');
  });

  it('a hanging node, whose host still accepts connections, is left alone until a human vouches for its death', async () => {
    await using stage = await Stage.open({ policy: manual });
    const { before, node } = await databaseOn(stage);

    stage.cluster.pause(node);
    const leader = stage.agent(await stage.leader());
    const held = await leader.waitFor(
      (entry) => entry.event === 'decision' && entry['node'] === node,
      60_000,
    );
    expect(held['action']).toBe('hold');
    expect(held.msg).toMatch(/the host is up.*a dead kubelet is not a dead node/);
    await stage.cluster.untilReady(node, 'Unknown');
    await pause(15_000);
    await expectDeletes(stage, 'nothing');
    expect(await stage.records()).toEqual([]);
    await stage.confirmDead(node, String(held['deathId']));

    await stage.untilRecovered(before);
    await expectDeletes(stage, { node, pod: before.metadata.uid });
    expect((await stage.records())[0]).toMatchObject({ proof: 'confirmed-by-human', evidence: 'proven' });
  });

  it('a node that comes back before the takeover is not touched', async () => {
    await using stage = await Stage.open();
    const node = await stage.databaseNode();
    const uid = (await stage.database())?.metadata.uid;

    stage.cluster.crash(node);
    await pause(14_000);
    await stage.cluster.start(node);
    await pause(longEnoughMs);

    await expectDeletes(stage, 'nothing');
    expect(await stage.records()).toEqual([]);
    expect(await stage.nodeNames()).toEqual(['node-1', 'node-2', 'node-3']);
    expect((await stage.database())?.metadata.uid).toBe(uid);
  });

  it('a node that is cut off while it lives on waits for proof, and is given back untouched when the network heals', async () => {
    await using stage = await Stage.open({ policy: manual });
    const node = await stage.databaseNode();
    const uid = (await stage.database())?.metadata.uid;

    stage.cluster.cut(node);
    await stage.until('the takeover waits for proof', async () =>
      (await stage.records()).some(
        ({ steps }) => steps.fence?.detail?.includes(`liberator confirm ${node}`) ?? false,
      ),
    );
    expect(await stage.taintsOf(node)).toContain('liberator.dev/takeover');
    stage.cluster.heal(node);
    await stage.until('the takeover is undone', async () =>
      (await stage.records()).some(({ result }) => result === 'undone'),
    );

    expect(await stage.taintsOf(node)).not.toContain('liberator.dev/takeover');
    await expectDeletes(stage, 'nothing');
    expect((await stage.database())?.metadata.uid).toBe(uid);
  });

  it("the leader's own node dies with the database, and the next leader takes it over", async () => {
    await using stage = await Stage.open();
    const { before, node } = await databaseOn(stage);
    const doomed = agentOn(stage, node);
    while ((await stage.leader()) !== doomed) await moveLeadership(stage, await stage.leader());

    stage.cluster.crash(node);
    await stage.agent(doomed).kill('SIGKILL');
    await stage.untilRecovered(before);

    await expectDeletes(stage, { node, pod: before.metadata.uid });
    expect(await stage.leader()).not.toBe(doomed);
    expect((await stage.deletes('nodes'))[0]?.userAgent).toContain(await stage.leader());
  });

  it('when all nodes are cut off at once, nothing is deleted', async () => {
    await using stage = await Stage.open();
    // The agents live on the nodes, so they are cut off too; one more looks on from outside.
    const watcher = await stage.startAgent('agent-outside');
    await stage.until('it leads', async () => {
      const leader = await stage.leader();
      if (leader !== 'agent-outside' && leader !== '') await stage.agent(leader).kill();
      return leader === 'agent-outside';
    });

    stage.cluster.cutAll();
    await watcher.waitFor(({ msg }) => /fell silent together/.test(msg), 60_000);
    await pause(longEnoughMs);

    await expectDeletes(stage, 'nothing');
    expect(await stage.records()).toEqual([]);
    expect(await stage.nodeNames()).toEqual(['node-1', 'node-2', 'node-3']);
    stage.cluster.healAll();
    for (const { name } of stage.cluster.nodes) await stage.cluster.untilReady(name);
  });
});

/** The replica that lives on a node. */
function agentOn(stage: Stage, node: string): string {
  const index = stage.cluster.nodes.findIndex(({ name }) => name === node);
  const replica = replicas[index];
  if (replica === undefined) throw new RangeError(`expected a replica on ${node}, found none`);
  return replica;
}

/** Stops the leader, waits until another one leads, and starts it again. */
async function moveLeadership(stage: Stage, leader: string): Promise<void> {
  await stage.agent(leader).kill();
  await stage.until(`somebody else than ${leader} leads`, async () => {
    const now = await stage.leader();
    return now !== '' && now !== leader;
  });
  await stage.startAgent(leader);
}

function claimOf(pod: Awaited<ReturnType<Stage['database']>>): string | undefined {
  return pod?.spec?.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim)?.persistentVolumeClaim
    ?.claimName;
}

/** Kubernetes' own controllers must not kill the replacement for what its predecessor was tainted for. */
async function expectReplacementStays(stage: Stage, uid: string): Promise<void> {
  await pause(5_000);
  expect((await stage.database())?.metadata.uid).toBe(uid);
}
