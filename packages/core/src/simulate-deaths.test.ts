// Stories of deaths that never happened: what would be decided, released and placed, told without a clock.
import { describe, expect, it } from 'vitest';
import { deathIdOf } from './evidence/death-id.ts';
import { defaultHeartbeatDetection } from './evidence/rules.ts';
import type { Lease, Node, Pod } from './kubernetes/objects.ts';
import type { Policy } from './policy/policy.ts';
import type { SimulatedMoment } from './preflight/deaths/moment.ts';
import type { SimulateDeathsOptions, SimulatedDeaths } from './preflight/deaths/simulation.ts';
import { simulateDeaths } from './simulate-deaths.ts';
import type { TakeoverRecord } from './takeover/record.ts';

const meta = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  ...more,
});

interface NodeLike {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly unschedulable?: boolean;
  readonly ready?: 'True' | 'Unknown';
}

function node(
  name: string,
  { labels = {}, annotations = {}, unschedulable, ready = 'True' }: NodeLike = {},
): Node {
  return {
    metadata: meta(name, { labels: { 'kubernetes.io/hostname': name, ...labels }, annotations }),
    spec: { ...(unschedulable && { unschedulable }) },
    status: {
      conditions: [{ type: 'Ready', status: ready }],
      nodeInfo: { bootID: `boot-${name}` },
      allocatable: { cpu: '4', memory: '8Gi', pods: '20' },
    },
  };
}

/** Nine nodes in three zones: node-1, node-4 and node-7 in a, and so on. */
const nine = Array.from({ length: 9 }, (_, i) =>
  node(`node-${i + 1}`, { labels: { 'topology.kubernetes.io/zone': 'abc'.charAt(i % 3) } }),
);
const zoneA = ['node-1', 'node-4', 'node-7'];

/** @param renewedAt - By name, the second of its last renewal. Default: one after another within ten, or 0 of a silent node. */
function leasesOf(
  nodes: readonly Node[],
  renewedAt: Readonly<Record<string, string>> = {},
): readonly Lease[] {
  return nodes.map(({ metadata, status }, i) => {
    const silent = status?.conditions?.[0]?.status === 'Unknown';
    const second = silent ? '00.000000' : `0${((10 * (i + 0.5)) / nodes.length).toFixed(6)}`;
    return {
      metadata: meta(metadata.name),
      spec: { renewTime: `2030-01-01T00:00:${renewedAt[metadata.name] ?? second}Z` },
    };
  });
}

function pod(
  name: string,
  on: string,
  change: {
    owner?: string | null;
    cpu?: string;
    spec?: Pod['spec'];
    annotations?: Record<string, string>;
    finalizers?: readonly string[];
  } = {},
): Pod {
  const { owner = 'StatefulSet', cpu = '1', spec = {}, annotations = {}, finalizers } = change;
  const made = { apiVersion: 'v1', kind: owner ?? '', name: 'db', uid: 'uid-db', controller: true };
  return {
    metadata: meta(name, {
      namespace: 'shop',
      annotations,
      ...(finalizers && { finalizers }),
      ...(owner !== null && { ownerReferences: [made] }),
    }),
    spec: { nodeName: on, containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
    status: { phase: 'Running' },
  };
}

const cautious: Policy = {
  name: 'all',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 2, maxDeadPercent: 34 },
  fencing: { drivers: ['manual'], proof: 'required' },
  node: 'delete',
};
const open: Policy = {
  ...cautious,
  budget: { maxDead: 100, maxDeadPercent: 100 },
  fencing: { drivers: ['none'], proof: 'optional' },
};
const withoutProof: Policy = { ...cautious, fencing: open.fencing };

interface Change extends Partial<Omit<SimulateDeathsOptions, 'cluster' | 'policies'>> {
  readonly nodes?: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly claims?: SimulateDeathsOptions['cluster']['claims'];
  readonly volumes?: SimulateDeathsOptions['cluster']['volumes'];
  readonly leases?: readonly Lease[];
}

function kill(names: readonly string[], policy: Policy, change: Change = {}): SimulatedDeaths {
  const { nodes = nine, pods = [], claims = [], volumes = [], leases = leasesOf(nodes), ...options } = change;
  const cluster = { nodes, pods, claims, volumes, leases };
  return simulateDeaths({ cluster, policies: [policy], kill: names, ...options });
}

function of<K extends SimulatedMoment['kind']>(
  { timeline }: SimulatedDeaths,
  kind: K,
): readonly Extract<SimulatedMoment, { kind: K }>[] {
  return timeline.filter((one): one is Extract<SimulatedMoment, { kind: K }> => one.kind === kind);
}

function nodeOf({ nodes }: SimulatedDeaths, name: string) {
  const found = nodes.find((one) => one.name === name);
  if (found === undefined) throw new Error(`expected ${name}, found ${nodes.map((one) => one.name).join()}`);
  return found;
}

