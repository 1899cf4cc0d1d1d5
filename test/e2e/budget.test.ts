// The budget on a real control plane: a brake against taking an outage for deaths, which neither forgets nor clings.
import { expect, it } from 'vitest';
import { fast } from './fast.ts';
import { Stage } from './stage.ts';

it('counts an unproven death until its node has returned, taken over or not, and no proven one', async () => {
  await using stage = await Stage.open({
    ...fast,
    nodes: 6,
    agents: ['agent-a', 'agent-b'],
    policy: {
      detection: fast.detection,
      node: 'keep',
      budget: { maxDead: 2, maxDeadPercent: 50 },
      fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
    },
    returning: { dwell: '5s' },
  });
  const [first, second, third, fourth] = stage.cluster.nodes.map(({ name }) => name);
  if (!first || !second || !third || !fourth) throw new Error('expected six nodes');
  for (const node of [first, second]) {
    stage.cluster.crash(node);
    await stage.until(`${node} is taken over`, async () => resultOf(stage, node, 'recovered'));
  }

  // Both takeovers are over, and the Nodes are still there: a third death is one too many all the same.
  stage.cluster.crash(third);
  const held = await decisionAbout(stage, third);
  expect(held['action']).toBe('hold');
  expect(held.msg).toContain(first);
  expect(held.msg).toContain(second);
  // And so it is to whoever leads next.
  await stage.changeLeader();
  expect((await decisionAbout(stage, third))['action']).toBe('hold');

  // A human who vouches for a death takes it out of the question: what is proven can't be an outage.
  await stage.confirmDead(third, String(held['deathId']));
  await stage.until(`${third} is taken over`, async () => resultOf(stage, third, 'recovered'));

  // And a node that has returned is dead no more.
  stage.cluster.crash(fourth);
  await decisionAbout(stage, fourth);
  await stage.cluster.start(first);
  await stage.until(`${fourth} is taken over`, async () => resultOf(stage, fourth, 'recovered'));
});

async function decisionAbout(stage: Stage, node: string) {
  const leader = stage.agent(await stage.leader());
  return leader.waitFor((entry) => entry.event === 'decision' && entry['node'] === node, 60_000);
}

async function resultOf(stage: Stage, node: string, wanted: string): Promise<boolean> {
  return (await stage.records()).some((record) => record.node.name === node && record.result === wanted);
}
