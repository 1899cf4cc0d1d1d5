// Whoever changes a policy to get a waiting takeover going starts the agents anew, and the next leader follows it.
import { describe, expect, it } from 'vitest';
import type { Fencer } from './fencing/fencer.ts';
import { noneFencer } from './fencing/none.ts';
import type { Policy } from './policy/policy.ts';
import { World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

const stuck: Fencer = {
  name: 'ipmi',
  fence: async () => ({ outcome: 'failed', detail: 'the BMC does not answer' }),
};
const redfish: Fencer = {
  name: 'redfish',
  fence: async () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' }),
};

const withFencing = (fencing: Policy['fencing']): Policy => ({ ...anyNode, fencing });

/** A takeover of node-1 that waits for a BMC, under a leader that was then stopped. */
async function waitingTakeover(): Promise<World> {
  const world = new World();
  const a = world.replica('a', { fencers: [stuck] }).run();
  await world.pass(40);
  world.dead.add('node-1');
  await world.pass(60);
  a.stop.abort();
  await world.pass(2);
  const [stored] = world.cluster.records.values();
  expect(stored?.record.steps.fence?.detail).toBe('ipmi: the BMC does not answer');
  return world;
}

describe('a takeover that waits when the configuration changes', () => {
  it.each<{ what: string; fencers: readonly Fencer[]; policy: Policy; found: object }>([
    {
      what: 'goes on without a proof when none is asked for any more',
      fencers: [noneFencer],
      policy: withFencing({ drivers: ['none'], proof: 'optional' }),
      found: { result: 'recovered', proof: 'none', policy: { proof: 'optional', drivers: ['none'] } },
    },
    {
      what: 'asks the fencer that took the place of another, whose name nobody knows any more',
      fencers: [redfish],
      policy: withFencing({ drivers: ['redfish'], proof: 'required' }),
      found: { result: 'recovered', proof: 'powered-off', fencer: 'redfish' },
    },
  ])('$what', async ({ fencers, policy, found }) => {
    const world = await waitingTakeover();
    const b = world.replica('b', { fencers, policies: [policy] }).run();
    await world.pass(90);
    const records = [...world.cluster.records.values()].map(({ record }) => record);
    expect(records).toMatchObject([{ ...found, policyChanges: [{ from: { drivers: ['ipmi'] } }] }]);
    expect(world.cluster.events.filter(({ reason }) => reason === 'TakeoverPolicyChanged')).toHaveLength(1);
    expect(b.errors).toEqual([]);
  });

  it('is held when no policy speaks for its node any more, and goes nowhere without a proof', async () => {
    const world = await waitingTakeover();
    world.replica('b', { fencers: [redfish], policies: [] }).run();
    await world.pass(90);
    const [stored] = world.cluster.records.values();
    expect(stored?.record.steps.fence?.detail).toBe('held: no policy selects the node any more');
    expect(world.cluster.destroyed).toEqual([]);
  });
});

describe('a controller', () => {
  it('takes no two fencers of one name: nobody could tell which is meant', () => {
    const world = new World();
    expect(() => world.replica('a', { fencers: [redfish, { ...stuck, name: 'redfish' }] })).toThrow(
      'expected each fencer under a name of its own, found redfish, redfish',
    );
    expect(() => world.replica('a', { fencers: [redfish] })).toThrow(
      'policy any: expected a fencer among redfish, found ipmi',
    );
  });
});

describe('a policy that has hosts switched off whose kubelet hangs', () => {
  const hungAfter = withFencing({ drivers: ['ipmi'], proof: 'required', hungAfterMs: 300_000 });

  it('is refused without a fencer that switches power, and without a proof that is required', () => {
    const world = new World();
    const words = 'policy any: fencing.hungAfterMs: expected';
    expect(() => world.replica('a', { fencers: [stuck], policies: [hungAfter] })).toThrow(
      `${words} a fencer that switches power beside it, since the host is up; found none`,
    );
    const power: Fencer = { ...stuck, acts: 'power' };
    const optional = withFencing({ ...hungAfter.fencing, proof: 'optional' });
    expect(() => world.replica('a', { fencers: [power], policies: [optional] })).toThrow(
      `${words} "proof: required" beside it, since the host is up; found none`,
    );
    expect(() => world.replica('a', { fencers: [power], policies: [hungAfter] })).not.toThrow();
  });
});
