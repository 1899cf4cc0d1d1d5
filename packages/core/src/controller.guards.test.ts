// Guards of an embedder: what they are told of the fleet, when they are asked again, and what one that is a brake stops.
import { describe, expect, it } from 'vitest';
import { type FleetFacts, type Guard, hold, pass } from './policy/guard.ts';
import { World } from './testing/controller-world.ts';

const zoneLabel = 'topology.kubernetes.io/zone';

function withZones(world: World, zones: Readonly<Record<string, string>>): World {
  for (const [name, zone] of Object.entries(zones)) {
    world.cluster.changeNode(name, (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, [zoneLabel]: zone } },
    }));
  }
  return world;
}

describe('a guard of an embedder', () => {
  it('is told how many nodes there are in each zone, and how many of them are dead', async () => {
    const seen: (FleetFacts['zones'] | undefined)[] = [];
    const watchful: Guard = {
      name: 'watchful',
      evaluate: ({ fleet }) => {
        seen.push(fleet.zones);
        return hold('only looks');
      },
    };
    const world = withZones(new World(), { 'node-1': 'a', 'node-2': 'a', 'node-3': 'b' });
    world.replica('a', { guards: [watchful] }).run();
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(60);
    expect(seen.at(-1)).toEqual(
      new Map([
        ['a', { nodes: 2, dead: 1 }],
        ['b', { nodes: 1, dead: 0 }],
      ]),
    );
  });

  it('is asked again though nothing happened that anybody told us of', async () => {
    let opens = false;
    const office: Guard = { name: 'office', evaluate: () => (opens ? pass : hold('nobody is there yet')) };
    const world = new World();
    const replica = world.replica('a', { guards: [office] }).run();
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(60);
    expect(replica.about(/claim/)).toEqual([]);
    opens = true;
    await world.pass(1);
    expect(replica.about(/claim/)).toHaveLength(1);
  });

  it.each([
    {
      what: 'stops nothing that has begun, unless it says that it is a brake',
      brake: {},
      result: 'recovered',
    },
    {
      what: 'stops what has begun, if it says that it is a brake',
      brake: { brake: true },
      result: undefined,
    },
  ])('$what', async ({ brake, result }) => {
    let closed = false;
    const gate: Guard = {
      ...brake,
      name: 'gate',
      evaluate: () => (closed ? hold('the gate is closed') : pass),
    };
    const world = new World();
    const replica = world.replica('a', {
      guards: [gate],
      fencers: [
        {
          name: 'ipmi',
          fence: async () => {
            closed = true;
            return { outcome: 'fenced', proof: 'powered-off', detail: 'the BMC says off' };
          },
        },
      ],
    });
    const held: string[] = [];
    replica.controller.on('takeover', ({ held: isHeld, detail }) => isHeld && held.push(detail));
    replica.run();
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(90);
    const [stored] = world.cluster.records.values();
    expect(stored?.record.result).toBe(result);
    expect(held).toEqual(result === undefined ? ['held: gate: the gate is closed'] : []);
    if (result === undefined) {
      expect(world.cluster.nodes.has('node-1')).toBe(true);
      closed = false;
      await world.pass(30);
      expect([...world.cluster.records.values()][0]?.record.result).toBe('recovered');
    }
  });
});