describe('a zone of three nodes of nine that dies', () => {
  it('is taken over whole where budgets are open, each node when it is found dead', () => {
    const found = kill(zoneA, open);
    expect(of(found, 'admitted').map((one) => one.node)).toEqual(zoneA);
    for (const { at } of of(found, 'admitted')) expect(at).toBeGreaterThan(15_000);
    for (const { at } of of(found, 'admitted')) expect(at).toBeLessThan(30_000);
    expect(of(found, 'removed').map((one) => one.node)).toEqual(zoneA);
    expect(found.nodes.map(({ name, outcome }) => [name, outcome])).toEqual(
      zoneA.map((name) => [name, 'over']),
    );
    expect(found).toMatchObject({ blind: [], ended: 'settled' });
  });

  it('has its third node wait for the budget until the first death has counted for its window', () => {
    const found = kill(zoneA, withoutProof);
    const [first, second, third] = of(found, 'admitted');
    expect([first?.node, second?.node, third?.node]).toEqual(zoneA);
    const [held] = of(found, 'held');
    expect(held).toMatchObject({ node: 'node-7', holds: [{ guard: 'budget' }] });
    expect(held?.holds[0]?.reason).toContain('at most 2 may be');
    expect((third?.at ?? 0) - (first?.at ?? 0)).toBe(15 * 60_000);
  });

  it('keeps its third node held where the budget’s window is longer than anybody looks ahead', () => {
    const found = kill(zoneA, withoutProof, { forMs: 600_000 });
    expect(found.ended).toBe('time');
    expect(nodeOf(found, 'node-7')).toMatchObject({ outcome: 'held', holds: [{ guard: 'budget' }] });
  });

  it('waits for a human where a proof is required and nobody but a human gives one', () => {
    const found = kill(zoneA, cautious);
    expect(of(found, 'asks').map((one) => one.node)).toEqual(zoneA);
    expect(of(found, 'released')).toEqual([]);
    expect(found.nodes.map(({ outcome }) => outcome)).toEqual(['waits', 'waits', 'waits']);
  });

  it('leaves its place to others while it waits for a human', () => {
    const found = kill(zoneA, { ...cautious, budget: { ...open.budget, maxRunning: 1 } });
    expect(of(found, 'asks').map((one) => one.node)).toEqual(zoneA);
  });

  it('goes on when a human confirms, and what is confirmed counts towards no budget', () => {
    const found = kill(zoneA, cautious, { confirmAfterMs: 60_000 });
    const [asked] = of(found, 'asks');
    const [confirmed] = of(found, 'confirmed');
    expect((confirmed?.at ?? 0) - (asked?.at ?? 0)).toBe(60_000);
    expect(of(found, 'removed').map((one) => one.node)).toEqual(zoneA);
    const third = of(found, 'admitted')[2];
    // As soon as the first is proven: no window has to pass.
    expect((third?.at ?? 0) - (confirmed?.at ?? 0)).toBeLessThan(1_000);
  });

  it('is worked on by as many takeovers at a time as the policy says', () => {
    const one: Policy = { ...open, budget: { ...open.budget, maxRunning: 1 } };
    const late = { ...defaultHeartbeatDetection, deadAfterMs: 40_000 };
    const found = kill(['node-1', 'node-2', 'node-3', 'node-4'], { ...one, detection: late });
    const steps = found.timeline.filter(({ kind }) => kind === 'admitted' || kind === 'removed');
    for (let i = 0; i + 1 < steps.length; i += 2) {
      expect([steps[i]?.kind, steps[i + 1]?.kind]).toEqual(['admitted', 'removed']);
    }
    expect(steps).toHaveLength(8);
  });
});

describe('the heartbeats of nodes', () => {
  const suspectedAt = (change: Change): Readonly<Record<string, number>> => {
    const found = of(kill(['node-1', 'node-2', 'node-3'], open, change), 'health');
    return Object.fromEntries(
      found.flatMap(({ node: name, to, at }) => (to === 'suspect' ? [[name, at]] : [])),
    );
  };

  it('come as out of step as their Leases say, so that who was heard first is missed first', () => {
    const renewedAt = {
      'node-1': '07.500000',
      'node-2': '01.250000',
      'node-3': '04.000000',
      'node-8': '08.000000',
      'node-9': '08.000000',
    };
    const at = suspectedAt({ leases: leasesOf(nine, renewedAt) });
    expect(Object.keys(at)).toEqual(['node-2', 'node-3', 'node-1']);
    expect((at['node-3'] ?? 0) - (at['node-2'] ?? 0)).toBe(2_750);
    expect((at['node-1'] ?? 0) - (at['node-3'] ?? 0)).toBe(3_500);
    // The newest of all was heard just before they died.
    expect(at['node-1']).toBe(15_000 - 500);
  });

  it('are told apart though a clock is far ahead, or a Lease has not been renewed for long', () => {
    const leases = leasesOf(nine, { 'node-1': '30.000000', 'node-2': '03.000000', 'node-3': '01.000000' });
    const at = suspectedAt({ leases });
    expect((at['node-2'] ?? 0) - (at['node-3'] ?? 0)).toBe(2_000);
    for (const one of Object.values(at)) expect(one).toBeGreaterThanOrEqual(5_000);
    for (const one of Object.values(at)) expect(one).toBeLessThanOrEqual(15_000);
  });

  it('are spread evenly where nobody may read their Leases, or where they say nothing', () => {
    const silent = nine.map(({ metadata }) => ({ metadata: meta(metadata.name), spec: {} }));
    expect(new Set(Object.values(suspectedAt({ leases: silent }))).size).toBe(3);
  });
});

