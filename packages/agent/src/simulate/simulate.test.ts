// Which nodes are meant, who leads, and how a simulation reads in 80 columns.
import type { Lease, Node, Pod, SimulatedDeaths, SimulatedNode } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { whatAHumanCanDo } from './advice.ts';
import { nodesToKill } from './kill-list.ts';
import { leaderOf } from './read-cluster.ts';
import { type SimulationView, simulationText } from './simulation-text.ts';

const meta = (name: string, more: object = {}) => ({ name, uid: name, resourceVersion: '1', ...more });

const nodes: readonly Node[] = ['a', 'a', 'b'].map((zone, i) => ({
  metadata: meta(`node-${i + 1}`, {
    labels: { 'topology.kubernetes.io/zone': zone, 'example.com/rack': String(i) },
  }),
}));

describe('the nodes to be killed', () => {
  it.each([
    { wanted: ['node-2'], are: ['node-2'] },
    { wanted: ['zone=a'], are: ['node-1', 'node-2'] },
    { wanted: ['example.com/rack=2', 'node-1'], are: ['node-1', 'node-3'] },
    { wanted: ['topology.kubernetes.io/zone=b', ' node-3'], are: ['node-3'] },
    { wanted: ['zone=a', 'node-1', 'node-1'], are: ['node-1', 'node-2'] },
  ])('for $wanted are $are', ({ wanted, are }) => {
    expect(nodesToKill(wanted, nodes)).toEqual(are);
  });

  it.each([
    { wanted: 'node-9', because: 'found "node-9": there are node-1, node-2, node-3' },
    { wanted: '', because: 'found "": there are node-1, node-2, node-3' },
    { wanted: 'zone=c', because: 'topology.kubernetes.io/zone=c, found none: those that have it say a, b' },
    { wanted: 'zone=', because: 'topology.kubernetes.io/zone=, found none' },
    { wanted: 'disk=fast', because: 'disk=fast, found none: no node has that label' },
    { wanted: '=a', because: 'found "=a"' },
  ])('"$wanted" is refused, with what there is', ({ wanted, because }) => {
    expect(() => nodesToKill([wanted], nodes)).toThrow(because);
    expect(() => nodesToKill(['node-1', wanted], nodes)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

describe('the leader', () => {
  const agent = (name: string, on: string, maker: string, phase: 'Running' | 'Pending' = 'Running'): Pod => ({
    metadata: meta(name, {
      namespace: 'tkr-system',
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: maker, uid: maker, controller: true },
      ],
    }),
    spec: { nodeName: on },
    status: { phase },
  });
  const lease = (holder: string): Lease => ({
    metadata: meta('liberator'),
    spec: { holderIdentity: holder },
  });
  const pods = [
    agent('liberator-1', 'node-1', 'r'),
    agent('liberator-2', 'node-2', 'r'),
    agent('liberator-3', 'node-3', 'r', 'Pending'),
    agent('other', 'node-3', 'o'),
  ];

  it('is found by the pod that its identity names, and the others by who made them', () => {
    expect(leaderOf(lease('liberator-1_0a1b'), pods, 'tkr-system', 17_000)).toEqual({
      on: 'node-1',
      others: ['node-2'],
      electedAfterMs: 17_000,
    });
  });

  it('is nobody who could die where it is no pod of the installation', () => {
    expect(leaderOf(lease('laptop_0a1b'), pods, 'tkr-system', 1)).toBeUndefined();
    expect(leaderOf(lease('liberator-1_0a1b'), pods, 'elsewhere', 1)).toBeUndefined();
    expect(leaderOf(undefined, pods, 'tkr-system', 1)).toBeUndefined();
  });
});

const calm: SimulationView = {
  killed: ['node-1', 'node-2'],
  how: 'crash',
  of: 3,
  unread: [],
  origin: 'liberator.yaml',
  timeline: [],
  nodes: [],
  blind: [],
  lastAt: 0,
  ended: 'settled',
};

function nodeLike(name: string, change: Partial<SimulatedNode>): SimulatedNode {
  return { name, killed: true, policy: 'all', outcome: 'held', holds: [], pods: [], stays: 0, ...change };
}

describe('a simulation in 80 columns', () => {
  const view: SimulationView = {
    ...calm,
    lastAt: 18_700,
    timeline: [
      {
        at: 17_000,
        kind: 'health',
        node: 'node-1',
        from: 'suspect',
        to: 'dead',
        evidence: 'unreachable',
        reasons: ['Lease not renewed for 26s', 'host silent to 3 probes'],
      },
      { at: 17_000, kind: 'admitted', node: 'node-1', policy: 'all' },
      { at: 17_400, kind: 'admitted', node: 'node-2', policy: 'all' },
      { at: 18_100, kind: 'released', node: 'node-1', pods: 2 },
      { at: 18_200, kind: 'removed', node: 'node-1' },
      { at: 18_700, kind: 'over', node: 'node-1', result: 'incomplete' },
    ],
    nodes: [
      nodeLike('node-1', {
        outcome: 'over',
        releasedAt: 18_100,
        stays: 1,
        pods: [
          {
            namespace: 'shop',
            name: 'db-0',
            fate: 'moves',
            to: 'node-3',
            fits: 1,
            obstacles: [],
            traps: [],
            leftBehind: [],
          },
          {
            namespace: 'shop',
            name: 'db-1',
            fate: 'nowhere',
            fits: 0,
            obstacles: [{ reason: 'not enough cpu', nodes: ['node-3'] }],
            traps: [],
            leftBehind: [],
          },
        ],
      }),
      nodeLike('node-2', {
        outcome: 'waits',
        pods: [
          { namespace: 'shop', name: 'job', fate: 'lost', fits: 0, obstacles: [], traps: [], leftBehind: [] },
        ],
      }),
    ],
    unread: ['you may not list statefulsets: every pod of one is taken to be wanted'],
  };

  it('tells what happens when, where each pod goes, and what a human could do', () => {
    const text = simulationText(view, 80);
    expect(`\n${text.join('\n')}\n`).toBe(`
If node-1, node-2 died now (2 of 3 nodes; liberator.yaml):

  +17.0s  node-1          dead (unreachable): Lease not renewed for 26s, host
                          silent to 3 probes
  +17.0s  node-1, node-2  taken over, by policy all
  +18.1s  node-1          2 pods and all volumes are free
  +18.2s  node-1          the Node is deleted
  +18.7s  node-1          not every StatefulSet pod is Ready elsewhere: see
                          below

After 18.7s nothing more changes by time alone.

node-1: released after 18.1s. 1 pod of its own (DaemonSets, static ones) stays.
  shop/db-0  -> node-3  the only node that would take it
  shop/db-1  NOWHERE    no node can take it: not enough cpu (node-3)

node-2: its takeover waits for a human. If its pods were let go, after all
others:
  shop/job  LOST  nobody makes it anew

What a human could do:
  - once it is certain that the machines are off: liberator confirm node-2;
    --confirm-after shows what would follow
  - make room: no node could take 1 of the pods, whatever is decided

Not known:
  - you may not list statefulsets: every pod of one is taken to be wanted

Taken for granted: all other nodes stay well, their hosts answer probes, and
each step takes as long as on an idle control plane, also of takeovers that are
at work already. Which of several nodes is missed first hangs on the moment at
which they die. Nothing was written.
`);
    for (const line of text) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('warns of nodes that are dead too, on which a pod may land first', () => {
    const pods = [
      {
        namespace: 'shop',
        name: 'db-0',
        fate: 'moves',
        to: 'node-3',
        fits: 2,
        traps: ['node-2'],
        obstacles: [],
        leftBehind: [],
      },
    ] as const;
    const text = simulationText(
      { ...calm, nodes: [nodeLike('node-1', { outcome: 'over', releasedAt: 1, pods })] },
      undefined,
    );
    expect(text.join('\n')).toContain(
      'it may first land on node-2, dead too but not known to be, and come free only with it',
    );
  });

  it('says that the order of several nodes is not certain, and nothing of the kind of one', () => {
    const words = 'Which of several nodes is missed first';
    expect(simulationText(calm, undefined).join()).toContain(words);
    expect(simulationText({ ...calm, killed: ['node-1'] }, undefined).join()).not.toContain(words);
  });

  it('is about kubelets where only those die', () => {
    expect(simulationText({ ...calm, how: 'stop-kubelet' }, 80)[0]).toBe(
      'If only the kubelets of node-1, node-2 died now (2 of 3 nodes; liberator.yaml):',
    );
  });

  it('tells of pods that finalizers hold, and by which', () => {
    const pods = [
      { namespace: 'shop', name: 'db-0', fate: 'stuck', finalizers: ['example.com/backup'], fits: 0 },
      { namespace: 'shop', name: 'db-1', fate: 'unwanted', finalizers: ['a/b', 'c/d'], fits: 0 },
    ].map((one) => ({
      ...one,
      traps: [],
      obstacles: [],
      leftBehind: [],
    })) as unknown as SimulatedNode['pods'];
    const timeline = [{ at: 1_000, kind: 'released', node: 'node-1', pods: 1, stuck: 2 }] as const;
    const found = [nodeLike('node-1', { outcome: 'over', releasedAt: 1_000, pods })];
    const text = simulationText({ ...calm, timeline, nodes: found }, undefined).join('\n');
    expect(text).toContain(
      '1 pod is free; finalizers hold 2 more, which the release gives up after a minute',
    );
    expect(text).toContain(
      'held by finalizer example.com/backup: nothing takes its place before that is off',
    );
    expect(text).toContain('its StatefulSet or namespace wants it no more; held by finalizers a/b, c/d');
    expect(text).toContain('they hold 1 of the pods, whatever is decided');
  });

  it('tells a node that is back from one that is missed', () => {
    const text = (outcome: SimulatedNode['outcome']) =>
      simulationText({ ...calm, nodes: [nodeLike('node-1', { outcome })] }, undefined);
    expect(text('returning')).toContain(
      'node-1: it is back from a takeover before, and not trusted again yet.',
    );
    expect(text('undecided')).toContain('node-1: missed, but nothing is decided about it.');
  });

  it('tells a takeover that a brake holds from one that takes its time', () => {
    const text = (holds: SimulatedNode['holds']) =>
      simulationText({ ...calm, nodes: [nodeLike('node-1', { outcome: 'under-way', holds })] }, 80);
    expect(text([{ guard: 'paused', reason: 'disk' }])).toContain('node-1: its takeover is held.');
    expect(text([])).toContain('node-1: its takeover is not over by the end.');
  });

  it('names a few of many nodes to which the same happens', () => {
    const timeline = Array.from({ length: 300 }, (_, i) => ({
      at: 25_000 + i,
      kind: 'held' as const,
      node: `node-${i}`,
      holds: [{ guard: 'budget', reason: 'too many are dead' }],
    }));
    const lines = simulationText({ ...calm, timeline }, 80).filter((line) => line.includes('too many'));
    expect(lines).toEqual([
      '  +25.0s  node-0, node-1, node-2 and 297 more  held by budget: too many are dead',
    ]);
  });
});

describe('what a human could do', () => {
  const advice = (found: Partial<SimulatedDeaths>, how: 'crash' | 'stop-kubelet' = 'crash') =>
    whatAHumanCanDo({ ...calm, ...found, how }).join('\n');
  const held = (...guards: readonly string[]) =>
    nodeLike('node-1', { holds: guards.map((guard) => ({ guard, reason: 'because' })) });

  it('is nothing where all goes by itself', () => {
    expect(advice({ nodes: [nodeLike('node-1', { outcome: 'over' })] })).toBe('');
  });

  it('is to confirm a death that lacks budget or evidence, and not one that something else holds', () => {
    expect(advice({ nodes: [held('budget')] })).toContain('liberator confirm node-1');
    expect(advice({ nodes: [held('budget', 'paused')] })).not.toContain('liberator confirm');
    expect(advice({ nodes: [held('budget', 'paused')] })).toContain('takes the mark off');
  });

  it('is never to confirm a machine that is up', () => {
    const text = advice({ nodes: [held('evidence')] }, 'stop-kubelet');
    expect(text).not.toContain('liberator confirm');
    expect(text).toContain('restart their kubelets');
  });

  it('is to confirm so many deaths that it can be seen again', () => {
    const blind = ['6 of 9 node Leases fell silent together'];
    const undecided = [nodeLike('node-1', { outcome: 'undecided' })];
    expect(advice({ blind, confirmationsToSee: 3, nodes: undecided })).toContain(
      'until 3 of the deaths are confirmed',
    );
    expect(advice({ blind, nodes: undecided })).not.toContain('confirm');
  });
});
