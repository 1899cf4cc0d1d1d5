// What is fenced at the storage, by which addresses, and what of csi-addons' answers counts.
import { describe, expect, it } from 'vitest';
import type { NotedNode } from '../../evidence/noted-node.ts';
import { cephClass, cephRbd, MemoryCsiAddons } from '../../testing/memory-csi-addons.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import { networkFencer } from './network-fence.ts';

const name = 'liberator-death-ceph';

interface Scene {
  readonly csi: MemoryCsiAddons;
  readonly target: FenceTarget;
  readonly fencer: Fencer;
  readonly fence: () => Promise<FenceResult>;
  readonly unfence: () => Promise<UnfenceResult | undefined>;
}

function scene(cidrs: readonly string[] = ['10.0.0.1/32'], noted?: Partial<NotedNode>): Scene {
  const csi = new MemoryCsiAddons();
  csi.putNode('node-1', ['10.0.0.1']);
  csi.putNode('node-2', ['10.0.0.2']);
  csi.putSidecar('node-2', ['10.0.0.2/32']);
  const storage = [{ driver: cephRbd, nodeId: 'node-1', networkFenceClass: cephClass, cidrs }];
  const target: FenceTarget = {
    name: 'node-1',
    uid: 'uid-node-1',
    deathId: 'death',
    noted: {
      machine: { systemUuid: '', machineId: '', providerId: '' },
      addresses: [],
      labels: {},
      annotations: {},
      storage,
      ...noted,
    },
    howToConfirm: '',
  };
  const fencer = networkFencer({ name: 'ceph', networkFenceClass: cephClass, reader: csi.reader });
  const context = {
    clock: csi.clock,
    signal: new AbortController().signal,
    permit: async () => csi.permit,
    resources: csi.resources,
  };
  return {
    csi,
    target,
    fencer,
    fence: () => fencer.fence(target, context),
    unfence: async () => fencer.unfence?.(target, context),
  };
}

/** Asks until it is fenced, with csi-addons at work in between. */
async function fenced({ fence, csi }: Scene): Promise<FenceResult> {
  for (let tries = 0; tries < 10; tries++) {
    const result = await fence();
    if (result.outcome === 'fenced') return result;
    csi.reconcile();
  }
  throw new Error('it is not fenced');
}

