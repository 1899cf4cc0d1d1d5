// All rooms together, in virtual time: what a controller sees, tells, decides, and leaves undone.
import { describe, expect, it, onTestFinished } from 'vitest';
import { Controller, type ControllerOptions } from './controller.ts';
import type { ControllerEvents } from './controller-events.ts';
import { LeadershipLostError } from './election/leader-elector.ts';
import type { ProbeResult } from './health/observation.ts';
import type { Lease } from './kubernetes/objects.ts';
import { leases, nodes } from './kubernetes/resources.ts';
import { clusterWithDeadNode } from './testing/dead-node.ts';
import { anyNode } from './testing/fleet-objects.ts';
import { ManualClock } from './testing/manual-clock.ts';
import type { MemoryCluster } from './testing/memory-cluster.ts';
import { MemoryLease, type RequestFate } from './testing/memory-lease.ts';
import { MemoryReader } from './testing/memory-reader.ts';

const election = { namespace: 'liberator', name: 'liberator' };

/** One replica, and everything that it told. */
class Replica {
  readonly told: string[] = [];
  readonly errors: { where: string; error: unknown }[] = [];
  readonly stop = new AbortController();
  readonly controller: Controller;
  /** What becomes of its requests for the election Lease. */
  fate: RequestFate = {};
  outcome: 'stopped' | { threw: unknown } | undefined;

  constructor(world: World, identity: string, options: Partial<ControllerOptions> = {}) {
    this.controller = new Controller({
      reader: world.reader,
      cluster: world.cluster,
      leaseStore: world.lease.storeFor({ clock: world.clock, fate: () => this.fate }),
      election,
      identity,
      policies: [anyNode],
      fencers: [
        {
          name: 'ipmi',
          fence: async () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'the BMC says off' }),
        },
      ],
      probe: async ({ metadata }) => world.answers(metadata.name),
      clock: world.clock,
      random: { next: () => 0 },
      ...options,
    });
    this.controller.on('health', ({ node, to }) => this.told.push(`${world.seconds} ${node} is ${to}`));
    this.controller.on('sight', ({ blind }) =>
      this.told.push(`${world.seconds} ${blind.length === 0 ? 'sees' : 'blind'}`),
    );
    this.controller.on('leadership', ({ leader, epoch }) =>
      this.told.push(`${world.seconds} ${leader || 'nobody'} leads ${epoch ?? ''}`.trim()),
    );
    this.controller.on('decision', ({ node, decision }) =>
      this.told.push(`${world.seconds} ${node}: ${decision.action}`),
    );
    this.controller.on('takeover', ({ step, phase, record }) => {
      if (phase === 'done' && (step === 'claim' || step === 'close'))
        this.told.push(`${world.seconds} ${step} ${record.node.name}`);
    });
    this.controller.on('error', (error) => this.errors.push(error));
  }

  run(): this {
    this.controller.run(this.stop.signal).then(
      () => {
        this.outcome = 'stopped';
      },
      (threw: unknown) => {
        this.outcome = { threw };
      },
    );
    return this;
  }

  /** What it told about one thing. */
  about(pattern: RegExp): readonly string[] {
    return this.told.filter((line) => pattern.test(line));
  }
}