describe('more than half of all nodes that die', () => {
  const most = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5', 'node-6'];

  it('are taken for an outage: nothing is done, and it is said how many a human would have to confirm', () => {
    const found = kill(most, open);
    expect(of(found, 'sight').at(-1)?.blind).toEqual(['6 of 9 node Leases fell silent together']);
    expect(of(found, 'health').filter(({ to }) => to === 'dead')).toEqual([]);
    expect(of(found, 'admitted')).toEqual([]);
    expect(found).toMatchObject({ confirmationsToSee: 3, ended: 'settled' });
    expect(nodeOf(found, 'node-1').outcome).toBe('undecided');
  });

  it('leave nobody to confirm anything by when all are dead', () => {
    const found = kill(
      nine.map(({ metadata }) => metadata.name),
      open,
    );
    expect(found.blind).not.toEqual([]);
    expect(found.confirmationsToSee).toBeUndefined();
  });
});

describe('what holds', () => {
  const holdsOn = (nodes: readonly Node[], policy: Policy, change: Change = {}) => {
    const found = kill(['node-1'], policy, { nodes, ...change });
    return { found, holds: nodeOf(found, 'node-1').holds.map(({ guard }) => guard) };
  };
  const others = nine.slice(1);

  it('is a pause of everything, for as long as it lasts', () => {
    const { found, holds } = holdsOn(nine, open, { paused: 'storage is being moved' });
    expect(holds).toEqual(['paused']);
    expect(nodeOf(found, 'node-1').holds[0]?.reason).toContain('storage is being moved');
    expect(of(found, 'admitted')).toEqual([]);
    expect(found.ended).toBe('settled');
  });

  it('is the pause of one node beside every other reason', () => {
    const paused = node('node-1', { annotations: { 'liberator.dev/paused': 'disk' } });
    const { holds } = holdsOn([paused, ...others], { ...open, evidence: 'proven' });
    expect(holds).toEqual(['paused', 'evidence']);
  });

  it('is maintenance, until its mark has been there for too long', () => {
    const mark = JSON.stringify({
      by: 'alice@laptop',
      phase: 'drained',
      since: '2030-01-01T00:00:00.000Z',
      renewed: '2030-01-01T00:00:00.000Z',
      holdSeconds: 600,
    });
    const marked = node('node-1', {
      annotations: { 'liberator.dev/maintenance': mark },
      unschedulable: true,
    });
    const found = kill(['node-1'], open, { nodes: [marked, ...others] });
    expect(of(found, 'held')[0]?.holds.map(({ guard }) => guard)).toEqual(['maintenance']);
    expect(of(found, 'admitted')).toMatchObject([{ node: 'node-1', at: 600_000 }]);
  });

  it('is a control-plane node that no policy includes', () => {
    const controlPlane = node('node-1', { labels: { 'node-role.kubernetes.io/control-plane': '' } });
    expect(holdsOn([controlPlane, ...others], open).holds).toEqual(['control-plane']);
    const found = kill(['node-1'], { ...open, controlPlane: true }, { nodes: [controlPlane, ...others] });
    expect(of(found, 'admitted')).toHaveLength(1);
  });

  it('is a machine that refuses connections, of which only the kubelet died', () => {
    const { found, holds } = holdsOn(nine, open, { how: 'stop-kubelet', pods: [pod('db-0', 'node-1')] });
    expect(holds).toEqual(['evidence']);
    expect(nodeOf(found, 'node-1').holds[0]?.reason).toContain('a dead kubelet is not a dead node');
    expect(nodeOf(found, 'node-1')).toMatchObject({ outcome: 'held', pods: [] });
  });

  it('lasts for as long as a policy says that has hosts switched off whose kubelet hangs', () => {
    const fencing = { drivers: ['bmc'], proof: 'required', hungAfterMs: 180_000 } as const;
    const bmc = { fencers: { bmc: { proof: 'powered-off', tookMs: 5_000 } } } as const;
    const found = kill(
      ['node-1'],
      { ...open, fencing },
      { how: 'stop-kubelet', pods: [pod('db-0', 'node-1')], ...bmc },
    );
    const [admitted] = of(found, 'admitted');
    expect(admitted?.at).toBeGreaterThanOrEqual(170_000);
    expect(admitted?.at).toBeLessThan(190_000);
    expect(of(found, 'released')).toHaveLength(1);
  });

  it('is nothing where no policy selects the node: it is left alone', () => {
    const elsewhere: Policy = { ...open, nodes: { matchLabels: { role: 'database' } } };
    const found = kill(['node-1'], elsewhere, { pods: [pod('db-0', 'node-1')] });
    expect(found.timeline).toEqual([]);
    expect(nodeOf(found, 'node-1')).toMatchObject({ outcome: 'left-alone', pods: [{ name: 'db-0' }] });
    expect(nodeOf(found, 'node-1').policy).toBeUndefined();
  });

  it('is nobody’s silence but that of those who died: without probes it takes Kubernetes’ own word', () => {
    const found = kill(['node-1'], { ...open, evidence: 'suspected' }, { probe: false });
    const [admitted] = of(found, 'admitted');
    expect(admitted?.at).toBeGreaterThanOrEqual(50_000);
    expect(kill(['node-1'], open, { probe: false }).nodes[0]?.holds.map(({ guard }) => guard)).toEqual([
      'evidence',
    ]);
  });

  it('is a death that was there before, since it counts towards the budget', () => {
    const before = node('node-9', { ready: 'Unknown' });
    const nodes = [...nine.slice(0, 8), before];
    const found = kill(['node-1', 'node-4'], withoutProof, { nodes, forMs: 300_000 });
    expect(of(found, 'admitted').map((one) => one.node)).toEqual(['node-9', 'node-1']);
    expect(nodeOf(found, 'node-4').holds.map(({ guard }) => guard)).toEqual(['budget']);
    expect(nodeOf(found, 'node-9').killed).toBe(false);
  });
});

