// A leader asks fencers whether they could fence, before they have to: in whole controllers, in virtual time.
import { describe, expect, it } from 'vitest';
import type { ControllerOptions } from './controller-options.ts';
import type { FenceChecked } from './drilling/drill.ts';
import type { FenceCheck } from './fencing/fence-check.ts';
import type { Fencer } from './fencing/fencer.ts';
import { manualFencer } from './fencing/manual.ts';
import { holdReasons } from './policy/decision.ts';
import type { StatusDocument } from './telling/status-document.ts';
import { type Replica, World } from './testing/controller-world.ts';
import { anyNode } from './testing/fleet-objects.ts';

const ready: FenceCheck = {
  outcome: 'ready',
  machine: 'matched',
  power: 'on',
  mayAct: 'yes',
  detail: 'the BMC answers',
};
const broken: FenceCheck = {
  outcome: 'not-ready',
  machine: 'unknown',
  power: 'unknown',
  mayAct: 'unknown',
  detail: 'the password is refused',
};

/** Devices that say what they are told to, and note what they are asked. */
class Devices {
  readonly asked: { readonly at: number; readonly node: string; readonly fencer: string }[] = [];
  readonly fenced: string[] = [];
  readonly bad = new Set<string>();
  /** Those whose device accepts a question and never answers it. */
  readonly mute = new Set<string>();
  underWay = 0;
  mostUnderWay = 0;
  tookMs = 1_000;
  fenceTakesMs = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  fencer(name: string, more: Partial<Fencer> = {}): Fencer {
    const { clock } = this.#world;
    return {
      name,
      proofs: ['powered-off'],
      fence: async (target, { permit }) => {
        await new Promise<void>((resolve) => clock.setTimeout(resolve, this.fenceTakesMs));
        if ((await permit()).outcome !== 'granted') return { outcome: 'failed', detail: 'refused' };
        this.fenced.push(target.name);
        return { outcome: 'fenced', proof: 'powered-off', detail: 'off' };
      },
      check: async (target, { signal }) => {
        this.asked.push({ at: clock.now(), node: target.name, fencer: name });
        this.underWay += 1;
        this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
        await new Promise<void>((resolve) => {
          if (!this.mute.has(target.name)) clock.setTimeout(resolve, this.tookMs);
          signal.addEventListener('abort', () => resolve());
        });
        this.underWay -= 1;
        return this.bad.has(target.name) ? broken : ready;
      },
      ...more,
    };
  }
}

interface Scene {
  readonly world: World;
  readonly devices: Devices;
  readonly replica: Replica;
  readonly checked: FenceChecked[];
  readonly decisions: string[];
  readonly documents: StatusDocument[];
  events(): readonly string[];
}

function scene(
  options: (devices: Devices) => Partial<ControllerOptions> = (devices) => ({
    fencers: [devices.fencer('ipmi')],
  }),
): Scene {
  const world = new World();
  const devices = new Devices(world);
  const documents: StatusDocument[] = [];
  const replica = world.replica('a', {
    status: {
      publish: async (_, document) => {
        documents.push(document);
        return 'written';
      },
    },
    ...options(devices),
  });
  const checked: FenceChecked[] = [];
  const decisions: string[] = [];
  replica.controller.on('fenceCheck', (one) => checked.push(one));
  replica.controller.on('decision', ({ decision }) => decisions.push(holdReasons(decision).join('; ')));
  replica.run();
  return {
    world,
    devices,
    replica,
    checked,
    decisions,
    documents,
    events: () =>
      world.cluster.events
        .filter(({ reason }) => reason.startsWith('FenceCheck'))
        .map(({ node, reason, message }) => `${node.name} ${reason} ${message}`),
  };
}

const aged = { ...anyNode, fencing: { ...anyNode.fencing, maxCheckAgeMs: 86_400_000 } };

