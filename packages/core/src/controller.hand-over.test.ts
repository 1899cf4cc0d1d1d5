// A leader that would fence the machine it runs on hands over first, where another replica is ready.
import { describe, expect, it } from 'vitest';
import type { ControllerOptions } from './controller-options.ts';
import type { Fencer } from './fencing/fencer.ts';
import { type Replica, World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

class Scene {
  readonly world = new World();
  readonly fencedBy: string[] = [];
  /** What "a" hears of others. */
  othersReady: () => Promise<boolean> = async () => true;
  readonly a: Replica;

  constructor() {
    this.a = this.replica('a', 'node-1');
  }

  replica(name: string, nodeName: string): Replica {
    const bmc: Fencer = {
      name: 'ipmi',
      acts: 'power',
      fence: async (target) => {
        this.fencedBy.push(`${target.name} by ${name}`);
        this.world.dead.add(target.name);
        return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
      },
    };
    const options: Partial<ControllerOptions> = {
      fencers: [bmc],
      policies: [{ ...anyNode, fencing: { drivers: ['ipmi'], proof: 'required', hungAfterMs: 60_000 } }],
      self: { nodeName, othersReady: () => (name === 'a' ? this.othersReady() : Promise.resolve(true)) },
    };
    return this.world.replica(name, options);
  }

  /** "a" leads, on node-1, whose kubelet hangs from now on. */
  async hangs(): Promise<this> {
    await this.world.pass(60);
    expect(this.a.controller.leading).toBeDefined();
    this.world.cut.add('node-1');
    await this.world.pass(45);
    this.world.cluster.changeNode('node-1', (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' }] },
    }));
    return this;
  }
}

describe('a leader whose own node is to be fenced', () => {
  it('hands over first, says so, and the next leader goes on from the record', async () => {
    const scene = new Scene();
    const { world, a } = scene;
    const told: (string | undefined)[] = [];
    a.controller.on('leadership', ({ handedOver }) => told.push(handedOver));
    a.run();
    const b = scene.replica('b', 'node-2').run();
    await scene.hangs();
    await world.pass(60);
    expect(scene.fencedBy).toEqual(['node-1 by b']);
    const [stored] = world.cluster.records.values();
    expect(stored?.record).toMatchObject({ order: { epoch: 0 }, proof: 'powered-off', fencer: 'ipmi' });
    expect(told.filter(Boolean)).toEqual([
      'this replica runs on node-1, which is to be fenced, and another one is ready to lead: it hands over first',
    ]);
    const words = world.cluster.events.map(({ message }) => message).join('\n');
    expect(words).toContain('it hands over first');
    expect(b.controller.leading).toBeDefined();
    // Its process goes on: whoever can't be started anew there must not end.
    expect(a.outcome).toBeUndefined();
    expect(a.errors).toEqual([]);
  });

  it('does so within seconds: the Lease is released, not left to run out', async () => {
    const scene = new Scene();
    scene.a.run();
    const b = scene.replica('b', 'node-2').run();
    await scene.hangs();
    await scene.world.pass(60);
    const over = scene.a.about(/nobody leads|leads 1$/).length;
    expect(over).toBeGreaterThan(0);
    const [handed] = scene.a.told.filter((line) => line.includes('nobody leads'));
    const [taken] = b.about(/b leads/);
    expect(Number.parseInt(taken ?? '', 10) - Number.parseInt(handed ?? '', 10)).toBeLessThanOrEqual(4);
  });

  it('goes on by itself when nobody else is ready', async () => {
    const scene = new Scene();
    scene.othersReady = async () => false;
    scene.a.run();
    await scene.hangs();
    await scene.world.pass(60);
    expect(scene.fencedBy).toEqual(['node-1 by a']);
  });

  it.each([
    ['can’t be told', async (): Promise<boolean> => Promise.reject(new Error('forbidden'))],
    ['is never answered', (): Promise<boolean> => new Promise(() => {})],
  ])('goes on by itself when it %s who else is ready', async (_, othersReady) => {
    const scene = new Scene();
    scene.othersReady = othersReady;
    scene.a.run();
    await scene.hangs();
    await scene.world.pass(60);
    expect(scene.fencedBy).toEqual(['node-1 by a']);
  });

  it('stays away while another one leads, and leads again once nobody does', async () => {
    const scene = new Scene();
    const { world, a } = scene;
    a.run();
    const b = scene.replica('b', 'node-2').run();
    await scene.hangs();
    await world.pass(40);
    b.stop.abort();
    scene.othersReady = async () => false;
    await world.pass(30);
    expect(a.controller.leading).toBeDefined();
    expect(a.about(/leads/).filter((line) => line.includes(' a leads'))).toHaveLength(2);
  });

  it('leads again when whoever seemed to be ready does not, and does not hand over once more', async () => {
    const scene = new Scene();
    scene.a.run();
    await scene.hangs();
    await scene.world.pass(120);
    expect(scene.fencedBy).toEqual(['node-1 by a']);
    expect(scene.a.about(/ a leads/)).toHaveLength(2);
    expect(scene.a.outcome).toBeUndefined();
  });

  it('does not hand over for the sake of another node', async () => {
    const scene = new Scene();
    scene.a.run();
    scene.replica('b', 'node-2').run();
    await scene.world.pass(60);
    scene.world.dead.add('node-3');
    await scene.world.pass(60);
    expect(scene.fencedBy).toEqual(['node-3 by a']);
  });
});