/** Somebody works on it. */
const marked = (name: string, holdSeconds: number, more: NodeLike = {}): Node => {
  const [since, by] = ['2030-01-01T00:00:00.000Z', 'alice@laptop'];
  const mark = JSON.stringify({ by, phase: 'drained', since, renewed: since, holdSeconds });
  return node(name, { ...more, annotations: { 'liberator.dev/maintenance': mark }, unschedulable: true });
};

describe('the minutes before the deaths, which never were', () => {
  const eight = nine.slice(0, 8);

  it('let no hold of a dead node run out: it is held from the first moment, and for as long as it may be', () => {
    const nodes = [...eight, marked('node-9', 150, { ready: 'Unknown' })];
    const found = kill(['node-9'], open, { nodes });
    expect(found.timeline[0]).toMatchObject({ kind: 'held', node: 'node-9', at: 0 });
    expect(of(found, 'admitted')).toMatchObject([{ node: 'node-9', at: 150_000 }]);
    expect(nodeOf(found, 'node-9')).toMatchObject({ outcome: 'over', admittedAt: 150_000 });
    const short = kill(['node-9'], open, { nodes, forMs: 60_000 });
    expect(nodeOf(short, 'node-9')).toMatchObject({ outcome: 'held', holds: [{ guard: 'maintenance' }] });
    const other = kill(['node-1'], open, { nodes, forMs: 60_000 });
    expect(nodeOf(other, 'node-9')).toMatchObject({ killed: false, outcome: 'held' });
  });

  it('wear off no mark of maintenance, however short it holds', () => {
    const nodes = [marked('node-1', 180), ...nine.slice(1)];
    const found = kill(['node-1'], open, { nodes });
    expect(of(found, 'held')[0]?.holds.map(({ guard }) => guard)).toEqual(['maintenance']);
    expect(of(found, 'admitted')).toMatchObject([{ node: 'node-1', at: 180_000 }]);
  });

  it('take over nobody: what was dead, and is not on record, begins with the rest', () => {
    const nodes = [...eight, node('node-9', { ready: 'Unknown' })];
    const found = kill(['node-1'], open, { nodes });
    expect(of(found, 'admitted')[0]).toMatchObject({ node: 'node-9' });
    expect(of(found, 'admitted')[0]?.at).toBeLessThan(1_000);
    expect(nodeOf(found, 'node-9')).toMatchObject({ killed: false, outcome: 'over' });
    expect(nodeOf(found, 'node-9').releasedAt).toBeGreaterThan(1_000);
  });

  it('use up nothing of the window for which a death counts', () => {
    const nodes = [
      ...nine.slice(0, 7),
      ...['node-8', 'node-9'].map((name) => node(name, { ready: 'Unknown' })),
    ];
    const found = kill(['node-1'], withoutProof, { nodes });
    expect(of(found, 'admitted').map((one) => one.node)).toEqual(['node-8', 'node-9', 'node-1']);
    expect(of(found, 'admitted')[2]?.at).toBeGreaterThanOrEqual(15 * 60_000);
  });
});