describe('a leader', () => {
  it('asks about every node soon after it began, then once an interval, and tells each answer', async () => {
    const { world, devices, checked, documents } = scene((all) => ({
      fencers: [all.fencer('ipmi')],
      drill: { everyMs: 120_000 },
    }));
    await world.pass(45);
    expect(devices.asked.map(({ node }) => node).sort()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
    expect(checked).toHaveLength(4);
    expect(checked[0]).toMatchObject({ policy: 'any', fencer: 'ipmi', check: ready });
    await world.pass(600);
    expect(devices.asked.length).toBeGreaterThanOrEqual(4 + 4 * 4);
    expect(devices.asked.length).toBeLessThanOrEqual(4 + 4 * 6);
    expect(documents.at(-1)?.drill).toMatchObject({
      everyMs: 120_000,
      policies: [
        { policy: 'any', nodes: 4, ladder: [{ fencer: 'ipmi', ready: 4, notReady: 0, waiting: 0 }] },
      ],
      attention: [],
      more: 0,
    });
  });

  it('asks only those on the ladder of the policy that counts, and nobody where only humans are asked', async () => {
    const { world, devices, documents } = scene((all) => ({
      fencers: [all.fencer('ipmi'), all.fencer('other'), manualFencer],
      policies: [
        { ...anyNode, fencing: { ladder: [{ fencer: 'ipmi' }, { fencer: 'manual' }], proof: 'required' } },
      ],
    }));
    await world.pass(60);
    expect(new Set(devices.asked.map(({ fencer }) => fencer))).toEqual(new Set(['ipmi']));
    expect(documents.at(-1)?.drill?.policies[0]?.ladder[1]).toEqual({
      fencer: 'manual',
      unchecked: true,
      ready: 0,
      notReady: 0,
      waiting: 0,
    });

    const people = scene(() => ({
      fencers: [manualFencer],
      policies: [{ ...anyNode, fencing: { drivers: ['manual'], proof: 'required' } }],
    }));
    await people.world.pass(60);
    expect(people.checked).toEqual([]);
    expect(people.documents.at(-1)?.drill).toBeUndefined();
  });

  it('asks nobody when it is told not to, and a follower never does', async () => {
    const silent = scene((all) => ({ fencers: [all.fencer('ipmi')], drill: false }));
    await silent.world.pass(60);
    expect(silent.devices.asked).toEqual([]);

    const { world } = scene();
    await world.pass(20);
    const followers = new Devices(world);
    world.replica('b', { fencers: [followers.fencer('ipmi')] }).run();
    await world.pass(60);
    expect(followers.asked).toEqual([]);
  });

  it('asks no more devices at once than it may, and of a shared one no more than that bears', async () => {
    const shared = scene((all) => {
      all.tookMs = 25_000;
      return { fencers: [all.fencer('ipmi', { device: () => ({ key: 'chassis', concurrency: 1 }) })] };
    });
    await shared.world.pass(90);
    expect(shared.devices.asked.length).toBeGreaterThan(2);
    expect(shared.devices.mostUnderWay).toBe(1);

    const own = scene((all) => {
      all.tookMs = 45_000;
      return { fencers: [all.fencer('ipmi')], drill: { concurrency: 2 } };
    });
    await own.world.pass(60);
    expect(own.devices.mostUnderWay).toBe(2);
  });

  it('tells once on the node that its fencer began to fail, and once that it works again', async () => {
    const { world, devices, events, documents, replica } = scene((all) => ({
      fencers: [all.fencer('ipmi')],
      drill: { everyMs: 30_000 },
    }));
    devices.bad.add('node-2');
    await world.pass(120);
    const failed =
      'node-2 FenceCheckFailed fencer ipmi of policy any could not fence this node if it died now: the password is refused';
    expect(events()).toEqual([failed]);
    expect(replica.controller.fencersNotReady).toEqual(new Map([['ipmi', 1]]));
    expect(documents.at(-1)?.drill).toMatchObject({
      policies: [{ ladder: [{ ready: 3, notReady: 1 }] }],
      attention: [
        {
          node: 'node-2',
          fencer: 'ipmi',
          problem: { machine: 'unknown', detail: 'the password is refused' },
        },
      ],
    });
    devices.bad.clear();
    await world.pass(120);
    expect(events()).toEqual([
      failed,
      'node-2 FenceCheckPassed fencer ipmi of policy any could fence this node again: the BMC answers',
    ]);
    expect(replica.controller.fencersNotReady).toEqual(new Map());
  });

  it('lets go of a device that a takeover needs, and asks nothing of it meanwhile', async () => {
    const { world, devices } = scene((all) => {
      all.tookMs = 1_000;
      return {
        fencers: [all.fencer('ipmi', { device: () => ({ key: 'chassis', concurrency: 1 }) })],
        drill: { everyMs: 20_000 },
      };
    });
    await world.pass(40);
    devices.fenceTakesMs = 55_000;
    world.dead.add('node-1');
    await world.pass(40);
    const from = world.clock.now();
    await world.pass(10);
    expect(devices.fenced).toEqual([]);
    expect(devices.asked.filter(({ at }) => at >= from)).toEqual([]);
    await world.pass(60);
    expect(devices.fenced).toEqual(['node-1']);
    expect(devices.asked.some(({ at }) => at >= from + 10_000)).toBe(true);
  });

  it('asks nothing of a device by which a machine is switched on again', async () => {
    const given: { from: number; to: number }[] = [];
    const { world, devices } = scene((all) => ({
      fencers: [
        all.fencer('ipmi', {
          acts: 'power',
          device: () => ({ key: 'chassis', concurrency: 1 }),
          unfence: async (_, { permit }) => {
            await permit();
            const from = world.clock.now();
            await new Promise<void>((resolve) => world.clock.setTimeout(resolve, 50_000));
            given.push({ from, to: world.clock.now() });
            return { outcome: 'unfenced', detail: 'on' };
          },
        }),
      ],
      policies: [{ ...anyNode, fencing: { ...anyNode.fencing, proof: 'required', afterwards: 'power-on' } }],
      drill: { everyMs: 20_000 },
    }));
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(200);
    expect(devices.fenced).toEqual(['node-1']);
    const [{ from = 0, to = 0 } = {}] = given;
    expect(to - from).toBeGreaterThanOrEqual(50_000);
    expect(devices.asked.filter(({ at }) => at > from && at < to)).toEqual([]);
    expect(devices.asked.some(({ at }) => at > to)).toBe(true);
  });

  it('ends with its term though a device never answers', async () => {
    const { world, devices, replica } = scene((all) => {
      all.tookMs = 10_000_000;
      return { fencers: [all.fencer('ipmi', { check: () => new Promise(() => {}) })] };
    });
    await world.pass(40);
    expect(devices.fenced).toEqual([]);
    replica.stop.abort();
    await world.pass(3);
    expect(replica.outcome).toBe('stopped');
  });
});

describe('a policy that asks for a check that is not too old', () => {
  it('has the fencer asked at once when a node dies under a leader that never asked, and takes it over', async () => {
    const { world, devices } = scene((all) => ({
      fencers: [all.fencer('ipmi')],
      policies: [aged],
      // Nobody else would have his turn within this test.
      drill: { everyMs: 1_000_000_000, concurrency: 1 },
    }));
    world.dead.add('node-4');
    await world.pass(60);
    expect(devices.asked.map(({ node }) => node)).toContain('node-4');
    expect(devices.fenced).toEqual(['node-4']);
  });

  it('does not keep a node waiting for others whose devices never answer', async () => {
    const { world, devices } = scene((all) => {
      all.mute.add('node-1').add('node-2').add('node-3');
      return {
        fencers: [all.fencer('ipmi', { timeoutMs: 600_000 })],
        policies: [aged],
        drill: { concurrency: 2 },
      };
    });
    await world.pass(40);
    expect(devices.underWay).toBe(2);
    world.dead.add('node-4');
    await world.pass(60);
    expect(devices.fenced).toEqual(['node-4']);
  });

  it('holds the takeover by name while the device is not ready, and goes on once it is', async () => {
    const { world, devices, decisions } = scene((all) => ({
      fencers: [all.fencer('ipmi')],
      policies: [aged],
    }));
    devices.bad.add('node-1');
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(60);
    expect(decisions.at(-1)).toBe(
      'fence-check: no fencer has said since this leader began that it could fence the node: ipmi: the password is refused',
    );
    expect(devices.fenced).toEqual([]);
    expect(world.cluster.records.size).toBe(0);
    devices.bad.clear();
    await world.pass(30);
    expect(devices.fenced).toEqual(['node-1']);
  });

  it('does not wait for a device that was well a while ago and is out of reach with its machine', async () => {
    const { world, devices } = scene((all) => ({ fencers: [all.fencer('ipmi')], policies: [aged] }));
    await world.pass(60);
    devices.bad.add('node-1');
    world.dead.add('node-1');
    await world.pass(60);
    expect(devices.fenced).toEqual(['node-1']);
  });

  it('is refused where nobody could ever satisfy it', () => {
    const world = new World();
    const make = (options: Partial<ControllerOptions>) => () => world.replica('x', options);
    const { check: _, ...unchecked } = new Devices(world).fencer('ipmi');
    expect(make({ policies: [aged], fencers: [unchecked] })).toThrow(
      new RangeError('policy any: expected a fencer that can be checked beside maxCheckAgeMs, found none'),
    );
    expect(make({ policies: [aged], drill: false, fencers: [new Devices(world).fencer('ipmi')] })).toThrow(
      /expected a drill beside maxCheckAgeMs/,
    );
  });

  it('holds nothing where a policy does not ask for it', async () => {
    const { world, devices } = scene((all) => ({ fencers: [all.fencer('ipmi')], drill: false }));
    devices.bad.add('node-1');
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(60);
    expect(devices.fenced).toEqual(['node-1']);
  });
});
