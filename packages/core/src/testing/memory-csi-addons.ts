// csi-addons in memory: its objects as an API server keeps them, and its controller, as far as a fence depends on either.
import type { CsiAddonsNode, NetworkFence } from '../fencing/drivers/csi-addons.ts';
import { csiAddonsNodes, networkFenceClasses, networkFences } from '../fencing/drivers/csi-addons.ts';
import type { GuardedResources } from '../fencing/guarded-resources.ts';
import type { FencePermit } from '../fencing/permit.ts';
import type { KubernetesObject, Node } from '../kubernetes/objects.ts';
import { nodes, type Resource } from '../kubernetes/resources.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryReader } from './memory-reader.ts';

export const cephRbd = 'rbd.csi.ceph.com';
export const cephClass = 'ceph';

export class MemoryCsiAddons {
  readonly clock: ManualClock;
  readonly reader: MemoryReader;
  /** What was sent: `create liberator-death-ceph`. */
  readonly writes: string[] = [];
  /** What the storage system keeps out. */
  readonly keptOut: Set<string> = new Set();
  /** What the storage system answers; undefined: nobody is there. */
  storage: 'works' | 'fails' | undefined = 'works';
  permit: FencePermit = { outcome: 'granted', validForMs: 5_000 };
  /** How often the permit was asked for. */
  permits = 0;
  #version = 0;

  constructor(clock: ManualClock = new ManualClock({ turns: 1 })) {
    this.clock = clock;
    this.reader = new MemoryReader(clock);
    this.putClass(cephClass, cephRbd);
  }

  putClass(name: string, provisioner: string): void {
    this.reader.put(networkFenceClasses, { metadata: this.#meta(name), spec: { provisioner } });
  }

  putNode(name: string, addresses: readonly string[], uid = `uid-${name}`): Node {
    const node: Node = {
      metadata: { ...this.#meta(name), uid },
      status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
    };
    this.reader.put(nodes, node);
    return node;
  }

  /** What the side-car of a node says; nothing without addresses. */
  putSidecar(nodeID: string, cidrs: readonly string[], name: string = nodeID): CsiAddonsNode {
    const sidecar: CsiAddonsNode = {
      metadata: { ...this.#meta(name), namespace: 'storage' },
      spec: { driver: { name: cephRbd, nodeID } },
      status: {
        networkFenceClientStatus: [
          { networkFenceClassName: cephClass, ClientDetails: [{ id: 'cluster', cidrs }] },
        ],
      },
    };
    this.reader.put(csiAddonsNodes, sidecar);
    return sidecar;
  }

  fence(name: string): NetworkFence | undefined {
    return this.fences.find(({ metadata }) => metadata.name === name);
  }

  get fences(): readonly NetworkFence[] {
    return this.reader.all(networkFences) as readonly NetworkFence[];
  }

  /** Somebody else's write. A spec that changes makes another generation. */
  putFence(
    fence: Omit<NetworkFence, 'metadata'> & { readonly metadata: Partial<NetworkFence['metadata']> },
  ): void {
    const { name = 'fence' } = fence.metadata;
    const before = this.fence(name);
    const isChanged = JSON.stringify(before?.spec) !== JSON.stringify(fence.spec);
    const generation = (before?.metadata.generation ?? 0) + (isChanged ? 1 : 0);
    const { resourceVersion, uid } = this.#meta(name);
    const metadata = { name, uid, ...before?.metadata, ...fence.metadata, generation, resourceVersion };
    this.reader.put<NetworkFence>(networkFences, { ...fence, metadata });
  }

  /** What csi-addons' controller does once: it answers in the status, which it overwrites, and says not about what. */
  reconcile(): void {
    for (const fence of this.fences) {
      const { metadata, spec } = fence;
      if (metadata.deletionTimestamp !== undefined) {
        this.reader.remove(networkFences, fence);
        continue;
      }
      if (this.storage === undefined) continue;
      const isFence = spec.fenceState === 'Fenced';
      if (this.storage === 'works') {
        for (const cidr of spec.cidrs) this.keptOut[isFence ? 'add' : 'delete'](cidr);
      }
      const status =
        this.storage === 'works'
          ? { result: 'Succeeded', message: `${isFence ? 'fencing' : 'unfencing'} operation successful` }
          : { result: 'Failed', message: 'rpc error: no cluster' };
      this.putFence({ ...fence, metadata: { ...metadata, finalizers: ['csi-addons'] }, status });
    }
  }

  /** The port of a fencer, with the permit of {@link MemoryCsiAddons.permit}. */
  readonly resources: GuardedResources = {
    read: async (resource, name) => this.#find(resource, name),
    create: async (resource, object) => {
      const refusal = this.#ask(`create ${object.metadata.name}`);
      if (refusal !== undefined) return refusal;
      if (this.#find(resource, object.metadata.name) !== undefined) return 'exists';
      this.putFence(object as unknown as NetworkFence);
      return 'written';
    },
    patch: async (resource, seen, { spec }) => {
      const refusal = this.#ask(`patch ${seen.metadata.name}`);
      if (refusal !== undefined) return refusal;
      const now = this.#find(resource, seen.metadata.name) as NetworkFence | undefined;
      if (now === undefined) return 'gone';
      if (now.metadata.resourceVersion !== seen.metadata.resourceVersion) return 'conflict';
      this.putFence({ ...now, spec: { ...now.spec, ...spec } });
      return 'written';
    },
    delete: async (resource, seen) => {
      const refusal = this.#ask(`delete ${seen.metadata.name}`);
      if (refusal !== undefined) return refusal;
      const now = this.#find(resource, seen.metadata.name) as NetworkFence | undefined;
      if (now === undefined) return 'gone';
      if (now.metadata.resourceVersion !== seen.metadata.resourceVersion) return 'conflict';
      if ((now.metadata.finalizers ?? []).length === 0) this.reader.remove(networkFences, now);
      else
        this.putFence({ ...now, metadata: { ...now.metadata, deletionTimestamp: '2030-01-01T00:00:00Z' } });
      return 'written';
    },
  };

  #ask(write: string): Extract<FencePermit, { outcome: 'refused' }> | undefined {
    this.permits += 1;
    if (this.permit.outcome === 'refused') return this.permit;
    this.writes.push(write);
    return undefined;
  }

  #find<T extends KubernetesObject>(resource: Resource<T>, name: string): T | undefined {
    return this.reader.all(resource).find(({ metadata }) => metadata.name === name) as T | undefined;
  }

  #meta(name: string): { name: string; uid: string; resourceVersion: string } {
    return { name, uid: `uid-${name}`, resourceVersion: String(++this.#version) };
  }
}
