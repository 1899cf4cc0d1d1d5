// A fencer's write leaves under a permit, within the term, and on what was read; nothing of Kubernetes' own is ever written.
import { describe, expect, it } from 'vitest';
import { networkFences } from '../fencing/drivers/csi-addons.ts';
import type { FencePermit } from '../fencing/permit.ts';
import { KubernetesClient } from '../kubernetes/client.ts';
import { nodes, pods, type Resource } from '../kubernetes/resources.ts';
import type { Transport, TransportRequest, TransportResponse } from '../kubernetes/transport.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { customResourcesOf } from './custom-resources.ts';

const fence = {
  metadata: { name: 'f' },
  spec: { networkFenceClassName: 'c', fenceState: 'Fenced', cidrs: [] },
} as const;

function setUp(answer: { status: number; reason?: string } = { status: 200 }) {
  const clock = new ManualClock({ turns: 1 });
  const term = endlessTerm(clock, 7);
  const calledOff = new AbortController();
  const sent: { method: string; path: string; body: unknown }[] = [];
  const scene = {
    clock,
    term,
    calledOff,
    sent,
    answer,
    asked: 0,
    permit: { outcome: 'granted', validForMs: 5_000 } as FencePermit,
    /** Done while a request waits for its turn. */
    beforeSending: async (): Promise<void> => undefined,
  };
  const transport: Transport = {
    async send({ method, path, body, beforeSend }: TransportRequest): Promise<TransportResponse> {
      if (method !== 'GET') await scene.beforeSending();
      beforeSend?.();
      sent.push({ method, path, body: body === undefined ? undefined : JSON.parse(body) });
      const { status, reason } = method === 'GET' ? { status: 200, reason: undefined } : scene.answer;
      const object = { metadata: { name: 'f', uid: 'u', resourceVersion: '12' }, spec: fence.spec, reason };
      return {
        status,
        body: (async function* () {
          yield Buffer.from(JSON.stringify(object));
        })(),
      };
    },
    async close() {},
  };
  const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
  const permit = async (): Promise<FencePermit> => {
    scene.asked += 1;
    return scene.permit;
  };
  const resources = customResourcesOf(client, clock)({ term, permit, signal: calledOff.signal });
  return Object.assign(scene, { resources });
}

async function readFence({ resources }: ReturnType<typeof setUp>) {
  const seen = await resources.read(networkFences, 'f');
  if (seen === undefined) throw new Error('there is none');
  return seen;
}

/** Each write of the port. */
const writes = [
  ['create', async (scene: ReturnType<typeof setUp>) => scene.resources.create(networkFences, fence)],
  [
    'patch',
    async (scene: ReturnType<typeof setUp>) =>
      scene.resources.patch(networkFences, await readFence(scene), { spec: { fenceState: 'Unfenced' } }),
  ],
  [
    'delete',
    async (scene: ReturnType<typeof setUp>) => scene.resources.delete(networkFences, await readFence(scene)),
  ],
] as const;

const sentWrites = ({ sent }: ReturnType<typeof setUp>) => sent.filter(({ method }) => method !== 'GET');

describe.each(writes)('to %s', (_, write) => {
  it('takes a permit of its own', async () => {
    const scene = setUp();
    expect(await write(scene)).toBe('written');
    expect(scene.asked).toBe(1);
    expect(sentWrites(scene)).toHaveLength(1);
  });

  it('without a permit sends nothing, and says why', async () => {
    const scene = setUp();
    scene.permit = { outcome: 'refused', code: 'alive', detail: 'it lives' };
    expect(await write(scene)).toEqual(scene.permit);
    expect(sentWrites(scene)).toEqual([]);
  });

  it('sends nothing when the permit ran out while the request waited', async () => {
    const scene = setUp();
    scene.beforeSending = () => scene.clock.advance(5_000);
    expect(await write(scene)).toMatchObject({ outcome: 'refused', code: 'unknown' });
    expect(sentWrites(scene)).toEqual([]);
  });

  it('sends nothing when the term ends while the request waits', async () => {
    const scene = setUp();
    scene.beforeSending = async () => scene.term.end('another leads');
    await expect(write(scene)).rejects.toThrow();
    expect(sentWrites(scene)).toEqual([]);
  });

  it('sends nothing once the fencer was called off', async () => {
    const scene = setUp();
    scene.beforeSending = async () => scene.calledOff.abort(new Error('too late'));
    await expect(write(scene)).rejects.toThrow();
    expect(sentWrites(scene)).toEqual([]);
  });
});

describe('what is written', () => {
  it('is conditional on the object that was read', async () => {
    const scene = setUp();
    const seen = await readFence(scene);
    await scene.resources.patch(networkFences, seen, { spec: { fenceState: 'Unfenced' } });
    await scene.resources.delete(networkFences, seen);
    const path = '/apis/csiaddons.openshift.io/v1alpha1/networkfences/f';
    expect(sentWrites(scene)).toEqual([
      {
        method: 'PATCH',
        path,
        body: { metadata: { uid: 'u', resourceVersion: '12' }, spec: { fenceState: 'Unfenced' } },
      },
      { method: 'DELETE', path, body: { preconditions: { uid: 'u', resourceVersion: '12' } } },
    ]);
  });

  it('is refused about an object that was not read here', async () => {
    const scene = setUp();
    const foreign = { ...(await readFence(scene)) };
    await expect(async () => scene.resources.delete(networkFences, foreign)).rejects.toThrow(TypeError);
    expect(sentWrites(scene)).toEqual([]);
  });

  it.each([
    ['exists', { status: 409, reason: 'AlreadyExists' }, 0],
    ['conflict', { status: 409, reason: 'Conflict' }, 1],
    ['gone', { status: 404, reason: 'NotFound' }, 1],
    ['conflict', { status: 409, reason: 'Conflict' }, 2],
    ['gone', { status: 404, reason: 'NotFound' }, 2],
  ] as const)(
    'comes to "%s" as an outcome, and to an error for everything else',
    async (outcome, answer, which) => {
      const scene = setUp(answer);
      expect(await writes[which][1](scene)).toBe(outcome);
      scene.answer = { status: 403, reason: 'Forbidden' };
      await expect(writes[which][1](scene)).rejects.toMatchObject({ status: 403 });
    },
  );

  it.each([
    ['nodes', nodes],
    ['pods', pods],
    [
      'leases',
      { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', kind: 'Lease', namespaced: true },
    ],
    [
      'StatefulSets',
      { group: 'apps', version: 'v1', plural: 'statefulsets', kind: 'StatefulSet', namespaced: true },
    ],
    [
      'VolumeAttachments',
      {
        group: 'storage.k8s.io',
        version: 'v1',
        plural: 'volumeattachments',
        kind: 'VolumeAttachment',
        namespaced: false,
      },
    ],
    [
      'what is in a namespace',
      { group: 'example.com', version: 'v1', plural: 'things', kind: 'Thing', namespaced: true },
    ],
  ] as readonly (readonly [string, Resource])[])('is never about %s', async (_, resource) => {
    const scene = setUp();
    const custom = resource as typeof networkFences;
    await expect(async () => scene.resources.read(custom, 'x')).rejects.toThrow(TypeError);
    await expect(async () => scene.resources.create(custom, fence)).rejects.toThrow(TypeError);
    const seen = await readFence(scene);
    await expect(async () => scene.resources.delete(custom, seen)).rejects.toThrow(TypeError);
    await expect(async () => scene.resources.patch(custom, seen, { spec: {} })).rejects.toThrow(TypeError);
    expect(sentWrites(scene)).toEqual([]);
  });
});
