// All rooms together: what controllers see, decide, do, and leave undone.
import { describe, expect, it } from 'vitest';
import { Controller } from './controller.ts';
import { election, World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

describe('a controller', () => {
  it('sees, leads, notices a death, acts, and tells of each', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(30);
    expect(a.about(/sees|leads/)).toEqual(['0 a leads 0', '0 sees']);
    expect(a.controller).toMatchObject({ ready: true, blind: [], takeoversUnderWay: [] });
    expect(a.controller.leading).toMatchObject({ epoch: 0, identity: 'a' });
    world.dead.add('node-1');
    await world.pass(60);
    expect(a.about(/node-1/).map((line) => line.replace(/^\d+ /, ''))).toEqual([
      'node-1 is suspect',
      'node-1 is dead',
      'node-1: act',
      'claim node-1',
      'close node-1',
    ]);
    expect(world.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect(a.errors).toEqual([]);
  });

  it('takes nothing over without a policy', async () => {
    const world = new World();
    const a = world.replica('a', { policies: [] }).run();
    world.dead.add('node-1');
    await world.pass(120);
    expect(a.about(/node-1/)).toEqual([]);
    expect(world.cluster.records.size).toBe(0);
  });

  it('needs no probe, but then holds for want of evidence', async () => {
    const world = new World();
    const { probe: _, ...options } = { probe: undefined, policies: [anyNode] };
    const a = new Controller({
      ...options,
      reader: world.reader,
      cluster: world.cluster,
      leaseStore: world.lease.storeFor({ clock: world.clock }),
      election,
      identity: 'a',
      fencers: [{ name: 'ipmi', fence: async () => ({ outcome: 'failed', detail: '' }) }],
      clock: world.clock,
      random: { next: () => 0 },
    });
    const stop = new AbortController();
    const decisions: string[] = [];
    a.on('decision', ({ decision }) => decisions.push(decision.action));
    const ran = a.run(stop.signal);
    await world.pass(10);
    world.dead.add('node-1');
    world.cluster.changeNode('node-1', (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' }] },
    }));
    await world.pass(90);
    stop.abort();
    await world.pass(1);
    await ran;
    expect(decisions).toEqual(['hold']);
  });
});

describe('before all caches are synced', () => {
  it.each([
    { what: 'Nodes', about: (plural: string) => plural === 'nodes' },
    { what: 'node Leases', about: (_: string, namespace?: string) => namespace === 'kube-node-lease' },
    { what: 'the election Lease', about: (_: string, namespace?: string) => namespace === 'liberator' },
  ])(
    'a replica does not stand for election, and decides nothing, though everything but $what is known',
    async ({ about }) => {
      const world = new World();
      world.reader.slowLists = about;
      world.dead.add('node-1');
      const a = world.replica('a').run();
      await world.pass(120);
      expect(a.controller.ready).toBe(false);
      expect(a.controller.leading).toBeUndefined();
      expect(world.lease.history).toEqual([]);
      expect(a.controller.blind).toContain('not all caches are synced');
      expect([world.cluster.records.size, a.about(/: /)]).toEqual([0, []]);
      world.reader.slowLists = () => false;
      await world.pass(20);
      expect(a.controller.leading).toBeDefined();
      expect(a.controller.blind).toEqual([]);
      // A whole grace period from then on.
      expect(world.cluster.records.size).toBe(0);
      await world.pass(20);
      expect(world.cluster.records.size).toBe(1);
    },
  );
});

describe('a replica whose caches are not filled', () => {
  it('leaves the lead to one whose are, also when there is no other to be seen yet', async () => {
    const world = new World();
    const early = world.replica('early', { reader: world.slowReader((plural) => plural === 'nodes') }).run();
    await world.pass(10);
    const ready = world.replica('ready').run();
    await world.pass(30);
    expect(early.controller.leading).toBeUndefined();
    expect(ready.controller.leading).toMatchObject({ epoch: 0 });
    expect(early.about(/leads/)).toEqual([expect.stringContaining('ready leads')]);
  });

  it('stands for election as soon as they are', async () => {
    const world = new World();
    world.reader.slowLists = (plural) => plural === 'nodes';
    const a = world.replica('a').run();
    await world.pass(20.5);
    expect(a.controller.leading).toBeUndefined();
    world.reader.slowLists = () => false;
    // What waits for its list looks again once a second.
    await world.pass(1.2);
    expect(a.controller.leading).toBeDefined();
  });

  it('is not one whose watches went stale: somebody has to lead, and tell why nothing is done', async () => {
    const world = new World();
    const a = world.replica('a').run();
    const b = world.replica('b').run();
    await world.pass(20);
    world.reader.fail(new Error('connection refused'));
    await world.pass(60);
    a.stop.abort();
    await world.pass(10);
    expect(b.controller.leading).toBeDefined();
    expect(b.controller.blind).not.toEqual([]);
  });
});