describe('what is on record', () => {
  const silent = node('node-9', { ready: 'Unknown' });
  const nodes = [...nine.slice(0, 8), silent];
  const renewTime = '2030-01-01T00:00:00.000000Z';
  const record = (change: Partial<TakeoverRecord>): TakeoverRecord => ({
    version: 1,
    id: deathIdOf('uid-node-9', renewTime),
    deathId: deathIdOf('uid-node-9', renewTime),
    node: { name: 'node-9', uid: 'uid-node-9', bootId: 'boot-node-9' },
    order: { epoch: 1, number: 0 },
    lastHeartbeat: renewTime,
    epoch: 1,
    openedAt: renewTime,
    evidence: 'unreachable',
    reasons: [],
    verdicts: [],
    policy: { name: 'all', node: 'keep', proof: 'required', drivers: ['manual'] },
    pods: [],
    steps: {},
    ...change,
  });

  it('is not done once more, and counts towards the budget as any death without proof', () => {
    const takeovers = [record({ result: 'recovered', closedAt: renewTime, proof: 'none' })];
    const found = kill(['node-1', 'node-4'], withoutProof, { nodes, takeovers, forMs: 300_000 });
    expect(nodeOf(found, 'node-9')).toMatchObject({ killed: false, outcome: 'over' });
    expect(of(found, 'admitted').map((one) => one.node)).toEqual(['node-1']);
    expect(nodeOf(found, 'node-4').holds.map(({ guard }) => guard)).toEqual(['budget']);
    const proven = [record({ result: 'recovered', closedAt: renewTime, proof: 'powered-off' })];
    const free = kill(['node-1', 'node-4'], withoutProof, { nodes, takeovers: proven, forMs: 300_000 });
    expect(of(free, 'admitted').map((one) => one.node)).toEqual(['node-1', 'node-4']);
  });

  it('goes on to wait for its human, and takes nobody’s place', () => {
    const steps = { fence: { startedAt: renewTime, epoch: 1, detail: 'make sure that it is off' } };
    const one: Policy = { ...open, budget: { ...open.budget, maxRunning: 1 } };
    const found = kill(['node-1'], one, { nodes, takeovers: [record({ steps })] });
    expect(nodeOf(found, 'node-9').outcome).toBe('waits');
    expect(of(found, 'removed').map((gone) => gone.node)).toEqual(['node-1']);
  });

  describe('and has begun', () => {
    const done = { startedAt: renewTime, endedAt: renewTime, epoch: 1, outcome: 'done' } as const;
    const released = { claim: done, cordon: done, fence: done, recheck: done, release: done };
    const oneAtATime: Policy = { ...open, budget: { ...open.budget, maxRunning: 1 } };
    const begun = record({
      steps: released,
      policy: { ...record({}).policy, proof: 'optional', node: 'delete' },
    });
    const held = (mark: Node, change: Change = {}) =>
      kill(['node-1'], oneAtATime, { nodes: [...nine.slice(0, 8), mark], takeovers: [begun], ...change });

    it('goes on from where it stands, and then the next one begins', () => {
      const found = kill(['node-1'], oneAtATime, { nodes, takeovers: [begun] });
      expect(of(found, 'removed').map((one) => one.node)).toEqual(['node-9', 'node-1']);
      expect(of(found, 'admitted').map((one) => one.node)).toEqual(['node-1']);
      expect(nodeOf(found, 'node-9')).toMatchObject({ killed: false, outcome: 'over' });
    });

    it('is told of as one that lets go, where it had not yet', () => {
      const { claim, cordon } = released;
      const takeovers = [record({ steps: { claim, cordon }, policy: begun.policy })];
      const found = kill(['node-1'], open, { nodes, takeovers, pods: [pod('db-0', 'node-9')] });
      expect(of(found, 'released')[0]).toMatchObject({ node: 'node-9', pods: 1 });
      expect(nodeOf(found, 'node-9')).toMatchObject({ pods: [{ name: 'db-0', fate: 'moves' }] });
      expect(nodeOf(found, 'node-9').releasedAt).toBeGreaterThan(1_000);
    });

    it('goes no further while a brake holds it, and those behind it wait their turn', () => {
      const paused = node('node-9', { ready: 'Unknown', annotations: { 'liberator.dev/paused': 'disk' } });
      const found = held(paused);
      expect(of(found, 'held')[0]).toMatchObject({ node: 'node-9', at: 0, holds: [{ guard: 'paused' }] });
      expect(of(found, 'held')).toHaveLength(2);
      expect(of(found, 'admitted')).toEqual([]);
      expect(nodeOf(found, 'node-9')).toMatchObject({ outcome: 'under-way', holds: [{ guard: 'paused' }] });
      expect(nodeOf(found, 'node-1')).toMatchObject({ outcome: 'held', holds: [{ guard: 'queue' }] });
      expect(found.ended).toBe('settled');
    });

    it('that is held makes those wait that were dead before, too', () => {
      const mark = node('node-9', { ready: 'Unknown', annotations: { 'liberator.dev/paused': 'disk' } });
      const both = [...nine.slice(0, 7), node('node-8', { ready: 'Unknown' }), mark];
      const found = kill(['node-8'], oneAtATime, { nodes: both, takeovers: [begun] });
      expect(of(found, 'held').map((one) => [one.node, one.at])).toContainEqual(['node-8', 0]);
      expect(nodeOf(found, 'node-8')).toMatchObject({ outcome: 'held', holds: [{ guard: 'queue' }] });
    });

    it('goes on once a brake has let go by itself', () => {
      const found = held(marked('node-9', 300, { ready: 'Unknown' }));
      expect(of(found, 'held').filter((one) => one.node === 'node-9')).toHaveLength(1);
      expect(of(found, 'removed').map((one) => one.node)).toEqual(['node-9', 'node-1']);
      expect(of(found, 'removed')[0]?.at).toBeGreaterThanOrEqual(300_000);
      expect(nodeOf(found, 'node-9').holds).toEqual([]);
    });

    it('stands still where no policy selects its node any more', () => {
      const elsewhere: Policy = { ...oneAtATime, nodes: { matchLabels: { role: 'database' } } };
      const found = kill(['node-1'], elsewhere, { nodes, takeovers: [begun] });
      expect(nodeOf(found, 'node-9')).toMatchObject({ outcome: 'under-way', holds: [{ guard: 'policy' }] });
      expect(found.ended).toBe('settled');
    });

    it('is given up where its node lives, whatever is paused', () => {
      const alive = node('node-9', { annotations: { 'liberator.dev/paused': 'disk' } });
      const { claim, cordon } = released;
      const found = held(alive, { takeovers: [record({ steps: { claim, cordon } })] });
      expect(found.nodes.map(({ name, outcome }) => [name, outcome])).toEqual([['node-1', 'over']]);
    });

    it('takes nobody’s place once it only watches what becomes of the pods', () => {
      const takeovers = [record({ steps: { ...released, remove: done } })];
      const paused = node('node-9', { ready: 'Unknown', annotations: { 'liberator.dev/paused': 'disk' } });
      expect(of(held(paused, { takeovers }), 'removed').map((one) => one.node)).toEqual(['node-1']);
    });

    it('waits on for its human, whom it asked before', () => {
      const { claim, cordon } = released;
      const fence = { startedAt: renewTime, epoch: 1, detail: 'make sure that it is off' };
      const takeovers = [record({ steps: { claim, cordon, fence } })];
      const found = kill(['node-1'], cautious, { nodes, takeovers, confirmAfterMs: 60_000 });
      expect(of(found, 'asks').map((one) => one.node)).toEqual(['node-1']);
      expect(of(found, 'confirmed')[0]).toMatchObject({ node: 'node-9', at: 60_000 });
      expect(of(found, 'removed').map((one) => one.node)).toEqual(['node-9', 'node-1']);
    });
  });

  describe('of a node that is back, and not trusted again yet', () => {
    const back = [...nine.slice(0, 8), node('node-9')];
    const takeovers = [record({ result: 'recovered', closedAt: renewTime, proof: 'powered-off' })];
    const pods = [pod('db-0', 'node-9')];

    it('is told as a return, with nothing that is let go', () => {
      const found = kill(['node-1'], open, { nodes: back, takeovers, pods });
      expect(nodeOf(found, 'node-9')).toMatchObject({ killed: false, outcome: 'returning', pods: [] });
      expect(of(found, 'health').filter((one) => one.node === 'node-9')).toEqual([]);
    });

    it('is not told where nobody leads any more, since only a leader knows of it', () => {
      const leader = { on: 'node-1', others: [] };
      const found = kill(['node-1'], open, { nodes: back, takeovers, leader });
      expect(found.nodes.map(({ name }) => name)).toEqual(['node-1']);
    });

    it('does not keep it from dying once more', () => {
      const found = kill(['node-9'], open, { nodes: back, takeovers, pods });
      expect(of(found, 'admitted').map((one) => one.node)).toEqual(['node-9']);
      expect(nodeOf(found, 'node-9')).toMatchObject({ outcome: 'over', pods: [{ name: 'db-0' }] });
    });
  });

  it('is left to the newer version that wrote it', () => {
    const setAside = [
      { name: 'r', node: 'node-1', kind: 'newer', problem: 'its record has version 2' },
    ] as const;
    const found = kill(['node-1'], open, { setAside });
    expect(nodeOf(found, 'node-1').holds.map(({ guard }) => guard)).toEqual(['newer-record']);
  });
});

