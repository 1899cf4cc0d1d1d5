import { describe, expect, it } from 'vitest';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../kubernetes/objects.ts';
import type { ClusterSnapshot } from './occupancy.ts';
import { takeoverProspects } from './prospects.ts';
import { quantity } from './quantity.ts';

const meta = (name: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: '1',
  ...more,
});

function node(name: string, change: Partial<Node['spec']> & { labels?: Record<string, string> } = {}): Node {
  const { labels, ...spec } = change;
  return {
    metadata: meta(name, { labels: { 'kubernetes.io/hostname': name, ...labels } }),
    spec,
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      allocatable: { cpu: '2', memory: '4Gi', pods: '10' },
    },
  };
}

function pod(name: string, on: string, spec: Pod['spec'] = {}, labels = { app: 'db' }): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'u', controller: true };
  return {
    metadata: meta(name, { namespace: 'shop', labels, ownerReferences: [owner] }),
    spec: { nodeName: on, ...spec },
    status: { phase: 'Running' },
  };
}

const claimed = { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-0' } }] };

function bound(volume: PersistentVolume['spec']): Pick<ClusterSnapshot, 'claims' | 'volumes'> {
  const claim: PersistentVolumeClaim = {
    metadata: meta('data-db-0', { namespace: 'shop' }),
    spec: { volumeName: 'pv-0' },
  };
  return { claims: [claim], volumes: [{ metadata: meta('pv-0'), ...(volume && { spec: volume }) }] };
}

const onHost = (name: string): NonNullable<PersistentVolume['spec']> => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [
        { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [name] }] },
      ],
    },
  },
});

/** The prospect of `db-0`, which is on `n1` beside an empty `n2`. */
function prospectOf(change: Partial<ClusterSnapshot>) {
  const [first] = takeoverProspects({
    nodes: [node('n1'), node('n2')],
    pods: [pod('db-0', 'n1')],
    claims: [],
    volumes: [],
    ...change,
  });
  return first;
}

const asks = (cpu: string, memory: string): NonNullable<Pod['spec']> => ({
  containers: [{ name: 'db', resources: { requests: { cpu, memory } } }],
});

