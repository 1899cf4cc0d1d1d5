// A cluster whose machines break, and the words in which its story is told: what is done, waited for and looked at.
import type {
  Node,
  PersistentVolumeClaim,
  Pod,
  Status,
  Taint,
  Transport,
  VolumeAttachment,
} from '@liberator/core';
import { expect } from 'vitest';

/** A cluster with machines that can be broken. Verbs act on machines by the name of their node. */
export interface BehaviourTarget {
  /** As somebody who may do everything. Closing it is up to `close`. */
  readonly transport: Transport;
  /** Three or more, all Ready at the start. */
  readonly nodes: readonly string[];
  /** How long a node may be silent before Ready turns Unknown, and how long pods stay on it afterwards. */
  readonly timings: { readonly nodeMonitorGracePeriodMs: number; readonly tolerationMs: number };
  /** Whether something in the cluster does what VolumeAttachments ask for; if not, the tests do. */
  readonly attachesVolumes: boolean;
  /** Milliseconds by the clock that the cluster lives on. */
  now(): number;
  /** Lets that much time pass for the cluster. */
  pass(ms: number): Promise<void>;
  /** The power is gone: kubelet, containers and network, at once. */
  crash(node: string): void | Promise<void>;
  /** Switches a crashed machine on again, or starts a stopped kubelet. */
  start(node: string): void | Promise<void>;
  /** Only the kubelet ends. */
  stopKubelet(node: string): void | Promise<void>;
  pause(node: string): void | Promise<void>;
  resume(node: string): void | Promise<void>;
  /** Takes the network away and leaves everything running. */
  cut(node: string): void | Promise<void>;
  heal(node: string): void | Promise<void>;
  close(): Promise<void>;
}

interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** Where all that the tests make lives. */
export const namespace = 'default';
/** The controller manager looks at its nodes this often; a poll and a busy machine add a little. */
export const monitorMs = 5_000;
export const slackMs = 3_000;
/** Between two renewals of a Lease, its jitter included. */
export const longestRenewalMs = 10_500;
const pollMs = 250;

export const unreachable = 'node.kubernetes.io/unreachable';
export const outOfService: Taint = {
  key: 'node.kubernetes.io/out-of-service',
  value: 'nodeshutdown',
  effect: 'NoExecute',
};

/** The storage driver that hollow kubelets have. */
const driver = 'hollow.liberator.dev';
const attachmentsPath = '/apis/storage.k8s.io/v1/volumeattachments';

/** What can happen to a machine. */
export type Damage = 'crash' | 'cut' | 'pause' | 'stopKubelet';

/** The verbs of the tests, in the words of the story. */
export class Story {
  readonly #target: BehaviourTarget;
  readonly #damage = new Map<string, Damage>();
  readonly #sets = new Set<string>();
  readonly #volumes = new Set<string>();
  /** Their volumes are attached to nodes. */
  readonly #attachable = new Set<string>();

  constructor(target: BehaviourTarget) {
    this.#target = target;
  }

  get nodes(): readonly string[] {
    return this.#target.nodes;
  }

  get timings(): BehaviourTarget['timings'] {
    return this.#target.timings;
  }

  now(): number {
    return this.#target.now();
  }

  pass(ms: number): Promise<void> {
    return this.#target.pass(ms);
  }

  close(): Promise<void> {
    return this.#target.close();
  }

  async break(node: string, damage: Damage): Promise<void> {
    this.#damage.set(node, damage);
    await this.#target[damage](node);
  }

  /** Undoes {@link break}. */
  async repair(node: string): Promise<void> {
    const damage = this.#damage.get(node);
    this.#damage.delete(node);
    if (damage === 'crash' || damage === 'stopKubelet') await this.#target.start(node);
    if (damage === 'cut') await this.#target.heal(node);
    if (damage === 'pause') await this.#target.resume(node);
  }