describe('a leader that dies with its node', () => {
  it('is followed by another replica, which decides once it leads', () => {
    const leader = { on: 'node-1', others: ['node-2'], electedAfterMs: 40_000 };
    const found = kill(['node-1'], open, { leader });
    expect(of(found, 'leader').map(({ state, at }) => [state, at])).toEqual([
      ['gone', 0],
      ['elected', 40_000],
    ]);
    expect(of(found, 'admitted')[0]?.at).toBeGreaterThanOrEqual(40_000);
    expect(of(found, 'removed')).toHaveLength(1);
  });

  it('leaves what was dead before to the next one, which begins with it', () => {
    const nodes = [...nine.slice(0, 8), node('node-9', { ready: 'Unknown' })];
    const policy: Policy = { ...cautious, budget: open.budget };
    const found = kill(['node-1'], policy, { nodes, leader: { on: 'node-1', others: ['node-2'] } });
    const [before, killed] = of(found, 'admitted');
    expect([before?.node, killed?.node]).toEqual(['node-9', 'node-1']);
    expect(before?.at).toBeGreaterThanOrEqual(17_000);
    expect(before?.at).toBeLessThan(18_000);
    expect(nodeOf(found, 'node-9').outcome).toBe('waits');
  });

  it('leaves nobody who decides when every replica dies with it', () => {
    const found = kill(zoneA, open, { leader: { on: 'node-1', others: ['node-4'] } });
    expect(of(found, 'leader').map(({ state }) => state)).toEqual(['gone', 'never']);
    expect(of(found, 'admitted')).toEqual([]);
    expect(found.ended).toBe('settled');
  });
});

