// What watches bring becomes what is known of each node, by uid.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Lease } from '../kubernetes/objects.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { Policy } from '../policy/policy.ts';
import { Fleet } from '../testing/fleet.ts';
import { anyNode, leaseOf, nodeNamed } from '../testing/fleet-objects.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { deathIdOf, heartbeatWithoutLease } from './death-id.ts';
import type { ProbeResult } from './fact.ts';
import type { HealthChange } from './ledger.ts';

class Story {
  readonly clock = new ManualClock({ turns: 1 });
  readonly changes: HealthChange[] = [];
  readonly fleet: Fleet;

  constructor(policies: readonly Policy[] = [anyNode]) {
    this.fleet = new Fleet({
      clock: this.clock,
      policies,
      onHealthChange: (change) => this.changes.push(change),
    });
  }

  node(name = 'node-1'): FleetNode {
    const node = this.fleet.nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** Lets time pass, looking around twice a second as the controller does. */
  async pass(seconds: number): Promise<this> {
    for (let i = 0; i < seconds * 2; i++) {
      await this.clock.advance(500);
      this.fleet.assess();
    }
    return this;
  }

  /** The host of a node is silent to probes every two seconds for as long. */
  async silence(seconds: number, name = 'node-1'): Promise<this> {
    for (let i = 0; i < seconds / 2; i++) {
      await this.pass(2);
      this.fleet.probed(name, this.node(name).node.metadata.uid, 'silent');
    }
    return this;
  }

  get told(): readonly string[] {
    return this.changes.map(({ node, from, to }) => `${node}: ${from} -> ${to}`);
  }
}

describe('a node', () => {
  it('goes from alive over suspect to dead and back, and each change is told once', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.probed('node-1', 'uid-node-1', 'answered');
    await story.silence(40);
    story.fleet.leaseSeen(leaseOf('node-1', 'b'));
    await story.pass(5);
    expect(story.told).toEqual([
      'node-1: alive -> suspect',
      'node-1: suspect -> dead',
      'node-1: dead -> alive',
    ]);
    expect(story.changes[1]?.assessment).toMatchObject({ evidence: 'unreachable' });
  });

  it('is known by its Lease even when that was seen before it', async () => {
    const story = new Story();
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    await story.pass(60);
    story.fleet.nodeSeen(nodeNamed('node-1'));
    expect(story.node().state).toMatchObject({ hadLease: true, renewTime: 'a', heartbeatAt: 60_000 });
    // Nobody knows how old it was by then.
    expect(story.fleet.hearing).toEqual({
      heartbeats: [],
      unheard: [{ since: 60_000, calledSilent: false }],
    });
    await story.pass(14);
    expect(story.node().health).toBe('alive');
    await story.pass(2);
    expect(story.node().health).toBe('suspect');
  });

  it('that registers anew under its name is another node, with a past of its own', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.probed('node-1', 'uid-node-1', 'answered');
    await story.silence(40);
    expect(story.node().health).toBe('dead');
    const deathBefore = story.node().deathId;
    story.fleet.nodeSeen(nodeNamed('node-1', { uid: 'anew', ready: 'True' }));
    expect(story.node()).toMatchObject({ health: 'alive', assessment: undefined });
    expect(story.node().state).toMatchObject({ silentProbes: 0, readySince: 40_000, heartbeatAt: 40_000 });
    expect(story.node().deathId).not.toBe(deathBefore);
  });

  it('takes no probe for its own that asked its predecessor', () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { uid: 'anew' }));
    story.fleet.probed('node-1', 'uid-node-1', 'refused');
    story.fleet.probed('unknown', 'x', 'refused');
    expect(story.node().state.lastProbe).toBeUndefined();
  });

  it('that is gone is forgotten, and starts with a whole grace period when it is seen again', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    await story.pass(20);
    story.fleet.nodeGone('node-1');
    expect(story.fleet.nodes.size).toBe(0);
    expect(story.fleet.hearing.heartbeats).toEqual([]);
    story.fleet.nodeSeen(nodeNamed('node-1'));
    await story.pass(14);
    expect(story.node().health).toBe('alive');
  });

  it('whose Lease is deleted stays as silent as it was', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    await story.pass(10);
    story.fleet.leaseGone('node-1');
    await story.pass(6);
    expect(story.node().assessment).toMatchObject({ health: 'suspect', silentSince: 0 });
  });

  it('without conditions, without a Lease, or with an empty Lease is data', async () => {
    const story = new Story();
    story.fleet.nodeSeen({ metadata: { name: 'bare', uid: 'bare', resourceVersion: '1' } });
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'absent' }));
    story.fleet.leaseSeen(leaseOf('node-1', undefined));
    story.fleet.leaseSeen(leaseOf('unknown', 'a'));
    await story.pass(600);
    expect([story.node('bare').health, story.node().health]).toEqual(['suspect', 'alive']);
    expect(story.fleet.hearing.heartbeats).toEqual([]);
  });
});