/** Four nodes whose kubelets renew their Leases out of step, on an API server that all replicas watch. */
class World {
  readonly clock = new ManualClock({ turns: 2 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly reader = new MemoryReader(this.clock);
  readonly lease = new MemoryLease(this.clock);
  readonly dead = new Set<string>();
  /** Kubelets cut off from the API server, on machines that are up. */
  readonly cut = new Set<string>();
  electionAnnotations: Record<string, string> = {};
  readonly #replicas: Replica[] = [];

  constructor() {
    for (const name of ['node-3', 'node-4']) this.cluster.putNode({ metadata: { name, uid: `uid-${name}` } });
    for (const name of this.cluster.nodes.keys()) {
      this.cluster.changeNode(name, (node) => ({
        ...node,
        status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' }] },
      }));
      this.cluster.renew(name, 'at first');
    }
    this.#mirror();
    onTestFinished(async () => {
      for (const { stop } of this.#replicas) stop.abort();
      await this.clock.advance(60_000);
    });
  }

  get seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  replica(identity: string, options?: Partial<ControllerOptions>): Replica {
    const replica = new Replica(this, identity, options);
    this.#replicas.push(replica);
    return replica;
  }

  answers(name: string): ProbeResult {
    return this.dead.has(name) ? 'silent' : 'answered';
  }

  /** A tenth of a second at a time: kubelets renew, and the API server shows what changed. */
  async pass(seconds: number): Promise<this> {
    for (let i = 0; i < seconds * 10; i++) {
      const phase = this.clock.now() % 10_000;
      for (const [index, name] of [...this.cluster.nodes.keys()].entries()) {
        const renews = phase === index * 2_500 && !this.dead.has(name) && !this.cut.has(name);
        if (renews) this.cluster.renew(name, String(this.clock.now()));
      }
      this.#mirror();
      await this.clock.advance(100);
    }
    return this;
  }

  #mirror(): void {
    for (const node of this.reader.all(nodes))
      if (!this.cluster.nodes.has(node.metadata.name)) this.reader.remove(nodes, node);
    for (const node of this.cluster.nodes.values()) this.reader.put(nodes, node);
    for (const lease of this.cluster.leases.values()) this.reader.put(leases, lease);
    const { current } = this.lease;
    if (current === undefined) return;
    const resourceVersion = `${current.resourceVersion} ${JSON.stringify(this.electionAnnotations)}`;
    const metadata = {
      ...election,
      uid: current.uid,
      resourceVersion,
      annotations: this.electionAnnotations,
    };
    const shown: Lease = { metadata, spec: current.record };
    this.reader.put(leases, shown);
  }
}

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
  ])('nothing is decided, though everything but $what is known and this replica leads', async ({ about }) => {
    const world = new World();
    world.reader.slowLists = about;
    world.dead.add('node-1');
    const a = world.replica('a').run();
    await world.pass(120);
    expect(a.controller.ready).toBe(false);
    expect(a.controller.leading).toBeDefined();
    expect(a.controller.blind).toContain('not all caches are synced');
    expect([world.cluster.records.size, a.about(/: /)]).toEqual([0, []]);
    world.reader.slowLists = () => false;
    await world.pass(20);
    expect(a.controller.blind).toEqual([]);
    // A whole grace period from then on.
    expect(world.cluster.records.size).toBe(0);
    await world.pass(20);
    expect(world.cluster.records.size).toBe(1);
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

describe('a human who pauses everything', () => {
  it('does so by an annotation on the election Lease', async () => {
    const world = new World();
    world.electionAnnotations = { 'liberator.dev/paused': 'maintenance of the switch' };
    const a = world.replica('a').run();
    await world.pass(10);
    world.dead.add('node-1');
    await world.pass(60);
    expect(a.about(/node-1: hold/)).toHaveLength(1);
    world.electionAnnotations = { 'liberator.dev/paused': 'false' };
    await world.pass(30);
    expect(world.cluster.records.size).toBe(1);
  });
});

describe('the end of a run', () => {
  it('comes at once with a signal that has aborted before', async () => {
    const world = new World();
    const a = world.replica('a');
    a.stop.abort();
    a.run();
    await world.pass(1);
    expect(a.outcome).toBe('stopped');
    expect(world.lease.history).toEqual([]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('hands leadership over, and leaves nothing running', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(30);
    a.stop.abort();
    await world.pass(1);
    expect(a.outcome).toBe('stopped');
    expect(a.controller.leading).toBeUndefined();
    expect(world.lease.current?.record.holderIdentity).toBe('');
    expect(world.clock.pendingTimers).toBe(0);
    const { length } = a.told;
    await world.pass(60);
    expect(a.told).toHaveLength(length);
  });

  it('is an error when leadership was lost, and leaves nothing running either', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(30);
    world.lease.put({ holderIdentity: 'b', leaseTransitions: 1 });
    await world.pass(5);
    expect(a.outcome).toHaveProperty('threw');
    expect((a.outcome as { threw: unknown }).threw).toBeInstanceOf(LeadershipLostError);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('listeners', () => {
  it('that throw stop neither the controller nor other listeners, and are told of', async () => {
    const world = new World();
    const a = world.replica('a');
    const broken = (): never => {
      throw new Error('a bug in a listener');
    };
    let heard = 0;
    for (const event of ['health', 'decision', 'takeover', 'leadership', 'sight'] as const) {
      a.controller.on(event, broken);
      a.controller.on(event, () => heard++);
    }
    a.run();
    await world.pass(10);
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect(heard).toBeGreaterThan(10);
    expect(a.errors.length).toBe(heard);
    expect(a.errors[0]).toMatchObject({ where: 'listener', error: { message: 'a bug in a listener' } });
  });

  it('for errors that throw themselves stop nothing', async () => {
    const world = new World();
    const a = world.replica('a');
    a.controller.on('error', () => {
      throw new Error('a bug in the last resort');
    });
    a.controller.on('health', () => {
      throw new Error('a bug in a listener');
    });
    a.run();
    await world.pass(10);
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });

  it('that asked to be called once are called once', async () => {
    const world = new World();
    const a = world.replica('a');
    let once = 0;
    let always = 0;
    a.controller.once('takeover', () => once++);
    a.controller.on('takeover', () => always++);
    a.run();
    await world.pass(10);
    world.dead.add('node-1');
    await world.pass(60);
    expect(once).toBe(1);
    expect(always).toBeGreaterThan(5);
  });

  it('that were taken off are called no more', async () => {
    const world = new World();
    const a = world.replica('a');
    let heard = 0;
    const listener: ControllerEvents['leadership'] = () => heard++;
    a.controller.on('leadership', listener);
    a.controller.off('leadership', listener);
    a.run();
    await world.pass(10);
    expect(heard).toBe(0);
  });
});

describe('options that can’t work', () => {
  it('are refused: a policy that names a fencer which is not there', () => {
    const world = new World();
    const policies = [{ ...anyNode, fencing: { drivers: ['ipmi', 'cloud'], proof: 'required' as const } }];
    expect(() => world.replica('a', { policies })).toThrow(
      'policy any: expected a fencer among ipmi, found cloud',
    );
  });

  it('are refused: a death that is quicker than an outage can be told from it', () => {
    const world = new World();
    const policies = [
      { ...anyNode, detection: { ...anyNode.detection, deadAfterMs: 22_999 } as typeof anyNode.detection },
    ];
    expect(() => world.replica('a', { policies })).toThrow('expected deadAfterMs of at least 23000');
    expect(() => world.replica('a', { policies, sight: { heartbeatIntervalMs: 5_000 } })).not.toThrow();
  });
});
