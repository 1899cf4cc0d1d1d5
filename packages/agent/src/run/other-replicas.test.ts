// Who else could lead: pods of our own workload that are Ready, on another node that lives.
import type { Controller, KubernetesReader } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { otherReplicas } from './other-replicas.ts';

const env = { POD_NAME: 'liberator-1', NODE_NAME: 'node-1' };

interface PodLike {
  readonly node?: string;
  readonly ready?: 'True' | 'False';
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly going?: true;
}

function pod(name: string, { node, ready = 'True', owner = 'rs', labels, going }: PodLike): object {
  return {
    metadata: {
      name,
      uid: `uid-${name}`,
      namespace: 'liberator',
      ownerReferences: [{ kind: 'ReplicaSet', name: owner, uid: owner, controller: true }],
      ...(labels && { labels }),
      ...(going && { deletionTimestamp: '2030-01-01T00:00:00Z' }),
    },
    spec: node === undefined ? {} : { nodeName: node },
    status: { conditions: [{ type: 'Ready', status: ready }] },
  };
}

const health: Readonly<Record<string, string>> = { 'node-1': 'suspect', 'node-2': 'alive', 'node-3': 'dead' };

async function isReady(...items: readonly object[]): Promise<boolean | undefined> {
  const asked: unknown[] = [];
  const reader = {
    list: async (resource: { plural: string }, options: { namespace: string }) => {
      asked.push([resource.plural, options.namespace]);
      return { items, metadata: {} };
    },
  } as unknown as KubernetesReader;
  const nodes = new Map(Object.entries(health).map(([name, is]) => [name, { health: is }]));
  const fleet = () => ({ nodes }) as unknown as Controller['fleet'];
  const self = otherReplicas({ reader, namespace: 'liberator', fleet }, env);
  const answer = await self?.othersReady();
  expect(asked).toEqual([['pods', 'liberator']]);
  return answer;
}

const own = pod('liberator-1', { node: 'node-1' });

describe('another replica', () => {
  it('is ready when its pod is, on another node', async () => {
    expect(await isReady(own, pod('liberator-2', { node: 'node-2' }))).toBe(true);
  });

  it.each<[string, PodLike]>([
    ['is not Ready', { node: 'node-2', ready: 'False' }],
    ['is on the same node', { node: 'node-1' }],
    ['is on a node that is dead', { node: 'node-3' }],
    ['is on a node that nobody knows', { node: 'node-4' }],
    ['has no node yet', {}],
    ['is being deleted', { node: 'node-2', going: true }],
    ['belongs to somebody else', { node: 'node-2', owner: 'other' }],
  ])('is not ready when its pod %s', async (_, like) => {
    expect(await isReady(own, pod('liberator-2', like))).toBe(false);
  });

  it('may be of another version of the same application', async () => {
    const labels = { 'app.kubernetes.io/name': 'liberator', 'app.kubernetes.io/instance': 'liberator' };
    const newer = pod('liberator-new', { node: 'node-2', owner: 'rs-2', labels });
    expect(await isReady(pod('liberator-1', { node: 'node-1', labels }), newer)).toBe(true);
    expect(await isReady(own, newer)).toBe(false);
  });

  it('is none when our own pod is not to be found', async () => {
    expect(await isReady(pod('liberator-2', { node: 'node-2' }))).toBe(false);
  });
});

it('is not asked about where the manifest does not say where this one runs', () => {
  const options = { reader: {} as KubernetesReader, namespace: 'n', fleet: () => ({ nodes: new Map() }) };
  for (const incomplete of [{}, { POD_NAME: 'a' }, { NODE_NAME: 'b' }, { POD_NAME: '', NODE_NAME: 'b' }]) {
    expect(otherReplicas(options, incomplete)).toBeUndefined();
  }
});