describe('while we are blind', () => {
  it('nobody dies, and who was dead before stays so', async () => {
    const story = new Story();
    for (const name of ['node-1', 'node-2']) {
      story.fleet.nodeSeen(nodeNamed(name));
      story.fleet.leaseSeen(leaseOf(name, 'a'));
      story.fleet.probed(name, `uid-${name}`, 'answered');
    }
    await story.silence(30, 'node-1');
    for (let i = 0; i < 10; i++) {
      await story.clock.advance(2_000);
      story.fleet.probed('node-2', 'uid-node-2', 'silent');
      story.fleet.assess({ blind: true });
    }
    expect([story.node('node-1').health, story.node('node-2').health]).toEqual(['dead', 'suspect']);
    story.fleet.assess();
    expect(story.node('node-2').health).toBe('dead');
  });
});

describe('when nodes were last heard', () => {
  it('is now for one without a Lease yet, until Kubernetes calls it Unknown', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    await story.pass(20);
    expect(story.fleet.hearing.heartbeats).toEqual([20_000]);
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    await story.pass(20);
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    expect(story.fleet.hearing.heartbeats).toEqual([20_000]);
  });

  it('is when a renewal reached us: a Lease that was there when we came says nothing of how old it is', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    story.fleet.leaseSeen(leaseOf('node-1', 'last week'), { listed: true });
    await story.pass(5);
    expect(story.fleet.hearing).toEqual({ heartbeats: [], unheard: [{ since: 0, calledSilent: true }] });
    story.fleet.leaseSeen(leaseOf('node-1', 'last week'));
    expect(story.fleet.hearing.heartbeats).toEqual([]);
    story.fleet.leaseSeen(leaseOf('node-1', 'now'));
    expect(story.fleet.hearing).toEqual({ heartbeats: [5_000], unheard: [] });
    await story.pass(5);
    // Listed anew after a time in which we could not see: somebody renewed it meanwhile.
    story.fleet.leaseSeen(leaseOf('node-1', 'then'), { listed: true });
    expect(story.fleet.hearing.heartbeats).toEqual([10_000]);
  });

  it('begins with the first Lease of a node that joins while we look', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'True' }));
    await story.pass(10);
    story.fleet.leaseSeen(leaseOf('node-1', 'first'));
    expect(story.fleet.hearing).toEqual({ heartbeats: [10_000], unheard: [] });
  });

  it('does not begin with a Lease that says nothing of when', () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    story.fleet.leaseSeen({ ...leaseOf('node-1', undefined), spec: { renewTime: null } } as unknown as Lease);
    expect(story.fleet.hearing).toEqual({ heartbeats: [], unheard: [{ since: 0, calledSilent: true }] });
    expect(story.node().state.hadLease).toBe(false);
  });

  it('outlasts our own blindness: who was silent before does not fall silent anew after it', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.nodeSeen(nodeNamed('node-2', { ready: 'True' }));
    await story.pass(5);
    story.fleet.nodeSeen(nodeNamed('node-2', { ready: 'Unknown' }));
    await story.pass(600);
    story.fleet.sightRegained();
    expect(story.fleet.hearing.heartbeats).toEqual([0, 5_000]);
    // And yet it gets a whole new grace period.
    expect(story.node().state.heartbeatAt).toBe(605_000);
  });

  it('is forgotten with the Node: one that registers anew has to be heard anew', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    await story.pass(5);
    story.fleet.nodeSeen(nodeNamed('node-1', { uid: 'anew', ready: 'True' }));
    expect(story.fleet.hearing.unheard).toEqual([{ since: 5_000, calledSilent: false }]);
    story.fleet.nodeGone('node-1');
    expect(story.fleet.hearing).toEqual({ heartbeats: [], unheard: [] });
  });

  it('leaves out those that were taken over: a new replica must not think that they fall silent now', () => {
    const story = new Story();
    const taints = [{ key: 'liberator.dev/takeover', value: 'x', effect: 'NoSchedule' as const }];
    story.fleet.nodeSeen({ ...nodeNamed('node-1', { ready: 'Unknown' }), spec: { taints } });
    story.fleet.leaseSeen(leaseOf('node-1', 'long ago'), { listed: true });
    story.fleet.nodeSeen(nodeNamed('node-2'));
    story.fleet.leaseSeen(leaseOf('node-2', 'now'));
    expect(story.fleet.hearing).toEqual({ heartbeats: [0], unheard: [] });
  });

  it('keeps those that it heard before they were taken over: they may be the first of all to fall silent', () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'now'));
    const taints = [{ key: 'liberator.dev/takeover', value: 'x', effect: 'NoSchedule' as const }];
    story.fleet.nodeSeen({ ...nodeNamed('node-1', { ready: 'Unknown' }), spec: { taints } });
    expect(story.fleet.hearing).toEqual({ heartbeats: [0], unheard: [] });
  });
});