describe('the pods of dead nodes', () => {
  const three = ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => node(name));

  it('are placed one after another: there may be room for each of them, and not for all', () => {
    const pods = [
      pod('db-0', 'n1', { cpu: '3' }),
      pod('db-1', 'n2', { cpu: '3' }),
      ...['n3', 'n4'].map((on, i) => pod(`full-${i}`, on, { owner: 'DaemonSet', cpu: '3' })),
    ];
    const found = kill(['n1', 'n2'], open, { nodes: three, pods });
    expect(nodeOf(found, 'n1').pods).toMatchObject([{ name: 'db-0', fate: 'moves', to: 'n5', fits: 1 }]);
    expect(nodeOf(found, 'n2').pods).toMatchObject([
      { name: 'db-1', fate: 'nowhere', obstacles: [{ reason: 'not enough cpu', nodes: ['n3', 'n4', 'n5'] }] },
    ]);
    expect(of(found, 'over').map(({ result }) => result)).toEqual(['recovered', 'incomplete']);
    const alone = kill(['n2'], open, { nodes: three, pods });
    expect(nodeOf(alone, 'n2').pods).toMatchObject([{ fate: 'moves' }]);
  });

  it('go to the least full node, never to one that dies too', () => {
    const pods = [
      pod('db-0', 'n1'),
      ...['n3', 'n4'].map((on, i) => pod(`some-${i}`, on, { owner: 'DaemonSet', cpu: '2' })),
    ];
    const found = kill(['n1', 'n5'], open, { nodes: three, pods });
    expect(nodeOf(found, 'n1').pods).toMatchObject([{ to: 'n2', fits: 3 }]);
  });

  it('may land on a node that died too, as long as Kubernetes calls it Ready and nothing of ours is on it', () => {
    const found = kill(['n1', 'n5'], open, { nodes: three, pods: [pod('db-0', 'n1'), pod('db-1', 'n5')] });
    expect(of(found, 'released').map((one) => one.node)).toEqual(['n1', 'n5']);
    expect(nodeOf(found, 'n1').pods).toMatchObject([{ fate: 'moves', traps: ['n5'] }]);
    expect(nodeOf(found, 'n5').pods).toMatchObject([{ fate: 'moves', traps: [] }]);
    // n1 is kept, and called Ready: only our taint says that it is dead.
    const kept = kill(['n1', 'n5'], { ...open, node: 'keep' }, { nodes: three, pods: [pod('db-1', 'n5')] });
    expect(of(kept, 'kept').map((one) => one.node)).toEqual(['n1', 'n5']);
    expect(nodeOf(kept, 'n5').pods).toMatchObject([{ traps: [] }]);
    const late = { ...defaultHeartbeatDetection, deadAfterMs: 70_000, deadUnprobedAfterMs: 80_000 };
    const known = kill(
      ['n1', 'n5'],
      { ...open, detection: late },
      { nodes: three, pods: [pod('db-0', 'n1')] },
    );
    expect(nodeOf(known, 'n1').pods).toMatchObject([{ fate: 'moves', traps: [] }]);
  });

  it('whose volume is their node’s can’t go anywhere', () => {
    const pinned = {
      claims: [{ metadata: meta('data-db-0', { namespace: 'shop' }), spec: { volumeName: 'pv-0' } }],
      volumes: [
        {
          metadata: meta('pv-0'),
          spec: {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }] },
                ],
              },
            },
          },
        },
      ],
    };
    const spec = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }] };
    const found = kill(['n1'], open, { nodes: three, pods: [pod('db-0', 'n1', { spec })], ...pinned });
    expect(nodeOf(found, 'n1').pods).toMatchObject([
      {
        fate: 'nowhere',
        obstacles: [{ reason: 'volume pv-0 can not be used there', nodes: ['n2', 'n3', 'n4', 'n5'] }],
      },
    ]);
  });

  it('are lost, kept or stay, according to whose they are', () => {
    const pods = [
      pod('agent', 'n1', { owner: 'DaemonSet' }),
      pod('bare', 'n1', { owner: null }),
      pod('db-0', 'n1'),
      pod('kept', 'n1', { owner: null, annotations: { 'liberator.dev/keep': 'true' } }),
      pod('static', 'n1', { owner: 'Node' }),
      pod('web', 'n1', { owner: 'ReplicaSet' }),
    ];
    const found = kill(['n1'], open, { nodes: three, pods });
    expect(nodeOf(found, 'n1').stays).toBe(2);
    expect(nodeOf(found, 'n1').pods.map(({ name, fate }) => [name, fate])).toEqual([
      ['bare', 'lost'],
      ['db-0', 'moves'],
      ['kept', 'kept-at-a-price'],
      ['web', 'moves'],
    ]);
    // Its Node stays for the pod that people want kept.
    expect(of(found, 'removed')).toEqual([]);
    expect(of(found, 'kept')).toMatchObject([{ node: 'n1' }]);
    expect(of(found, 'released')).toMatchObject([{ pods: 3 }]);
  });

  it('with a finalizer are not let go: the release gives up on them, and their StatefulSet waits in vain', () => {
    const pods = [
      pod('db-0', 'n1', { finalizers: ['example.com/backup'] }),
      pod('db-1', 'n1'),
      pod('gone', 'n1', { owner: null, finalizers: ['example.com/backup'] }),
      pod('kept', 'n1', {
        annotations: { 'liberator.dev/keep': 'true' },
        finalizers: ['example.com/backup'],
      }),
    ];
    const found = kill(['n1'], open, { nodes: three, pods });
    expect(nodeOf(found, 'n1').pods).toMatchObject([
      { name: 'db-0', fate: 'stuck', finalizers: ['example.com/backup'] },
      { name: 'db-1', fate: 'moves' },
      { name: 'gone', fate: 'stuck' },
      { name: 'kept', fate: 'kept-at-a-price' },
    ]);
    expect(of(found, 'released')).toMatchObject([{ node: 'n1', pods: 1, stuck: 2 }]);
    const [admitted] = of(found, 'admitted');
    const [kept] = of(found, 'kept');
    expect((of(found, 'released')[0]?.at ?? 0) - (admitted?.at ?? 0)).toBeLessThan(2_000);
    expect((kept?.at ?? 0) - (admitted?.at ?? 0)).toBeGreaterThan(60_000);
    expect((kept?.at ?? 0) - (admitted?.at ?? 0)).toBeLessThan(70_000);
    expect(of(found, 'over')).toMatchObject([{ result: 'incomplete' }]);
  });

  it('with a finalizer take no room elsewhere, and hold up who waits for their takeover', () => {
    const policy: Policy = { ...open, budget: { ...open.budget, maxRunning: 1 } };
    const pods = [
      pod('db-0', 'n1', { cpu: '3', finalizers: ['example.com/backup'] }),
      pod('db-1', 'n2', { cpu: '3' }),
    ];
    const full = ['n3', 'n4'].map((on, i) => pod(`full-${i}`, on, { owner: 'DaemonSet', cpu: '3' }));
    const found = kill(['n1', 'n2'], policy, { nodes: three, pods: [...pods, ...full] });
    expect(nodeOf(found, 'n2').pods).toMatchObject([{ fate: 'moves', to: 'n5' }]);
    const [first, second] = of(found, 'admitted');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(60_000);
    expect(of(found, 'removed').map((one) => one.node)).toEqual(['n1', 'n2']);
  });

  it('of Jobs bear a finalizer that Kubernetes itself takes off', () => {
    const job = pod('job', 'n1', { owner: 'Job', finalizers: ['batch.kubernetes.io/job-tracking'] });
    expect(nodeOf(kill(['n1'], open, { nodes: three, pods: [job] }), 'n1').pods).toMatchObject([
      { fate: 'moves' },
    ]);
  });

  it('of a node that is not released are judged after all others', () => {
    const pods = [pod('db-0', 'n1', { cpu: '3' }), pod('db-1', 'n2', { cpu: '3' })];
    const full = ['n3', 'n4'].map((on, i) => pod(`full-${i}`, on, { owner: 'DaemonSet', cpu: '3' }));
    const paused = node('n1', { annotations: { 'liberator.dev/paused': 'disk' } });
    const found = kill(['n1', 'n2'], open, {
      nodes: [paused, ...three.slice(1)],
      pods: [...pods, ...full],
    });
    expect(nodeOf(found, 'n1')).toMatchObject({ outcome: 'held', pods: [{ fate: 'nowhere' }] });
    expect(nodeOf(found, 'n2')).toMatchObject({ outcome: 'over', pods: [{ fate: 'moves', to: 'n5' }] });
    expect(nodeOf(found, 'n1').releasedAt).toBeUndefined();
  });
});