describe('a blind controller', () => {
  it('stands still while the API server is gone, and gives every node a whole grace period afterwards', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(60);
    world.reader.fail(new Error('connection refused'));
    world.dead.add('node-1');
    await world.pass(120);
    expect(a.controller.blind.join()).toContain('stale');
    expect(world.cluster.records.size).toBe(0);
    world.reader.fail(undefined);
    await world.pass(40);
    const [, regained = 0] = a.about(/sees/).map((line) => Number.parseInt(line, 10));
    const [claimed = 0] = a.about(/claim/).map((line) => Number.parseInt(line, 10));
    expect(a.about(/blind/)).not.toEqual([]);
    expect(claimed - regained).toBeGreaterThanOrEqual(24);
    expect(world.cluster.records.size).toBe(1);
  });

  it('takes an outage of all kubelets for what it is, however long it lasts', {
    timeout: 30_000,
  }, async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(60);
    for (const name of world.cluster.nodes.keys()) {
      world.cut.add(name);
      world.dead.add(name);
    }
    await world.pass(600);
    expect(world.cluster.records.size).toBe(0);
    expect(a.controller.blind.join()).toContain('4 of 4 node Leases fell silent together');
    world.cut.clear();
    world.dead.clear();
    await world.pass(60);
    expect(a.controller.blind).toEqual([]);
    expect(a.about(/: /)).toEqual([]);
  });

  it('knows that it is one when its own renewals don’t come back, though its leadership is sound', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(60);
    world.reader.deaf = (_, namespace) => namespace === 'liberator';
    world.dead.add('node-1');
    await world.pass(60);
    expect(a.controller.leading).toBeDefined();
    expect(a.controller.blind).toEqual(['our own Lease renewals no longer come back through our own watch']);
    expect(world.cluster.records.size).toBe(0);
    world.reader.deaf = () => false;
    await world.pass(60);
    expect(world.cluster.records.size).toBe(1);
  });

  it('is told apart from one whose renewals come back before their own answers', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(10);
    a.fate = { toClientMs: 500 };
    world.dead.add('node-1');
    await world.pass(60);
    expect(a.controller.blind).toEqual([]);
    expect(world.cluster.records.size).toBe(1);
  });
});