describe('the policy of a node', () => {
  const first: Policy = { ...anyNode, name: 'first', nodes: { matchLabels: { tier: 'db' } } };
  const second: Policy = {
    ...anyNode,
    name: 'second',
    nodes: { matchExpressions: [{ key: 'tier', operator: 'Exists' }] },
  };

  it('is the first that selects it', () => {
    const story = new Story([first, second]);
    story.fleet.nodeSeen(nodeNamed('a', { labels: { tier: 'db' } }));
    story.fleet.nodeSeen(nodeNamed('b', { labels: { tier: 'web' } }));
    story.fleet.nodeSeen(nodeNamed('c'));
    expect(['a', 'b', 'c'].map((name) => story.node(name).policy?.name)).toEqual([
      'first',
      'second',
      undefined,
    ]);
  });

  it('changes with its labels, and a node that none selects any more is left alone', async () => {
    const story = new Story([first]);
    story.fleet.nodeSeen(nodeNamed('node-1', { labels: { tier: 'db' } }));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.probed('node-1', 'uid-node-1', 'answered');
    await story.silence(40);
    expect(story.node().health).toBe('dead');
    story.fleet.nodeSeen(nodeNamed('node-1'));
    await story.pass(1);
    expect(story.node()).toMatchObject({ policy: undefined, assessment: undefined, health: 'alive' });
    story.fleet.nodeSeen(nodeNamed('node-1', { labels: { tier: 'db' } }));
    await story.pass(1);
    expect(story.node().health).toBe('dead');
  });
});

describe('a human’s confirmation', () => {
  const confirm = (deathId: string): Parameters<typeof nodeNamed>[1] => ({
    ready: 'Unknown',
    annotations: { 'liberator.dev/confirmed-dead': deathId },
  });

  async function silentNode(): Promise<Story> {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    return story.pass(20);
  }

  it('is proof when it names this very death', async () => {
    const story = await silentNode();
    const { deathId } = story.node();
    expect(deathId).toBe(deathIdOf('uid-node-1', 'a'));
    story.fleet.nodeSeen(nodeNamed('node-1', confirm(deathId)));
    await story.pass(1);
    expect(story.node().assessment).toMatchObject({ health: 'dead', evidence: 'proven' });
  });

  it.each(['true', '', deathIdOf('uid-node-1', 'an earlier heartbeat')])(
    'is none when it says "%s"',
    async (value) => {
      const story = await silentNode();
      story.fleet.nodeSeen(nodeNamed('node-1', confirm(value)));
      await story.pass(1);
      expect(story.node().assessment).toMatchObject({ health: 'suspect', evidence: 'suspected' });
    },
  );

  it('is void at the first renewal, and stays so in the next silence', async () => {
    const story = await silentNode();
    story.fleet.nodeSeen(nodeNamed('node-1', confirm(story.node().deathId)));
    story.fleet.leaseSeen(leaseOf('node-1', 'b'));
    expect(story.node().state.proof).toBeUndefined();
    await story.pass(20);
    expect(story.node().assessment).toMatchObject({ health: 'suspect', evidence: 'suspected' });
  });

  it('is withdrawn by taking the annotation off', async () => {
    const story = await silentNode();
    story.fleet.nodeSeen(nodeNamed('node-1', confirm(story.node().deathId)));
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    expect(story.node().state.proof).toBeUndefined();
  });

  it('outlasts a time in which we could not see: the human could', async () => {
    const story = await silentNode();
    story.fleet.nodeSeen(nodeNamed('node-1', confirm(story.node().deathId)));
    story.fleet.sightRegained();
    expect(story.node().state.proof).toBe('a human');
    await story.pass(14);
    expect(story.node().health).not.toBe('dead');
    await story.pass(2);
    expect(story.node().health).toBe('dead');
  });
});