describe('a fence of the storage', () => {
  it('keeps out what was noted of the node, and proves that of the one CSI driver', async () => {
    const one = scene(['10.0.0.1/32', 'fd00::1/128']);
    expect(await one.fence()).toMatchObject({ outcome: 'waiting' });
    expect(one.csi.fence(name)).toMatchObject({
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'liberator', 'liberator.dev/death': 'death' },
        annotations: { 'liberator.dev/node': 'node-1' },
      },
      spec: { networkFenceClassName: 'ceph', fenceState: 'Fenced', cidrs: ['10.0.0.1/32', 'fd00::1/128'] },
    });
    expect(await one.fence()).toMatchObject({
      outcome: 'waiting',
      detail: `NetworkFence ${name} has no result yet`,
    });
    expect(await fenced(one)).toMatchObject({
      outcome: 'fenced',
      proof: 'isolated',
      csiDrivers: [cephRbd],
      detail: `NetworkFence ${name}: Succeeded`,
      evidence: [
        { witness: `NetworkFence ${name}`, said: 'fences 10.0.0.1/32, fd00::1/128' },
        { witness: `NetworkFence ${name}`, said: 'Succeeded: fencing operation successful' },
      ],
    });
    expect([...one.csi.keptOut]).toEqual(['10.0.0.1/32', 'fd00::1/128']);
  });

  it('is made once, whoever asks and how often', async () => {
    const one = scene();
    await fenced(one);
    await fenced(one);
    await one.fence();
    expect(one.csi.writes).toEqual([`create ${name}`]);
  });

  it('is not made without a permit, which is asked for right before', async () => {
    const one = scene();
    one.csi.permit = { outcome: 'refused', code: 'alive', detail: 'its Lease was renewed' };
    expect(await one.fence()).toEqual({ outcome: 'failed', detail: 'its Lease was renewed' });
    expect(one.csi.permits).toBe(1);
    expect(one.csi.fences).toEqual([]);
  });

  it('that csi-addons fails at is told with its words, and asked about again', async () => {
    const one = scene();
    one.csi.storage = 'fails';
    await one.fence();
    one.csi.reconcile();
    expect(await one.fence()).toEqual({
      outcome: 'failed',
      detail: `NetworkFence ${name}: Failed: rpc error: no cluster`,
    });
    one.csi.storage = 'works';
    expect(await fenced(one)).toMatchObject({ proof: 'isolated' });
  });

  it('counts only while it asks for what it was made for: what its status is about nobody can tell otherwise', async () => {
    const one = scene();
    await fenced(one);
    const made = one.csi.fence(name);
    if (made === undefined) throw new Error('there is no fence');
    // Somebody takes it back and asks for it again: the success in the status is that of before.
    one.csi.putFence({ ...made, spec: { ...made.spec, fenceState: 'Unfenced' } });
    one.csi.putFence({ ...made, spec: { ...made.spec, fenceState: 'Fenced' } });
    one.csi.storage = undefined;
    expect(await one.fence()).toMatchObject({ outcome: 'waiting' });
    one.csi.reconcile();
    expect(await one.fence()).toMatchObject({ outcome: 'waiting', detail: `NetworkFence ${name} is made` });
    expect(await one.fence()).toMatchObject({ detail: `NetworkFence ${name} has no result yet` });
  });

  it.each([
    ['other addresses', { cidrs: ['10.9.9.9/32'] }],
    ['the opposite', { fenceState: 'Unfenced' as const }],
  ])('that was changed to ask for %s is made anew', async (_, change) => {
    const one = scene();
    await fenced(one);
    const made = one.csi.fence(name);
    if (made === undefined) throw new Error('there is no fence');
    one.csi.putFence({ ...made, spec: { ...made.spec, ...change } });
    one.csi.reconcile();
    expect(await one.fence()).toMatchObject({ outcome: 'waiting' });
    await fenced(one);
    expect(one.csi.fence(name)?.spec).toEqual(made.spec);
    expect([...one.csi.keptOut]).toContain('10.0.0.1/32');
  });

  it("leaves alone what has its name and is somebody else's", async () => {
    const one = scene();
    one.csi.putFence({
      metadata: { name },
      spec: { networkFenceClassName: 'ceph', fenceState: 'Fenced', cidrs: ['10.0.0.1/32'] },
      status: { result: 'Succeeded', message: 'fencing operation successful' },
    });
    expect(await one.fence()).toMatchObject({ outcome: 'failed', permanent: true });
    expect(await one.unfence()).toMatchObject({ outcome: 'failed', permanent: true });
    expect(one.csi.writes).toEqual([]);
  });

  it('needs somebody who writes for it', async () => {
    const { fencer, target, csi } = scene();
    const context = {
      clock: csi.clock,
      signal: new AbortController().signal,
      permit: async () => csi.permit,
    };
    expect(await fencer.fence(target, context)).toMatchObject({ outcome: 'failed', permanent: true });
  });

  it('is refused when the class is gone, or its driver is not the one that knew the node', async () => {
    const { fencer, target, csi } = scene();
    const context = {
      clock: csi.clock,
      signal: new AbortController().signal,
      permit: async () => csi.permit,
    };
    const other = networkFencer({ name: 'x', networkFenceClass: 'other', reader: csi.reader });
    const resources = csi.resources;
    expect(await other.fence(target, { ...context, resources })).toMatchObject({
      outcome: 'failed',
      permanent: true,
    });
    csi.putClass(cephClass, 'another.example.com');
    expect(await fencer.fence(target, { ...context, resources })).toMatchObject({
      outcome: 'failed',
      permanent: true,
    });
    expect(csi.writes).toEqual([]);
  });
});

describe('addresses', () => {
  it.each([
    ['that nobody knew while the node lived', []],
    ['that are a range', ['10.0.0.0/24']],
    ['one of which is a range', ['10.0.0.1/32', '10.0.0.0/31']],
    ['that are a range of IPv6', ['fd00::/64']],
    ['without a length', ['10.0.0.1']],
    ['with a port', ['10.0.0.1:0/32']],
    ['that are everything', ['0.0.0.0/0']],
    ["that are nobody's own", ['127.0.0.1/32']],
    ['of the link', ['fe80::1/128']],
    ['that are a name', ['node-1/32']],
  ])('%s are not fenced', async (_, cidrs) => {
    const { fence, csi } = scene(cidrs);
    expect(await fence()).toMatchObject({ outcome: 'failed', permanent: true });
    expect(csi.writes).toEqual([]);
  });

  it('that another node has are not fenced, however they are written', async () => {
    const { fence, csi } = scene(['fd00::1/128']);
    csi.putNode('node-3', ['FD00:0:0:0:0:0:0:1']);
    expect(await fence()).toEqual({
      outcome: 'failed',
      permanent: true,
      detail: 'node node-3 has the address FD00:0:0:0:0:0:0:1, too, and would be fenced as well',
    });
    expect(csi.writes).toEqual([]);
  });

  it('by which storage knows another node are not fenced', async () => {
    const { fence, csi } = scene(['172.16.0.9/32']);
    csi.putSidecar('node-2', ['10.0.0.2/32', '172.16.0.9/32']);
    expect(await fence()).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('node node-2'),
    });
    expect(csi.writes).toEqual([]);
  });

  it("of a new Node of the same name are another machine's", async () => {
    const { fence, csi } = scene();
    csi.putNode('node-1', ['10.0.0.1'], 'uid-anew');
    expect(await fence()).toMatchObject({ outcome: 'failed', permanent: true });
  });

  it('that a side-car says only after the death count for nothing', async () => {
    const { fence, csi } = scene([]);
    csi.putSidecar('node-1', ['10.0.0.1/32']);
    expect(await fence()).toMatchObject({ outcome: 'failed', permanent: true });
  });
});