describe('nodes that were off long before', () => {
  // As the controller manager writes it: somebody did post this status once.
  const ready = {
    type: 'Ready',
    status: 'Unknown' as const,
    reason: 'NodeStatusUnknown',
    lastHeartbeatTime: '2029-12-24T00:00:00Z',
  };
  const off = (world: World, ...names: string[]): void => {
    for (const name of names) {
      world.dead.add(name);
      world.cluster.changeNode(name, (node) => ({
        ...node,
        status: { ...node.status, conditions: [ready] },
      }));
    }
  };
  const nobody = { ...anyNode, nodes: { matchLabels: { nobody: 'has this' } } };
  const few = { ...anyNode, budget: { maxDead: 9, maxDeadPercent: 100 } };

  it('do not keep a new leader from seeing that another one dies', async () => {
    const world = new World();
    off(world, 'node-3', 'node-4');
    world.cluster.changeNode('node-1', ({ metadata, ...node }) => ({
      ...node,
      metadata: { ...metadata, labels: { role: 'db' } },
    }));
    await world.pass(3_600);
    const policy = { ...few, nodes: { matchLabels: { role: 'db' } } };
    const a = world.replica('a', { policies: [policy] }).run();
    await world.pass(20);
    world.dead.add('node-1');
    await world.pass(40);
    expect(a.about(/^36[1-9].* blind/)).toEqual([]);
    expect(a.about(/claim node-1/)).toHaveLength(1);
  });

  it('do not blind a leader after the API server was away', async () => {
    const world = new World();
    const a = world.replica('a', { policies: [nobody] }).run();
    await world.pass(30);
    off(world, 'node-3');
    await world.pass(600);
    off(world, 'node-4');
    await world.pass(600);
    world.reader.fail(new Error('connection refused'));
    await world.pass(60);
    world.reader.fail(undefined);
    await world.pass(20);
    expect(a.controller.blind).toEqual([]);
    await world.pass(60);
    expect(a.controller.blind).toEqual([]);
  });

  it('and are more than half of all are believed to be so after a while, not at once', async () => {
    const world = new World();
    off(world, 'node-2', 'node-3', 'node-4');
    await world.pass(3_600);
    const a = world.replica('a', { policies: [few] }).run();
    await world.pass(110);
    expect(a.controller.blind).toEqual(['3 of 4 node Leases have not been renewed since we began to look']);
    expect(world.cluster.records.size).toBe(0);
    await world.pass(30);
    expect(a.controller.blind).toEqual([]);
    // A whole grace period from then on.
    expect(a.about(/is dead/)).toEqual([]);
    await world.pass(60);
    expect(a.about(/is dead/)).toHaveLength(3);
  });

  it('are not those who fall silent as a replica starts: that is an outage, and stays one', async () => {
    const world = new World();
    await world.pass(60);
    for (const name of ['node-2', 'node-3', 'node-4']) world.dead.add(name);
    const a = world.replica('a', { policies: [few] }).run();
    await world.pass(3_600);
    expect(a.controller.blind).toEqual(['3 of 4 node Leases fell silent together']);
    expect(world.cluster.records.size).toBe(0);
  });

  it('are nobody’s proof of sight: where no other is heard, nothing is decided', async () => {
    const world = new World();
    off(world, 'node-1', 'node-2', 'node-3', 'node-4');
    await world.pass(3_600);
    const a = world.replica('a', { policies: [few] }).run();
    await world.pass(3_600);
    expect(a.controller.blind).toContain('no node Lease has been renewed since we began to look');
    expect(world.cluster.records.size).toBe(0);
  });
});

describe('several replicas', () => {
  it('have one leader, and all see the same', async () => {
    const world = new World();
    const replicas = ['a', 'b', 'c'].map((identity) => world.replica(identity).run());
    await world.pass(30);
    world.dead.add('node-1');
    await world.pass(60);
    expect(replicas.filter(({ controller }) => controller.leading !== undefined)).toHaveLength(1);
    for (const replica of replicas) expect(replica.about(/node-1 is dead/)).toHaveLength(1);
    expect(replicas.flatMap(({ told }) => told.filter((line) => line.includes('claim')))).toHaveLength(1);
    expect(world.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });

  it('lose no time to a change of leader: the new one has seen what the old one saw', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(5);
    const b = world.replica('b').run();
    await world.pass(45);
    // It renewed for the last time ten seconds ago.
    const heardAt = world.seconds - 10;
    world.dead.add('node-1');
    await world.pass(12);
    expect(world.cluster.records.size).toBe(0);
    a.stop.abort();
    await world.pass(10);
    expect(a.outcome).toBe('stopped');
    expect(b.controller.leading?.epoch).toBe(1);
    const [claimed = 0] = b.about(/claim/).map((line) => Number.parseInt(line, 10));
    expect(claimed - heardAt).toBeGreaterThanOrEqual(25);
    expect(claimed - heardAt).toBeLessThanOrEqual(28);
  });

  it('finish what one of them began and could not end', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(5);
    const b = world.replica('b').run();
    await world.pass(30);
    world.dead.add('node-1');
    while (world.cluster.destroyed.length === 0) await world.pass(0.1);
    a.fate = { lost: 'request' };
    world.cluster.fateOf = () => (a.outcome === undefined ? { outcome: 'failed' } : undefined);
    await world.pass(60);
    expect(a.outcome).toMatchObject({ threw: { code: 'LIBERATOR_LEADERSHIP_LOST' } });
    expect(b.about(/close/)).toHaveLength(1);
    expect(world.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect([...world.cluster.records.values()][0]?.record).toMatchObject({ result: 'recovered', epoch: 1 });
  });
});
