// A pause of everything survives what it pauses: its Lease, its leader, and every replica.
import { describe, expect, it } from 'vitest';
import { type Replica, World } from './testing/controller-world.ts';

const paused = { 'liberator.dev/paused': 'maintenance of the switch' };

/** A replica that leads, and that a human told to pause. */
async function pausedWorld(): Promise<{ world: World; a: Replica }> {
  const world = new World();
  const a = world.replica('a').run();
  await world.pass(20);
  world.electionAnnotations = paused;
  await world.pass(2);
  return { world, a };
}

async function expectHeldAndThenReleased(world: World): Promise<void> {
  await world.pass(60);
  world.dead.add('node-1');
  await world.pass(120);
  expect(world.cluster.records.size).toBe(0);
  expect(world.electionAnnotations).toEqual(paused);
  // kubectl annotate lease liberator liberator.dev/paused-
  world.electionAnnotations = {};
  await world.pass(5);
  expect(world.cluster.records.size).toBe(1);
  expect(world.pauseStore.kept).toBeUndefined();
}

describe('a pause', () => {
  it('is kept beside the Lease as soon as the leader sees it', async () => {
    const { world } = await pausedWorld();
    expect(world.pauseStore.kept).toEqual({
      reason: 'maintenance of the switch',
      leaseUid: world.lease.current?.uid,
    });
  });

  it('survives that somebody deletes the Lease', async () => {
    const { world } = await pausedWorld();
    world.replica('b').run();
    await world.pass(10);
    world.lease.delete();
    await expectHeldAndThenReleased(world);
  });

  it('holds the old leader, too, in the moments in which there is no Lease', async () => {
    const { world, a } = await pausedWorld();
    world.dead.add('node-1');
    await world.pass(60);
    expect(a.about(/node-1: hold/)).toHaveLength(1);
    for (const seconds of [0.1, 0.5, 1, 1.5, 1.9]) {
      await world.pass(seconds);
      world.lease.delete();
      await world.pass(1.9);
      expect(world.cluster.records.size).toBe(0);
      world.replica(`after ${seconds}`).run();
      await world.pass(30);
    }
    expect(world.cluster.records.size).toBe(0);
  });

  it('is on a new Lease from its first moment on', async () => {
    const { world, a } = await pausedWorld();
    a.stop.abort();
    await world.pass(10);
    world.lease.delete();
    world.pauseStore.refusal = new Error('nothing can be put on it later');
    world.replica('b').run();
    await world.pass(5);
    expect(world.lease.current).toBeDefined();
    expect(world.electionAnnotations).toEqual(paused);
  });

  it('survives that somebody deletes the Lease while no replica runs', async () => {
    const { world, a } = await pausedWorld();
    a.stop.abort();
    await world.pass(10);
    world.lease.delete();
    await world.pass(600);
    world.replica('b').run();
    await expectHeldAndThenReleased(world);
  });

  it('survives that somebody makes the Lease anew without it, and shows on it again', async () => {
    const { world, a } = await pausedWorld();
    a.stop.abort();
    await world.pass(10);
    world.lease.delete();
    world.lease.put({ holderIdentity: '' });
    world.replica('b').run();
    await expectHeldAndThenReleased(world);
  });

  it('of which only memory knows survives its Lease as long as one replica does', async () => {
    const world = new World();
    world.replica('a').run();
    world.replica('b').run();
    await world.pass(20);
    world.pauseStore.refusal = new Error('forbidden');
    world.electionAnnotations = paused;
    await world.pass(1);
    world.lease.delete();
    await world.pass(60);
    expect(world.pauseStore.kept).toBeUndefined();
    expect(world.electionAnnotations).toEqual(paused);
  });

  it('that was set just before the Lease was deleted is not lost with it', async () => {
    const world = new World();
    world.replica('a').run();
    world.replica('b').run();
    await world.pass(20);
    world.electionAnnotations = paused;
    await world.pass(0.1);
    world.lease.delete();
    await expectHeldAndThenReleased(world);
  });

  it('that was taken off while no replica ran stays off', async () => {
    const { world, a } = await pausedWorld();
    a.stop.abort();
    await world.pass(10);
    world.electionAnnotations = {};
    world.replica('b').run();
    await world.pass(20);
    expect(world.electionAnnotations).toEqual({});
    expect(world.pauseStore.kept).toBeUndefined();
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.cluster.records.size).toBe(1);
  });

  it('that was taken off does not come back with another Lease', async () => {
    const { world } = await pausedWorld();
    world.replica('b').run();
    world.electionAnnotations = {};
    await world.pass(5);
    world.lease.delete();
    await world.pass(60);
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.electionAnnotations).toEqual({});
    expect(world.cluster.records.size).toBe(1);
  });

  it('that a human kept by hand, while there was no Lease at all, is heeded', async () => {
    const world = new World();
    world.pauseStore.kept = { reason: 'maintenance of the switch', leaseUid: '' };
    world.replica('a').run();
    await expectHeldAndThenReleased(world);
  });

  it('holds although it can’t be kept, which is told and tried again', async () => {
    const { world, a } = await pausedWorld();
    world.pauseStore.refusal = new Error('forbidden');
    world.electionAnnotations = { 'liberator.dev/paused': 'another reason' };
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.cluster.records.size).toBe(0);
    expect(a.errors[0]).toMatchObject({ where: 'pause', error: { message: 'forbidden' } });
    expect(a.errors.length).toBeLessThan(70);
    world.pauseStore.refusal = undefined;
    await world.pass(2);
    expect(world.pauseStore.kept).toMatchObject({ reason: 'another reason' });
  });
});

describe('whether there is a pause', () => {
  it('must be known before a Lease is made', async () => {
    const world = new World();
    world.pauseStore.unreadable = new Error('forbidden');
    const a = world.replica('a').run();
    await world.pass(60);
    expect(world.lease.history).toEqual([]);
    expect(a.errors[0]).toMatchObject({ where: 'election', error: { message: 'forbidden' } });
    world.pauseStore.unreadable = undefined;
    await world.pass(5);
    expect(a.controller.leading).toBeDefined();
  });

  it('must be known before a leader decides anything', async () => {
    const { world, a } = await pausedWorld();
    a.stop.abort();
    await world.pass(10);
    world.lease.delete();
    world.lease.put({ holderIdentity: '' });
    world.pauseStore.unreadable = new Error('forbidden');
    const b = world.replica('b').run();
    world.dead.add('node-1');
    await world.pass(120);
    expect(b.controller.leading).toBeDefined();
    expect(b.controller.blind).toEqual(['whether everything is paused has not been read yet']);
    world.pauseStore.unreadable = undefined;
    await world.pass(60);
    expect([b.controller.blind, world.cluster.records.size]).toEqual([[], 0]);
  });
});