describe('a fence that is taken back', () => {
  it('is unfenced first, and goes once that is done', async () => {
    const one = scene();
    await fenced(one);
    expect(await one.unfence()).toMatchObject({ outcome: 'waiting' });
    // The status still tells of the fence.
    expect(one.csi.fence(name)).toMatchObject({
      spec: { fenceState: 'Unfenced' },
      status: { result: 'Succeeded' },
    });
    expect(await one.unfence()).toMatchObject({ outcome: 'waiting' });
    expect(one.csi.fence(name)?.metadata.deletionTimestamp).toBeUndefined();
    one.csi.reconcile();
    expect([...one.csi.keptOut]).toEqual([]);
    await one.unfence();
    one.csi.reconcile();
    expect(await one.unfence()).toMatchObject({ outcome: 'unfenced' });
    expect(one.csi.writes).toEqual([`create ${name}`, `patch ${name}`, `delete ${name}`]);
  });

  it('stays where csi-addons fails at it, and that is told', async () => {
    const one = scene();
    await fenced(one);
    await one.unfence();
    one.csi.storage = 'fails';
    one.csi.reconcile();
    expect(await one.unfence()).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('no cluster'),
    });
    expect(one.csi.fence(name)).toBeDefined();
  });

  it('is nothing to do when there is none, nor without a permit', async () => {
    const one = scene();
    expect(await one.unfence()).toMatchObject({ outcome: 'unfenced' });
    await fenced(one);
    one.csi.permit = { outcome: 'refused', code: 'term', detail: 'leadership ended' };
    expect(await one.unfence()).toEqual({ outcome: 'failed', detail: 'leadership ended' });
    expect(one.csi.fence(name)?.spec.fenceState).toBe('Fenced');
  });
});

describe('a check', () => {
  const look = async (csi: MemoryCsiAddons, target: FenceTarget, missing?: readonly string[]) => {
    const fencer = networkFencer({
      name: 'ceph',
      networkFenceClass: cephClass,
      reader: csi.reader,
      ...(missing && { missingRights: async () => missing }),
    });
    return fencer.check?.(target, { clock: csi.clock, signal: new AbortController().signal });
  };

  /** A node that lives: nothing was noted of it. */
  const living = (csi: MemoryCsiAddons, target: FenceTarget): FenceTarget => {
    const { storage: _, ...noted } = target.noted;
    return { ...target, noted, node: csi.putNode('node-1', ['10.0.0.1']) };
  };

  it('of a node that lives goes by what its side-car says now, and changes nothing', async () => {
    const { csi, target } = scene();
    csi.putSidecar('node-1', ['10.0.0.1/32']);
    expect(await look(csi, living(csi, target), [])).toMatchObject({
      outcome: 'ready',
      machine: 'matched',
      mayAct: 'yes',
      detail: `${cephRbd} would fence 10.0.0.1/32`,
    });
    expect(csi.permits).toBe(0);
    expect(csi.fences).toEqual([]);
  });

  it('finds a node of which storage knows nothing, one that shares its address, and rights that are missing', async () => {
    const { csi, target } = scene();
    expect(await look(csi, living(csi, target))).toMatchObject({ outcome: 'not-ready', mayAct: 'unknown' });
    csi.putSidecar('node-1', ['10.0.0.2/32']);
    expect(await look(csi, living(csi, target), [])).toMatchObject({
      outcome: 'not-ready',
      machine: 'mismatched',
    });
    csi.putSidecar('node-1', ['10.0.0.1/32']);
    expect(await look(csi, living(csi, target), ['create networkfences'])).toMatchObject({
      outcome: 'not-ready',
      mayAct: 'no',
      detail: 'the API server does not let us create networkfences',
    });
  });

  it('finds csi-addons missing, and an API server that does not answer', async () => {
    const { csi, target } = scene();
    csi.putClass(cephClass, '');
    expect(await look(csi, target)).toMatchObject({
      outcome: 'not-ready',
      detail: 'there is no NetworkFenceClass ceph that names a CSI driver',
    });
    csi.reader.fail(new Error('connection refused'));
    expect(await look(csi, target)).toMatchObject({ outcome: 'not-ready', detail: 'connection refused' });
  });
});