describe('a simulation', () => {
  it('comes to the same each time, and changes nothing that it was given', () => {
    const nodes = nine;
    const before = JSON.stringify(nodes);
    const pods = [pod('db-0', 'node-1'), pod('db-1', 'node-4')];
    const [one, other] = [0, 1].map(() => JSON.stringify(kill(zoneA, withoutProof, { nodes, pods })));
    expect(one).toBe(other);
    expect(JSON.stringify(nodes)).toBe(before);
  });

  it('tells what happens in the order in which it happens', () => {
    const times = kill(zoneA, withoutProof).timeline.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('refuses nodes that are not there, and fencers of which it knows nothing', () => {
    expect(() => kill(['node-10'], open)).toThrow(RangeError);
    expect(() => kill(['node-1'], { ...open, fencing: { drivers: ['ipmi'], proof: 'required' } })).toThrow(
      'expected a fencer among manual, none, found ipmi',
    );
    const fencers = { ipmi: { proof: 'powered-off', tookMs: 5_000 } } as const;
    const fencing = { drivers: ['ipmi'], proof: 'required' } as const;
    const found = kill(zoneA, { ...cautious, fencing }, { fencers });
    // What a device vouches for counts towards no budget.
    expect(of(found, 'removed').map((one) => one.node)).toEqual(zoneA);
    const [admitted] = of(found, 'admitted');
    expect((of(found, 'released')[0]?.at ?? 0) - (admitted?.at ?? 0)).toBeGreaterThan(5_000);
  });

  it('goes by the Ready condition alone where a policy polls', () => {
    const detection = { mode: 'poll', intervalMs: 5_000, threshold: 3 } as const;
    const found = kill(['node-1'], { ...open, detection, evidence: 'suspected' });
    const [admitted] = of(found, 'admitted');
    expect(admitted?.at).toBeGreaterThan(60_000);
    expect(admitted?.at).toBeLessThan(80_000);
  });
});
