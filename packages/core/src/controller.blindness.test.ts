// What people learn, and what they can do, when most nodes are silent and nothing can be decided.
import { describe, expect, it } from 'vitest';
import { World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

const policies = [{ ...anyNode, budget: { maxDead: 4, maxDeadPercent: 100 } }];

function confirm(world: World, node: string, deathId: string | undefined): void {
  world.cluster.changeNode(node, (known) => ({
    ...known,
    metadata: { ...known.metadata, annotations: { 'liberator.dev/confirmed-dead': deathId ?? '' } },
  }));
}

describe('when most nodes die at once', () => {
  it('each of them has an Event within a minute, with the reason and the way out', async () => {
    const world = new World();
    const a = world.replica('a', { policies }).run();
    await world.pass(40);
    for (const name of ['node-1', 'node-3', 'node-4']) world.dead.add(name);
    await world.pass(60);
    const told = world.cluster.events.filter(({ reason }) => reason === 'DeathUndecided');
    expect(told.map(({ node }) => node.name).toSorted()).toEqual(['node-1', 'node-3', 'node-4']);
    for (const { message, node } of told) {
      expect(message).toContain('3 of 4 node Leases fell silent together');
      expect(message).toContain(`liberator confirm ${node.name}`);
    }
    await world.pass(600);
    expect(world.cluster.events.filter(({ reason }) => reason === 'DeathUndecided')).toHaveLength(3);
    expect(world.cluster.records.size).toBe(0);
    expect(a.controller.blind).not.toEqual([]);
  });

  it('a human who vouches for some of them gives the sight back, and they are taken over', async () => {
    const world = new World();
    const a = world.replica('a', { policies }).run();
    await world.pass(40);
    for (const name of ['node-1', 'node-3', 'node-4']) world.dead.add(name);
    await world.pass(60);
    confirm(world, 'node-1', a.controller.fleet.nodes.get('node-1')?.deathId);
    await world.pass(60);
    expect(a.controller.blind).toEqual(['2 of 3 node Leases fell silent together']);
    confirm(world, 'node-3', a.controller.fleet.nodes.get('node-3')?.deathId);
    await world.pass(90);
    expect(a.controller.blind).toEqual([]);
    const taken = [...world.cluster.records.values()].map(({ record }) => record.node.name);
    expect(taken).toEqual(expect.arrayContaining(['node-1', 'node-3']));
  });

  it('with none left alive, nobody is pointed at an API server that is well', async () => {
    const world = new World();
    const a = world.replica('a', { policies }).run();
    await world.pass(40);
    for (const name of ['node-1', 'node-2', 'node-3', 'node-4']) world.dead.add(name);
    await world.pass(300);
    expect(a.controller.blind).toEqual(['4 of 4 node Leases fell silent together']);
    for (const name of world.dead) confirm(world, name, a.controller.fleet.nodes.get(name)?.deathId);
    await world.pass(60);
    expect(a.controller.blind).toEqual(['no living node is left to be heard']);
    expect(world.cluster.records.size).toBe(0);
  });
});