  async call<T = Status>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
  ): Promise<Answer<T>> {
    const patch = { contentType: 'application/merge-patch+json' };
    const { status, body: bytes } = await this.#target.transport.send({
      method,
      path,
      signal: new AbortController().signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(method === 'PATCH' ? patch : {}),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return { status, body: JSON.parse(Buffer.concat(chunks).toString('utf8')) };
  }

  /** The object at `path`, which must be there. */
  async read<T>(path: string): Promise<T> {
    const { status, body } = await this.call<T>('GET', path);
    expect(status, `GET ${path}`).toBe(200);
    return body;
  }

  node(name: string): Promise<Node> {
    return this.read(`/api/v1/nodes/${name}`);
  }

  claim(name: string): Promise<PersistentVolumeClaim> {
    return this.read(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`);
  }

  async taints(nodeName: string): Promise<readonly Taint[]> {
    return (await this.node(nodeName)).spec?.taints ?? [];
  }

  async addTaint(nodeName: string, taint: object): Promise<void> {
    const taints = [...(await this.taints(nodeName)), taint];
    const { status } = await this.call('PATCH', `/api/v1/nodes/${nodeName}`, { spec: { taints } });
    expect(status).toBe(200);
  }

  async pod(name: string): Promise<Pod | undefined> {
    const { status, body } = await this.call<Pod>('GET', `/api/v1/namespaces/${namespace}/pods/${name}`);
    return status === 200 ? body : undefined;
  }

  /** Removes this very pod from the API, whether or not its kubelet agrees. */
  async forceDelete({ metadata: { name, uid } }: Pod): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const answer = await this.call('DELETE', path, { gracePeriodSeconds: 0, preconditions: { uid } });
    expect(answer.status).toBe(200);
  }

  isReady(object: Node | Pod | undefined): boolean {
    return object?.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
  }

  readyPod(name: string): Promise<Pod> {
    return this.eventually(`pod ${name} to be Ready`, 60_000, async () => {
      const pod = await this.pod(name);
      return pod !== undefined && this.isReady(pod) ? pod : undefined;
    });
  }

  /** The Ready pod that took over the identity of `before`. */
  replacementOf(before: Pod, withinMs: number): Promise<Pod> {
    const { name, uid } = before.metadata;
    return this.eventually(`a Ready replacement of ${name}`, withinMs, async () => {
      const pod = await this.pod(String(name));
      return pod !== undefined && pod.metadata.uid !== uid && this.isReady(pod) ? pod : undefined;
    });
  }

  /** Waits for Unknown and checks that it came neither early nor late. */
  async untilUnknown(nodeName: string, since: number): Promise<void> {
    const graceMs = this.timings.nodeMonitorGracePeriodMs;
    // A round of the monitor notices the last renewal, and another one that it has grown old.
    await this.eventually(`${nodeName} to be Unknown`, graceMs + 2 * monitorMs + slackMs, async () => {
      const conditions = (await this.node(nodeName)).status?.conditions ?? [];
      return conditions.some((one) => one.type === 'Ready' && one.status === 'Unknown') ? true : undefined;
    });
    expect(this.now() - since).toBeGreaterThan(graceMs - longestRenewalMs - 1_000);
  }

  /** Waits until the node is Ready and Kubernetes has taken back its own taints. */
  async untilWell(nodeName: string): Promise<void> {
    await this.eventually(`${nodeName} to be well`, 60_000, async () => {
      const { status, body: node } = await this.call<Node>('GET', `/api/v1/nodes/${nodeName}`);
      if (status !== 200 || !this.isReady(node)) return undefined;
      const taints = node.spec?.taints ?? [];
      const trouble = [unreachable, 'node.kubernetes.io/not-ready'];
      return taints.some(({ key }) => trouble.includes(String(key))) ? undefined : true;
    });
  }

  async allWell(): Promise<void> {
    for (const node of this.nodes) await this.untilWell(node);
    for (const node of this.nodes) {
      await this.eventually(`the first Lease of ${node}`, 60_000, async () => {
        const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${node}`;
        return (await this.call('GET', path)).status === 200 ? true : undefined;
      });
    }
  }

  /**
   * Creates a StatefulSet whose pods keep to nodes of their own, and waits until all are Ready. `local` volumes are
   * there on every node, `attached` ones are at one node at a time.
   */
  async createSet(name: string, options: SetOptions): Promise<void> {
    this.#sets.add(name);
    const labels = { app: name };
    const selector = { matchLabels: labels };
    if (options.volumes !== undefined) {
      for (let ordinal = 0; ordinal < options.replicas; ordinal++) {
        await this.#createVolume(`${name}-${ordinal}`, options.volumes);
      }
    }
    const claims = {
      metadata: { name: 'data' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        resources: { requests: { storage: '1Gi' } },
      },
    };
    const apart = { labelSelector: selector, topologyKey: 'kubernetes.io/hostname' };
    const container = {
      name: 'main',
      image: 'registry.invalid/main:1',
      ...(options.volumes === undefined ? {} : { volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    };
    const { status, body } = await this.call('POST', `/apis/apps/v1/namespaces/${namespace}/statefulsets`, {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name },
      spec: {
        replicas: options.replicas,
        serviceName: name,
        selector,
        template: {
          metadata: { labels },
          spec: {
            affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [apart] } },
            containers: [container],
          },
        },
        ...(options.volumes === undefined ? {} : { volumeClaimTemplates: [claims] }),
      },
    });
    expect(status, JSON.stringify(body)).toBe(201);
    for (let ordinal = 0; ordinal < options.replicas; ordinal++) await this.readyPod(`${name}-${ordinal}`);
  }

  async #createVolume(name: string, kind: 'local' | 'attached'): Promise<void> {
    this.#volumes.add(name);
    if (kind === 'attached') {
      this.#attachable.add(name);
      await this.call('POST', '/apis/storage.k8s.io/v1/csidrivers', {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name: driver },
        spec: { attachRequired: true },
      });
    }
    const { status, body } = await this.call('POST', '/api/v1/persistentvolumes', {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        claimRef: { namespace, name: `data-${name}` },
        ...(kind === 'attached'
          ? { csi: { driver, volumeHandle: name } }
          : { hostPath: { path: `/tmp/${name}` } }),
      },
    });
    expect(status, JSON.stringify(body)).toBe(201);
  }

  /** The node that the volume of a pod is attached to, or is being attached to. */
  async attachedTo(podName: string): Promise<readonly string[]> {
    const attachments = await this.#attachments();
    return attachments
      .filter(({ spec }) => spec?.source?.persistentVolumeName === podName)
      .map(({ spec }) => spec?.nodeName ?? '');
  }

  /** What a Node calls the volume of a pod in its status. */
  volumeInUse(podName: string): string {
    return `kubernetes.io/csi/${driver}^${podName}`;
  }

  async #attachments(): Promise<readonly AttachmentWithStatus[]> {
    return (await this.read<{ items: readonly AttachmentWithStatus[] }>(attachmentsPath)).items;
  }

  /** Plays the storage system where the cluster has none: says of every volume that it is attached. */
  async #attach(): Promise<void> {
    for (const { metadata, status } of await this.#attachments()) {
      if (status?.attached === true || metadata.deletionTimestamp !== undefined) continue;
      await this.call('PATCH', `${attachmentsPath}/${metadata.name}/status`, { status: { attached: true } });
    }
  }

  /** Leaves the cluster as every test finds it. */
  async cleanUp(): Promise<void> {
    for (const node of [...this.#damage.keys()]) await this.repair(node);
    for (const node of this.nodes) {
      await this.untilWell(node);
      const kept = (await this.taints(node)).filter(({ key }) => key !== outOfService.key);
      if (kept.length < (await this.taints(node)).length) {
        await this.call('PATCH', `/api/v1/nodes/${node}`, { spec: { taints: kept } });
      }
    }
    for (const name of this.#sets) {
      await this.call('DELETE', `/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`);
      await this.#untilNoPod(name);
    }
    for (const name of this.#volumes) {
      await this.call('DELETE', `/api/v1/namespaces/${namespace}/persistentvolumeclaims/data-${name}`);
    }
    for (const name of this.#attachable) {
      await this.eventually(`the volume of ${name} to be detached`, 60_000, async () =>
        (await this.attachedTo(name)).length === 0 ? true : undefined,
      );
    }
    for (const name of this.#volumes) await this.call('DELETE', `/api/v1/persistentvolumes/${name}`);
    this.#sets.clear();
    this.#volumes.clear();
    this.#attachable.clear();
    await this.allWell();
  }

  #untilNoPod(app: string): Promise<true> {
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=app%3D${app}`;
    return this.eventually(`the pods of ${app} to be gone`, 60_000, async () =>
      (await this.read<{ items: readonly Pod[] }>(path)).items.length === 0 ? true : undefined,
    );
  }

  /** Looks again and again until `look` finds something. */
  async eventually<T>(what: string, withinMs: number, look: () => Promise<T | undefined>): Promise<T> {
    const start = this.now();
    for (;;) {
      if (!this.#target.attachesVolumes && this.#attachable.size > 0) await this.#attach();
      const found = await look();
      if (found !== undefined) return found;
      if (this.now() - start > withinMs)
        throw new Error(`expected ${what} within ${withinMs} ms, waited in vain`);
      await this.pass(pollMs);
    }
  }
}

/** What a StatefulSet of a test is like. */
export interface SetOptions {
  readonly replicas: number;
  /** Default: none. */
  readonly volumes?: 'local' | 'attached';
}

interface AttachmentWithStatus extends VolumeAttachment {
  readonly status?: { readonly attached?: boolean };
}

/** The name of the node that a pod is bound to. */
export function nodeOf(pod: Pod): string {
  expect(pod.spec?.nodeName).toMatch(/./);
  return pod.spec?.nodeName ?? '';
}
