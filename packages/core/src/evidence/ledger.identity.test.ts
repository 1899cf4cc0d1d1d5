// One life of one machine is not another: deaths without a Lease, machines that never were, addresses that others have now.
import { describe, expect, it } from 'vitest';
import type { Condition, Node } from '../kubernetes/objects.ts';
import { confirmedDeadAnnotation } from '../marks/confirmed.ts';
import type { FleetNode } from '../policy/fleet-node.ts';
import type { Policy } from '../policy/policy.ts';
import { Fleet } from '../testing/fleet.ts';
import { anyNode, leaseOf, nodeNamed } from '../testing/fleet-objects.ts';
import { ManualClock } from '../testing/manual-clock.ts';

class Story {
  readonly clock = new ManualClock({ turns: 1 });
  readonly fleet: Fleet;

  constructor(policy: Partial<Policy> = {}) {
    this.fleet = new Fleet({
      clock: this.clock,
      policies: [{ ...anyNode, ...policy }],
      onHealthChange: () => {},
    });
  }

  node(name = 'node-1'): FleetNode {
    const node = this.fleet.nodes.get(name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  /** Every two seconds a probe, which comes to the same each time. */
  async pass(seconds: number, answer: 'silent' | 'answered' | 'refused' = 'silent'): Promise<this> {
    for (let i = 0; i < seconds / 2; i++) {
      await this.clock.advance(2_000);
      this.fleet.assess();
      for (const { node, health } of this.fleet.nodes.values()) {
        const { name, uid } = node.metadata;
        if (health !== 'alive') this.fleet.probed(name, uid, answer);
      }
      this.fleet.assess();
    }
    return this;
  }
}

/** As the API server shows a Node without a Lease at one moment of one life of it. */
function leaseless(
  facts: {
    readonly bootId?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  } & Partial<Condition>,
): Node {
  const { bootId = 'boot-1', annotations = {}, ...condition } = facts;
  const node = nodeNamed('node-1', { bootId, annotations });
  const ready: Condition = { type: 'Ready', status: 'Unknown', ...condition };
  return { ...node, status: { ...node.status, conditions: [ready] } };
}

describe('the id of a death without a Lease', () => {
  const first = { lastTransitionTime: '10:00:00', lastHeartbeatTime: '09:59:10' };
  const idOf = (node: Node): string => {
    const story = new Story();
    story.fleet.nodeSeen(node);
    return story.node().deathId;
  };

  it.each([
    { what: 'turned Unknown at another time', now: { ...first, lastTransitionTime: '11:00:00' } },
    { what: 'was last heard at another time', now: { ...first, lastHeartbeatTime: '10:30:00' } },
    { what: 'booted in between', now: { ...first, bootId: 'boot-2' } },
  ])('is another one when the node $what', ({ now }) => {
    expect(idOf(leaseless(now))).not.toBe(idOf(leaseless(first)));
  });

  it('is the same for a replica that only just began to watch, and whatever else is written to the Node', async () => {
    const story = new Story();
    story.fleet.nodeSeen(leaseless({ ...first, status: 'True' }));
    await story.pass(30);
    story.fleet.nodeSeen(leaseless(first));
    const { deathId } = story.node();
    await story.pass(90);
    story.fleet.nodeSeen(leaseless({ ...first, annotations: { note: 'looks dead' } }));
    expect(story.node()).toMatchObject({ health: 'dead', deathId });
    expect(idOf(leaseless(first))).toBe(deathId);
  });

  it('makes the confirmation of one death say nothing of the next', async () => {
    const story = new Story();
    story.fleet.nodeSeen(leaseless(first));
    const annotations = { [confirmedDeadAnnotation]: story.node().deathId };
    story.fleet.nodeSeen(leaseless({ ...first, annotations }));
    expect(story.node().state.proof).toBe('a human');
    const life = { status: 'True' as const, lastTransitionTime: '10:20:00', lastHeartbeatTime: '10:20:00' };
    story.fleet.nodeSeen(leaseless({ ...life, annotations }));
    await story.pass(60);
    story.fleet.nodeSeen(
      leaseless({ ...life, status: 'Unknown', lastTransitionTime: '10:30:00', annotations }),
    );
    await story.pass(120);
    expect(story.node().health).toBe('dead');
    expect(story.node().state.proof).toBeUndefined();
  });
});

describe('a Node that was made before its machine ever booted', () => {
  const ghost = (ready?: Partial<Condition>): Node => {
    const node = nodeNamed('ghost', { bootId: '' });
    const conditions = ready === undefined ? [] : [{ type: 'Ready', status: 'Unknown' as const, ...ready }];
    return { ...node, status: { nodeInfo: { bootID: '' }, conditions } };
  };
  const neverUpdated = { reason: 'NodeStatusNeverUpdated', lastHeartbeatTime: 'when it was made' };

  /** A human may vouch for it; nothing is decided about it otherwise. */
  const undecided = {
    health: 'suspect',
    assessment: {
      evidence: 'suspected',
      reasons: [expect.stringContaining('before its machine ever booted')],
      silentSince: undefined,
    },
  };

  async function watch(nodes: readonly Node[], prepare: (fleet: Fleet) => void = () => {}): Promise<Story> {
    const story = new Story({ evidence: 'suspected' });
    prepare(story.fleet);
    for (const other of ['a', 'b', 'c']) {
      story.fleet.nodeSeen(nodeNamed(other));
      story.fleet.probed(other, `uid-${other}`, 'answered');
    }
    for (const node of nodes) {
      story.fleet.nodeSeen(node);
      await story.pass(200);
    }
    return story;
  }

  it.each([
    { what: 'has no conditions', nodes: [ghost()] },
    { what: 'has those that the controller manager made', nodes: [ghost(), ghost(neverUpdated)] },
  ])('is not dead when it $what', async ({ nodes }) => {
    const story = await watch(nodes);
    expect(story.node('ghost')).toMatchObject(undecided);
    expect(story.fleet.hearing.heartbeats).toHaveLength(3);
  });

  it('is not dead because the Lease of an earlier node of that name lies there', async () => {
    const story = await watch([ghost(), ghost(neverUpdated)], (fleet) =>
      fleet.leaseSeen(leaseOf('ghost', 'of another')),
    );
    expect(story.node('ghost')).toMatchObject(undecided);
  });

  it('is not dead to somebody who counts looks either', async () => {
    const story = new Story({ detection: { mode: 'poll', intervalMs: 5_000, threshold: 3 } });
    story.fleet.nodeSeen(ghost(neverUpdated));
    await story.pass(300);
    expect(story.node('ghost')).toMatchObject(undecided);
  });

  it('is alive for as long as a machine may take to boot', async () => {
    const story = new Story({ evidence: 'suspected' });
    story.fleet.nodeSeen(ghost(neverUpdated));
    await story.pass(58);
    expect(story.node('ghost')).toMatchObject({ health: 'alive', assessment: { reasons: [] } });
    await story.pass(2);
    expect(story.node('ghost')).toMatchObject(undecided);
  });

  it('can die once its Lease was renewed, or its kubelet has posted anything', async () => {
    const renewed = await watch([ghost(neverUpdated)]);
    renewed.fleet.leaseSeen(leaseOf('ghost', 'r1'));
    renewed.fleet.leaseSeen(leaseOf('ghost', 'r2'));
    await renewed.pass(100);
    expect(renewed.node('ghost').health).toBe('dead');

    const posted = await watch([ghost(neverUpdated)]);
    posted.fleet.nodeSeen(ghost({ status: 'True', reason: 'KubeletReady' }));
    await posted.pass(10);
    posted.fleet.nodeSeen(ghost({ reason: 'NodeStatusUnknown', lastHeartbeatTime: 'then' }));
    await posted.pass(100);
    expect(posted.node('ghost').health).toBe('dead');
  });
});

describe('the address of a dead node', () => {
  interface Machine {
    readonly address?: string;
    readonly port?: number;
    readonly bootId?: string;
    readonly systemUUID?: string;
  }

  function at(name: string, ready: 'True' | 'Unknown', machine: Machine = {}): Node {
    const { address = '10.0.0.1', port = 10_250, bootId = `boot of ${name}`, systemUUID = '' } = machine;
    const node = nodeNamed(name, { ready, bootId });
    return {
      ...node,
      status: {
        ...node.status,
        addresses: [{ type: 'InternalIP', address }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
        nodeInfo: { bootID: bootId, systemUUID },
      },
    };
  }

  /** node-1 falls silent, and while it is suspect a new Node comes, whose kubelet renews. */
  async function reused(newcomer: Machine, old: Machine = {}): Promise<Story> {
    const story = new Story();
    const { fleet } = story;
    fleet.nodeSeen(at('node-1', 'True', old));
    fleet.leaseSeen(leaseOf('node-1', 'a'));
    fleet.probed('node-1', 'uid-node-1', 'answered');
    await story.pass(16);
    fleet.nodeSeen(at('node-1', 'Unknown', old));
    for (let i = 0; i < 10; i++) {
      fleet.nodeSeen(at('node-2', 'True', newcomer));
      fleet.leaseSeen(leaseOf('node-2', `renewal ${i}`));
      await story.pass(10, 'answered');
    }
    return story;
  }

  it('is not its life when another machine answers there', async () => {
    const story = await reused({});
    expect(story.node()).toMatchObject({
      health: 'dead',
      assessment: { evidence: 'unreachable', hostUp: false },
    });
    expect(story.node('node-2').health).toBe('alive');
  });

  it.each([
    { what: 'nobody else has it', newcomer: { address: '10.0.0.2' }, old: {} },
    { what: 'the other one has another port on it', newcomer: { port: 10_251 }, old: {} },
    { what: 'it is the same machine under another name', newcomer: { bootId: 'b' }, old: { bootId: 'b' } },
    {
      what: 'it may be the same machine under another name',
      newcomer: { bootId: '', systemUUID: 'S' },
      old: { bootId: '', systemUUID: 'S' },
    },
  ])('tells that its host is up when $what', async ({ newcomer, old }) => {
    const story = await reused(newcomer, old);
    expect(story.node()).toMatchObject({ health: 'suspect', assessment: { hostUp: true } });
  });

  it('is still its own while the other one that claims it is as silent', async () => {
    const story = new Story();
    story.fleet.nodeSeen(at('node-2', 'True'));
    story.fleet.leaseSeen(leaseOf('node-2', 'a'));
    story.fleet.nodeSeen(at('node-1', 'Unknown'));
    story.fleet.leaseSeen(leaseOf('node-1', 'a'));
    await story.pass(60, 'answered');
    expect(story.node().assessment?.hostUp).toBe(true);
  });
});
