// A leader that no longer decides does not lead: whatever goes wrong in its loop, somebody else decides soon.
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LeadershipLostError } from './election/leader-elector.ts';
import { Leadership } from './leadership.ts';
import { type Replica, World } from './testing/controller-world.ts';
import { WorldLoop } from './world-loop.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** The last two of anything: a leader and whoever waits. */
async function twoReplicas(): Promise<{ world: World; a: Replica; b: Replica }> {
  const world = new World();
  const a = world.replica('a').run();
  await world.pass(1);
  const b = world.replica('b').run();
  await world.pass(19);
  expect(a.controller.leading).toBeDefined();
  return { world, a, b };
}

const bug = (): never => {
  throw new TypeError('a bug');
};

/** The next wake of a replica that leads, or of one that doesn't, fails. */
function plantInWake({ leading = true } = {}): void {
  const { wake } = WorldLoop.prototype;
  let planted = true;
  vi.spyOn(WorldLoop.prototype, 'wake').mockImplementation(function (this: WorldLoop) {
    if (planted && (this.world.term !== undefined) === leading) {
      planted = false;
      bug();
    }
    wake.call(this);
  });
}

describe('a leader in whose loop something is thrown', () => {
  it.each([
    {
      where: 'deciding',
      plant: () => plantInWake(),
    },
    {
      where: 'attending to returns',
      plant: () => vi.spyOn(Leadership.prototype, 'attendReturns').mockImplementationOnce(bug),
    },
    {
      where: 'telling its status',
      plant: () => vi.spyOn(Leadership.prototype, 'decisions', 'get').mockImplementationOnce(bug),
    },
  ])('by $where ends its term at once, and another one decides', async ({ plant }) => {
    const { world, a, b } = await twoReplicas();
    const status = { publish: async () => 'written' as const };
    a.stop.abort();
    await world.pass(5);
    expect(b.controller.leading).toBeDefined();
    const c = world.replica('c', { status }).run();
    await world.pass(5);
    b.stop.abort();
    await world.pass(5);
    const term = c.controller.leading;
    expect(term).toBeDefined();
    const d = world.replica('d').run();
    await world.pass(5);
    world.dead.add('node-1');
    plant();
    await world.pass(4);
    expect(term?.remainingMs()).toBe(0);
    expect(c.outcome).toMatchObject({ threw: { message: expect.stringContaining('a bug') } });
    expect((c.outcome as { threw: unknown }).threw).toBeInstanceOf(LeadershipLostError);
    expect((c.outcome as { threw: Error }).threw.cause).toMatchObject({ message: 'a bug' });
    expect(c.errors).toMatchObject([{ where: 'leading', error: { message: 'a bug' } }]);
    // Not by waiting until a Lease that nobody renews has run out.
    expect(d.controller.leading).toBeDefined();
    await world.pass(60);
    expect(d.about(/claim node-1/)).toHaveLength(1);
  });

  it('by looking ends its term at once', async () => {
    const { world, a, b } = await twoReplicas();
    plantInWake();
    await world.pass(4);
    expect(a.outcome).toMatchObject({ threw: { cause: { message: 'a bug' } } });
    expect(b.controller.leading).toBeDefined();
  });

  it('by taking up what earlier leaders left ends its term at once', async () => {
    const { world, a, b } = await twoReplicas();
    vi.spyOn(Leadership.prototype, 'takeUp').mockImplementationOnce(async () => bug());
    a.stop.abort();
    await world.pass(5);
    expect(b.outcome).toMatchObject({ threw: { cause: { message: 'a bug' } } });
    expect(world.lease.current?.record.holderIdentity).toBe('');
  });

  it('has ended its term before it waits for anything, and gives the Lease back only after that', async () => {
    const { world, a, b } = await twoReplicas();
    const settling = Promise.withResolvers<void>();
    vi.spyOn(Leadership.prototype, 'settled').mockImplementationOnce(() => settling.promise);
    plantInWake();
    const renewals = world.lease.history.length;
    await world.pass(5);
    expect(a.controller.leading).toBeUndefined();
    expect(a.outcome).toBeUndefined();
    expect(world.lease.history).toHaveLength(renewals);
    expect(world.lease.current?.record.holderIdentity).toBe('a');
    settling.resolve();
    await world.pass(3);
    expect(a.outcome).toHaveProperty('threw');
    expect(b.controller.leading).toBeDefined();
  });

  it('waits for what is under way within limits, and then lets its Lease run out', async () => {
    const { world, a, b } = await twoReplicas();
    vi.spyOn(Leadership.prototype, 'settled').mockImplementationOnce(() => new Promise(() => {}));
    plantInWake();
    await world.pass(11);
    expect(a.outcome).toMatchObject({ threw: { message: expect.stringContaining('within 10000 ms') } });
    expect(world.lease.current?.record.holderIdentity).toBe('a');
    await world.pass(8);
    expect(b.controller.leading).toBeDefined();
  });
});

describe('a leader that hears nothing of the records of earlier takeovers', () => {
  it('says so, decides nothing, and makes way for another one when no answer comes at all', async () => {
    const { world, a, b } = await twoReplicas();
    vi.spyOn(world.cluster, 'listRecords').mockImplementationOnce(() => new Promise(() => {}));
    world.dead.add('node-1');
    await world.pass(10);
    a.stop.abort();
    await world.pass(20);
    expect(b.controller.leading).toBeDefined();
    expect(b.controller.blind).toEqual(['the records of earlier takeovers have not been read yet']);
    expect(b.controller.lookedAt).toBeGreaterThan(world.clock.now() - 1_000);
    expect(world.cluster.records.size).toBe(0);
    const c = world.replica('c').run();
    await world.pass(80);
    expect(b.outcome).toMatchObject({
      threw: { cause: { message: expect.stringContaining('neither read nor refused') } },
    });
    expect(c.about(/claim node-1/)).toHaveLength(1);
  });

  it('stays leader while it is refused them, since others will fare no better, and goes on once it gets them', async () => {
    const { world, a, b } = await twoReplicas();
    const refused = vi.spyOn(world.cluster, 'listRecords').mockRejectedValue(new Error('forbidden'));
    world.dead.add('node-1');
    a.stop.abort();
    await world.pass(120);
    expect(b.controller.leading).toBeDefined();
    expect(b.errors.length).toBeGreaterThan(100);
    expect(world.cluster.records.size).toBe(0);
    refused.mockRestore();
    await world.pass(10);
    expect(b.about(/claim node-1/)).toHaveLength(1);
  });
});

describe('whether a replica is alive', () => {
  it('shows in when it last looked; of a leader, in when it last decided', async () => {
    const { world, a, b } = await twoReplicas();
    const now = (): number => world.clock.now();
    expect(a.controller.lookedAt).toBeGreaterThan(now() - 1_000);
    const settling = new Promise<void>(() => {});
    vi.spyOn(Leadership.prototype, 'settled').mockImplementationOnce(() => settling);
    plantInWake();
    const failedAt = now();
    await world.pass(9);
    // Its other loop is well, and says nothing in its favour.
    expect(a.controller.lookedAt).toBeLessThan(failedAt + 1_000);
    expect(b.controller.lookedAt).toBeGreaterThan(now() - 1_000);
  });

  it('is found out before it leads, too: who can’t look does not run on', async () => {
    const world = new World();
    const a = world.replica('a').run();
    await world.pass(5);
    const b = world.replica('b').run();
    await world.pass(5);
    plantInWake({ leading: false });
    await world.pass(5);
    expect(b.outcome).toMatchObject({ threw: { message: 'a bug' } });
    expect(a.outcome).toBeUndefined();
  });
});
