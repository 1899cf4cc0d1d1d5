// Whoever only observes decides as any other, tells it, and writes nothing.
import { describe, expect, it } from 'vitest';
import type { ControllerOptions } from './controller-options.ts';
import { observersElection } from './election/observers-election.ts';
import { leases } from './kubernetes/resources.ts';
import { observedCluster } from './observing.ts';
import type { Policy } from './policy/policy.ts';
import type { StatusDocument } from './telling/status-document.ts';
import { election, World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';
import { MemoryLease } from './testing/memory-lease.ts';

const own = observersElection(election);

/** One replica that observes, in a world in which others may act. */
class Observer {
  readonly observed: string[] = [];
  readonly lease: MemoryLease;
  readonly replica: ReturnType<World['replica']>;
  status: StatusDocument | undefined;
  readonly #world: World;

  constructor(world: World, options: Partial<ControllerOptions> = {}) {
    this.#world = world;
    this.lease = new MemoryLease(world.clock);
    this.replica = world.replica('observer', {
      mode: 'observe',
      election: own,
      leaseStore: this.lease.storeFor({ clock: world.clock, fate: () => ({}) }),
      status: {
        publish: async (_, document) => {
          this.status = document;
          return 'written';
        },
      },
      ...options,
    });
    this.replica.controller.on('observed', ({ node, policy }) => this.observed.push(`${node} by ${policy}`));
    this.replica.run();
  }

  /** Time passes, and the observer's own Lease is seen by its watch. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 10; i++) {
      const { current } = this.lease;
      if (current !== undefined) {
        const metadata = { ...own, uid: current.uid, resourceVersion: current.resourceVersion };
        this.#world.reader.put(leases, { metadata, spec: current.record });
      }
      await this.#world.pass(0.1);
    }
  }
}

/** What was asked of the cluster since, each once. */
const askedSince = (world: World, from: number): readonly string[] =>
  [...new Set(world.cluster.calls.slice(from).map(({ method }) => method))].toSorted();

describe('a controller that only observes', () => {
  it('is refused the election of those who act', () => {
    const world = new World();
    expect(() => world.replica('a', { mode: 'observe' })).toThrow(
      'expected an election of their own for those who only observe, as observersElection makes it, found liberator',
    );
    expect(own).toEqual({ namespace: 'liberator', name: 'liberator-observe' });
  });

  it('is given nothing of the cluster that writes, but Events', () => {
    const { cluster } = new World();
    expect(Object.keys(observedCluster(cluster)).toSorted()).toEqual(['listRecords', 'publishEvent']);
  });

  it('tells once of each death that it would be taken over, and does nothing about it', async () => {
    const world = new World();
    const observer = new Observer(world);
    await observer.pass(30);
    world.dead.add('node-1');
    await observer.pass(120);
    expect(observer.observed).toEqual(['node-1 by any']);
    expect(world.cluster.destroyed).toEqual([]);
    expect(JSON.stringify(world.cluster.nodes.get('node-1'))).not.toContain('liberator.dev');
    expect(askedSince(world, 0)).toEqual(['listRecords', 'publishEvent']);
    expect(world.lease.history).toEqual([]);
    const said = world.cluster.events.filter(({ reason }) => reason === 'WouldTakeOver');
    expect(said).toMatchObject([{ type: 'Warning', node: { name: 'node-1' } }]);
    expect(world.cluster.events.every(({ message }) => message.startsWith('observing only: '))).toBe(true);
    expect(observer.status).toMatchObject({ mode: 'observe', leader: { identity: 'observer' } });
    expect(observer.status?.nodes[0]).toMatchObject({ name: 'node-1', health: 'dead', wouldTakeOver: true });
  });

  it('takes a node that is back for well, and its next death for another one', async () => {
    const world = new World();
    const observer = new Observer(world);
    await observer.pass(30);
    world.dead.add('node-1');
    await observer.pass(60);
    world.dead.delete('node-1');
    await observer.pass(30);
    expect(observer.status?.nodes.find(({ name }) => name === 'node-1')).toMatchObject({ health: 'alive' });
    expect(observer.status?.nodes.some(({ wouldTakeOver }) => wouldTakeOver)).toBe(false);
    world.dead.add('node-1');
    await observer.pass(60);
    expect(observer.observed).toEqual(['node-1 by any', 'node-1 by any']);
    expect(askedSince(world, 0)).toEqual(['listRecords', 'publishEvent']);
  });

  it('counts what it would have taken over towards its budgets', async () => {
    const policy: Policy = { ...anyNode, budget: { maxDead: 1, maxDeadPercent: 100 } };
    const world = new World();
    const observer = new Observer(world, { policies: [policy] });
    await observer.pass(30);
    world.dead.add('node-1');
    await observer.pass(60);
    world.dead.add('node-2');
    await observer.pass(200);
    expect(observer.observed).toEqual(['node-1 by any']);
    expect(world.cluster.events).toContainEqual(
      expect.objectContaining({ reason: 'TakeoverHeld', node: expect.objectContaining({ name: 'node-2' }) }),
    );
  });

  it('leaves the takeovers of an installation that acts alone, those that are under way and those that are over', async () => {
    const world = new World();
    const acting = world
      .replica('a', {
        fencers: [{ name: 'ipmi', fence: async () => ({ outcome: 'pending', detail: 'wait' }) as never }],
      })
      .run();
    await world.pass(30);
    world.dead.add('node-1');
    await world.pass(40);
    expect(world.cluster.records.size).toBe(1);
    acting.stop.abort();
    await world.pass(5);
    const records = JSON.stringify([...world.cluster.records]);
    const before = world.cluster.calls.length;

    const observer = new Observer(world);
    await observer.pass(60);
    world.dead.add('node-2');
    await observer.pass(60);
    world.dead.delete('node-1');
    world.dead.delete('node-2');
    await observer.pass(60);
    expect(observer.observed).toEqual(['node-2 by any']);
    expect(askedSince(world, before)).toEqual(['listRecords', 'publishEvent']);
    expect(JSON.stringify([...world.cluster.records])).toBe(records);
  });
});