describe('a silent host', () => {
  async function silentNode(others: readonly (ProbeResult | undefined)[]): Promise<Story> {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    for (const [i, result] of others.entries()) {
      story.fleet.nodeSeen(nodeNamed(`other-${i}`));
      if (result !== undefined) story.fleet.probed(`other-${i}`, `uid-other-${i}`, result);
    }
    return story;
  }

  it.each<{ what: string; others: readonly (ProbeResult | undefined)[]; evidence: string }>([
    { what: 'nobody ever answered', others: [undefined, undefined], evidence: 'suspected' },
    { what: 'there is nobody else', others: [], evidence: 'suspected' },
    { what: 'half of the others answered', others: ['answered', undefined], evidence: 'suspected' },
    { what: 'most others answered', others: ['answered', 'refused', undefined], evidence: 'unreachable' },
    { what: 'the others are as silent', others: ['silent', 'silent'], evidence: 'suspected' },
    { what: 'the others could not be asked', others: ['failed', 'failed'], evidence: 'suspected' },
  ])('that was never heard itself is $evidence when $what', async ({ others, evidence }) => {
    const story = await silentNode(others);
    await story.silence(40);
    expect(story.node().assessment?.evidence).toBe(evidence);
  });

  it('that was heard before is unreachable whatever the others do', async () => {
    const story = await silentNode([undefined, undefined]);
    story.fleet.probed('node-1', 'uid-node-1', 'refused');
    await story.silence(40);
    expect(story.node()).toMatchObject({ health: 'dead', assessment: { evidence: 'unreachable' } });
  });

  it('that was heard under an old uid has to be heard again', async () => {
    const story = await silentNode([]);
    story.fleet.probed('node-1', 'uid-node-1', 'answered');
    story.fleet.nodeGone('node-1');
    expect(story.fleet.heard('uid-node-1')).toBe(false);
  });
});

describe('a node that was taken over', () => {
  it('is returning while it is well and not trusted yet', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.setReturning(new Set(['node-1']));
    await story.pass(1);
    story.fleet.setReturning(new Set());
    await story.pass(1);
    expect(story.told).toEqual(['node-1: alive -> returning', 'node-1: returning -> alive']);
  });

  it('is dead, not returning, when it is dead', async () => {
    const story = new Story();
    story.fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    story.fleet.setReturning(new Set(['node-1']));
    await story.pass(70);
    expect(story.node().health).toBe('dead');
  });
});

describe('for any order of what watches bring', () => {
  const names = fc.constantFrom('a', 'b');
  const happening = fc.oneof(
    fc.record({ kind: fc.constant('node' as const), name: names, uid: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constant('gone' as const), name: names, uid: fc.constant('') }),
    fc.record({ kind: fc.constant('lease' as const), name: names, uid: fc.constantFrom('r1', 'r2', 'r3') }),
    fc.record({ kind: fc.constant('lease gone' as const), name: names, uid: fc.constant('') }),
    fc.record({ kind: fc.constant('regained' as const), name: names, uid: fc.constant('') }),
  );

  // Nobody looks before some time has passed.
  const inTurn = fc.array(fc.tuple(happening, fc.integer({ min: 1, max: 20 })), { maxLength: 20 });

  it('no node is called dead before it was silent to us for fifteen seconds, nor its death by two names', async () => {
    await fc.assert(
      fc.asyncProperty(inTurn, async (happenings) => {
        const story = new Story();
        const heardAt = new Map<string, number>();
        for (const [{ kind, name, uid }, seconds] of happenings) {
          const now = story.clock.now();
          const { fleet } = story;
          const known = fleet.nodes.get(name);
          if (kind === 'node') {
            if (known?.node.metadata.uid !== uid) heardAt.set(name, now);
            fleet.nodeSeen(nodeNamed(name, { uid, ready: 'Unknown' }));
            fleet.probed(name, uid, 'answered');
            for (let i = 0; i < 3; i++) fleet.probed(name, uid, 'silent');
          }
          if (kind === 'gone') fleet.nodeGone(name);
          if (kind === 'lease') {
            if (known !== undefined && known.state.renewTime !== uid) heardAt.set(name, now);
            fleet.leaseSeen(leaseOf(name, uid));
          }
          if (kind === 'lease gone') fleet.leaseGone(name);
          if (kind === 'regained') {
            fleet.sightRegained();
            for (const each of fleet.nodes.keys()) heardAt.set(each, now);
          }
          await story.pass(seconds);
          // No time may have passed, and what came last is to count all the same.
          story.fleet.assess();
          for (const [each, { health, deathId, node, state }] of fleet.nodes) {
            const silentFor = story.clock.now() - (heardAt.get(each) ?? 0);
            if (silentFor < 15_000) expect(health).not.toBe('dead');
            expect(deathId).toBe(
              deathIdOf(node.metadata.uid, state.renewTime ?? heartbeatWithoutLease(node)),
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
