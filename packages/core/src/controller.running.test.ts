// How a controller begins, tells, is paused, and ends.
import { describe, expect, it } from 'vitest';
import type { ControllerEvents } from './controller-events.ts';
import { LeadershipLostError } from './election/leader-elector.ts';
import { World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

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

  it('are refused: rules of sight by which every leader is blind, or that mean nothing', () => {
    const world = new World();
    expect(() => world.replica('a', { sight: { renewalEchoMs: 2_000 } })).toThrow(
      'expected renewalEchoMs above retryPeriodMs (2000)',
    );
    expect(() => world.replica('a', { sight: { togetherMs: -1 } })).toThrow('togetherMs of at least 0');
  });
});