describe('the prospects of a StatefulSet pod', () => {
  it('are good where another node would take it', () => {
    expect(prospectOf({})).toEqual({
      namespace: 'shop',
      statefulSet: 'db',
      pod: 'db-0',
      node: 'n1',
      fits: ['n2'],
      obstacles: [],
      leftBehind: [],
    });
  });

  it('are none on the only node', () => {
    expect(prospectOf({ nodes: [node('n1')] })).toMatchObject({ fits: [], obstacles: [] });
  });

  const zone = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'db' } } };
  const apart = {
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [zone] } },
  };
  const zoned = [
    node('n1', { labels: { zone: 'a' } }),
    node('n2', { labels: { zone: 'b' } }),
    node('n3', { labels: { zone: 'b' } }),
  ];
  const exotic = (operator: string, values: readonly string[]): NonNullable<Pod['spec']> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{}, { matchExpressions: [{ key: 'disks', operator, values }] }],
        },
      },
    },
  });

  it.each<[string, Partial<ClusterSnapshot>, string]>([
    ['a cordon', { nodes: [node('n1'), node('n2', { unschedulable: true })] }, 'cordoned'],
    [
      'a taint that it does not tolerate',
      { nodes: [node('n1'), node('n2', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })] },
      'taint gpu=yes',
    ],
    [
      'a node selector',
      { pods: [pod('db-0', 'n1', { nodeSelector: { disk: 'fast' } })] },
      "the pod's node selector or affinity",
    ],
    [
      'a node affinity',
      { pods: [pod('db-0', 'n1', exotic('Gt', ['3']))] },
      "the pod's node selector or affinity",
    ],
    [
      'a volume that is pinned to its node',
      { pods: [pod('db-0', 'n1', claimed)], ...bound(onHost('n1')) },
      'volume pv-0 can not be used there',
    ],
    [
      'another pod that it must not be near',
      { nodes: zoned, pods: [pod('db-0', 'n1', apart), pod('db-1', 'n2')] },
      'anti-affinity with db-1',
    ],
    [
      'another pod that does not want it near',
      { nodes: zoned, pods: [pod('db-0', 'n1'), pod('db-1', 'n2', apart)] },
      'anti-affinity with db-1',
    ],
    ['too little memory', { pods: [pod('db-0', 'n1', asks('1', '5Gi'))] }, 'not enough memory'],
    [
      'a processor that others have asked for',
      { pods: [pod('db-0', 'n1', asks('1500m', '1Gi')), pod('x', 'n2', asks('600m', '1Gi'), { app: 'x' })] },
      'not enough cpu',
    ],
    [
      'pods that fill the other node',
      {
        pods: [
          pod('db-0', 'n1'),
          ...Array.from({ length: 10 }, (_, i) => pod(`x-${i}`, 'n2', {}, { app: 'x' })),
        ],
      },
      'too many pods',
    ],
    [
      'another node that is not Ready',
      {
        nodes: [
          node('n1'),
          { ...node('n2'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
        ],
      },
      'not Ready',
    ],
  ])('are spoiled by %s', (_, change, reason) => {
    const { fits, obstacles } = prospectOf(change) ?? {};
    expect(fits).toEqual([]);
    expect(obstacles?.map((one) => one.reason)).toEqual([reason]);
  });

  it.each<[string, Partial<ClusterSnapshot>]>([
    [
      'a taint that it tolerates',
      {
        nodes: [node('n1'), node('n2', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })],
        pods: [pod('db-0', 'n1', { tolerations: [{ key: 'gpu', operator: 'Exists' }] })],
      },
    ],
    [
      'a taint that only asks to be avoided',
      { nodes: [node('n1'), node('n2', { taints: [{ key: 'gpu', effect: 'PreferNoSchedule' }] })] },
    ],
    [
      'a node affinity that the other node meets',
      {
        nodes: [node('n1'), node('n2', { labels: { disks: '4' } })],
        pods: [pod('db-0', 'n1', exotic('Gt', ['3']))],
      },
    ],
    ['a volume that can be used there', { pods: [pod('db-0', 'n1', claimed)], ...bound(onHost('n2')) }],
    [
      'pods that have finished',
      {
        nodes: zoned,
        pods: [pod('db-0', 'n1', apart), { ...pod('db-1', 'n2'), status: { phase: 'Succeeded' as const } }],
      },
    ],
    ['the pods of its own node', { nodes: zoned, pods: [pod('db-0', 'n1', apart), pod('db-1', 'n1')] }],
    [
      'a node that does not say what it has',
      {
        nodes: [node('n1'), { ...node('n2'), status: { conditions: [{ type: 'Ready', status: 'True' }] } }],
        pods: [pod('db-0', 'n1', asks('64', '1Ti'))],
      },
    ],
  ])('are not spoiled by %s', (_, change) => {
    expect(prospectOf(change)?.fits).toContain('n2');
  });

  it('name what stays behind on the node', () => {
    const hostPath = { name: 'scratch', hostPath: { path: '/var/lib/db' } };
    expect(prospectOf({ pods: [pod('db-0', 'n1', { volumes: [hostPath] })] })?.leftBehind).toEqual([
      'volume scratch is /var/lib/db of the node',
    ]);
    const onNode = { pods: [pod('db-0', 'n1', claimed)], ...bound({ hostPath: { path: '/data' } }) };
    expect(prospectOf(onNode)?.leftBehind).toEqual(['volume pv-0 is /data of the node']);
  });

  it('are told with the most frequent obstacle first', () => {
    const cordoned = ['n3', 'n4'].map((name) => node(name, { unschedulable: true }));
    const tainted = node('n2', { taints: [{ key: 'gpu', effect: 'NoExecute' }] });
    expect(prospectOf({ nodes: [node('n1'), tainted, ...cordoned] })?.obstacles).toEqual([
      { reason: 'cordoned', nodes: ['n3', 'n4'] },
      { reason: 'taint gpu', nodes: ['n2'] },
    ]);
  });

  it('are nothing that concerns pods of others, or pods that are on no node', () => {
    const { ownerReferences: _, ...metadata } = pod('web', 'n1').metadata;
    const waiting = pod('db-1', '');
    expect(
      takeoverProspects({
        nodes: [node('n1')],
        pods: [
          { ...pod('web', 'n1'), metadata },
          { metadata: waiting.metadata, spec: {} },
        ],
        claims: [],
        volumes: [],
      }),
    ).toEqual([]);
  });
});

describe('a quantity', () => {
  it.each([
    ['250m', 0.25],
    ['2', 2],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['.5', 0.5],
    ['100M', 1e8],
    ['1e3', 1000],
    ['1E', 1e18],
  ])('%s is %d', (text, value) => {
    expect(quantity(text)).toBeCloseTo(value, 9);
  });

  it.each(['', 'x', '1.2.3', '1X'])('%s is none', (text) => {
    expect(quantity(text)).toBeNaN();
  });
});
