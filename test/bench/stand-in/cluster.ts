// The objects behind the stand-in, in the simulator's own store, so that guarded writes are judged as a real API server judges
// them; and as few controllers as a takeover needs, each of which does at once what a real one does sooner or later.
import { type ConfigMap, type Lease, type Node, type Pod, systemClock, systemRandom } from '@liberator/core';
import { resources } from '@liberator/simulator';
import { createStore } from '../../../packages/simulator/src/store/memory-store.ts';
import type { ServerStore, StoredObject } from '../../../packages/simulator/src/store/store.ts';
import { NodeLeases } from './node-leases.ts';
import {
  type DatabasePod,
  databaseNamespace,
  databasePod,
  nodeManagedFields,
  nodeName,
  nodeObject,
  podObject,
  runningStatus,
  setSize,
} from './objects.ts';

/** The agents' own namespace. */
export const agentNamespace = 'liberator';

const controllers = { user: 'system:kube-controller-manager', fromInside: true };
const kubelets = { user: 'system:nodes', fromInside: true };

/** How the controller manager looks at nodes by default. */
const monitorEveryMs = 5_000;
const monitorGraceMs = 50_000;
/** How the pod garbage collector does, by default. */
const collectEveryMs = 20_000;

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

/** What became of a node that died here. */
export interface Death {
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly diedAt: number;
  /** Database pods that were on it, and when a replacement of each was Ready elsewhere. */
  readonly pods: Record<string, number | undefined>;
  /** When a takeover of it was first on record. */
  claimedAt?: number;
  nodeDeletedAt?: number;
}

export interface ClusterOptions {
  readonly nodes: number;
  /** Database pods on each. */
  readonly pods: number;
  readonly renewEveryMs: number;
  readonly statusEveryMs: number;
  readonly kubeletPort: number;
}

export class StandInCluster {
  readonly store: ServerStore = createStore({ clock: systemClock, random: systemRandom });
  readonly leases: NodeLeases;
  readonly deaths: Map<string, Death> = new Map();
  /** By node, the pods that are bound to it: what `spec.nodeName=` asks for. */
  readonly podsOn: Map<string, Map<string, StoredObject>> = new Map();
  readonly #options: ClusterOptions;
  readonly #indexOf = new Map<string, number>();
  readonly #pods = new Map<string, DatabasePod>();
  readonly #timers: NodeJS.Timeout[] = [];
  #nextHome = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.store.create(resources.namespaces, { metadata: { name: agentNamespace } }, controllers);
    this.store.create(resources.namespaces, { metadata: { name: databaseNamespace } }, controllers);
    // Before anything is made, so that the index has it all.
    this.store.onChange(resources.pods, () => this.#index());
    for (let index = 0; index < options.nodes; index++) this.#createNode(index);
    for (let number = 0; number < options.nodes * options.pods; number++) this.#createDatabase(number);
    const nodes = this.store.list(resources.nodes).map(({ metadata: { name, uid } }) => ({ name, uid }));
    this.leases = new NodeLeases(nodes, options.renewEveryMs);
    this.store.watch(resources.nodes, ({ type, object, previous }) => {
      if (type === 'DELETED') this.#nodeDeleted(object.metadata.name);
      else if (isOutOfService(object as Node) && !isOutOfService(previous as Node | undefined)) {
        this.#evict(object.metadata.name);
      }
    });
    this.store.watch(resources.pods, ({ type, object }) => {
      if (type === 'DELETED') this.#podDeleted(object as Pod);
    });
    this.store.watch(resources.configmaps, ({ type, object }) => {
      if (type === 'ADDED') this.#claimed(object);
    });
    // What was there before anybody came is not news.
    this.store.compact();
  }

  start(): void {
    this.leases.start();
    this.#postStatuses();
    this.#every(monitorEveryMs, () => this.#monitor());
    this.#every(collectEveryMs, () => this.#collect());
  }

  stop(): void {
    this.leases.stop();
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Nodes that nothing has happened to yet, in the order of their names. */
  living(): readonly string[] {
    return [...this.#indexOf.keys()].filter((name) => !this.deaths.has(name));
  }

  /** Their kubelets fall silent in this moment; their hosts are not our business. */
  die(names: readonly string[]): void {
    const diedAt = Date.now();
    for (const name of names) {
      this.leases.silence(name);
      const pods = [...(this.podsOn.get(name)?.values() ?? [])].map(({ metadata }) => metadata.name);
      this.deaths.set(name, {
        node: name,
        diedAt,
        pods: Object.fromEntries(pods.map((pod) => [pod, undefined])),
      });
    }
  }

  /** The election as its Lease has it. */
  election(): { readonly holder: string; readonly transitions: number } {
    const lease = this.store.find(resources.leases, agentNamespace, 'liberator') as Lease | undefined;
    return {
      holder: lease?.spec?.holderIdentity ?? '',
      transitions: lease?.spec?.leaseTransitions ?? 0,
    };
  }

  #createNode(index: number): void {
    const node = nodeObject(index, { kubeletPort: this.#options.kubeletPort, now: seconds() });
    const { metadata } = this.store.create(resources.nodes, node, kubelets);
    this.#indexOf.set(metadata.name, index);
    // The store gives a new Node the taint that it has until the controller manager has seen it Ready.
    this.store.modify<Changing<Node>>(
      resources.nodes,
      undefined,
      metadata.name,
      (draft) => {
        const { taints: _, ...spec } = draft.spec ?? {};
        draft.spec = spec;
        Object.assign(draft.metadata, { managedFields: nodeManagedFields });
        return true;
      },
      controllers,
    );
  }

  #createDatabase(number: number): void {
    const pod = databasePod(number);
    this.#pods.set(pod.name, pod);
    if (number % setSize === 0) {
      const template = { metadata: { labels: { app: 'mysql' } }, spec: { containers: [] } };
      this.store.create(
        resources.statefulsets,
        {
          metadata: { name: pod.set, namespace: databaseNamespace },
          spec: {
            replicas: Math.min(setSize, this.#options.nodes * this.#options.pods - number),
            serviceName: pod.set,
            selector: { matchLabels: { app: 'mysql' } },
            template,
          },
        },
        controllers,
      );
    }
    const claimRef = {
      kind: 'PersistentVolumeClaim',
      namespace: databaseNamespace,
      name: pod.claim,
      apiVersion: 'v1',
    };
    const size = { storage: '100Gi' };
    const shared = { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', volumeMode: 'Filesystem' };
    const csi = {
      driver: 'ebs.csi.example.com',
      fsType: 'ext4',
      volumeHandle: `vol-${pod.volume.slice(4, 21)}`,
    };
    this.store.create(
      resources.persistentvolumes,
      { metadata: { name: pod.volume }, spec: { ...shared, capacity: size, claimRef, csi } },
      controllers,
    );
    this.store.create(
      resources.persistentvolumeclaims,
      {
        metadata: { name: pod.claim, namespace: databaseNamespace, labels: { app: 'mysql' } },
        spec: { ...shared, resources: { requests: size }, volumeName: pod.volume },
      },
      controllers,
    );
    this.#place(pod, nodeName(number % this.#options.nodes));
  }

  /** The pod is there, bound, and Ready, and its volume attached: all at once. */
  #place(pod: DatabasePod, node: string): void {
    const set = this.store.get(resources.statefulsets, databaseNamespace, pod.set);
    const object = podObject(pod, { node, setUid: set.metadata.uid });
    this.store.create(resources.pods, object, controllers);
    this.store.modify<{ status?: object }>(
      resources.pods,
      databaseNamespace,
      pod.name,
      (draft) => {
        draft.status = { ...draft.status, ...runningStatus(seconds()) };
        return true;
      },
      kubelets,
      'status',
    );
    this.store.create(
      resources.volumeattachments,
      {
        metadata: { name: attachmentOf(pod, node) },
        spec: {
          attacher: 'ebs.csi.example.com',
          nodeName: node,
          source: { persistentVolumeName: pod.volume },
        },
      },
      controllers,
    );
  }

  /** One kubelet after the other posts its status, evenly over the interval. */
  #postStatuses(): void {
    const names = [...this.#indexOf.keys()];
    let posted = 0;
    const startedAt = performance.now();
    this.#every(50, () => {
      const due = ((performance.now() - startedAt) / this.#options.statusEveryMs) * names.length;
      for (; posted < due; posted++) this.#postStatus(names[posted % names.length] ?? '');
    });
  }

  #postStatus(name: string): void {
    if (this.deaths.has(name) || !this.#indexOf.has(name)) return;
    this.store.modify<Changing<Node>>(
      resources.nodes,
      undefined,
      name,
      (draft) => {
        Object.assign(draft.metadata, { managedFields: nodeManagedFields });
        const conditions = draft.status?.conditions?.map((one) => ({ ...one, lastHeartbeatTime: seconds() }));
        draft.status = { ...draft.status, ...(conditions && { conditions }) };
        return true;
      },
      kubelets,
      'status',
    );
  }

  /** Ready turns Unknown, and no new pod comes. Of evictions after five minutes nothing is done here. */
  #monitor(): void {
    for (const { node, diedAt } of this.deaths.values()) {
      if (Date.now() - diedAt < monitorGraceMs || !this.#indexOf.has(node)) continue;
      const { status } = this.store.get(resources.nodes, undefined, node) as Node;
      if (status?.conditions?.every((one) => one.status === 'Unknown')) continue;
      const unknown = {
        status: 'Unknown',
        reason: 'NodeStatusUnknown',
        lastTransitionTime: seconds(),
      } as const;
      this.store.modify<Changing<Node>>(
        resources.nodes,
        undefined,
        node,
        (draft) => {
          const conditions = draft.status?.conditions?.map((one) => ({ ...one, ...unknown }));
          draft.status = { ...draft.status, ...(conditions && { conditions }) };
          return true;
        },
        controllers,
        'status',
      );
      this.store.modify<Changing<Node>>(
        resources.nodes,
        undefined,
        node,
        (draft) => {
          const taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' } as const;
          draft.spec = { ...draft.spec, taints: [...(draft.spec?.taints ?? []), taint] };
          return true;
        },
        controllers,
      );
    }
  }

  /** The taint's eviction: the pods are told to go, and stay, since their kubelet is dead. */
  #evict(node: string): void {
    for (const { metadata } of [...(this.podsOn.get(node)?.values() ?? [])]) {
      if (metadata.deletionTimestamp !== undefined) continue;
      this.store.delete(resources.pods, metadata.namespace, metadata.name, {}, controllers);
    }
  }

  /** Pods that were evicted from a node out of service, and pods of Nodes that are gone. */
  #collect(): void {
    for (const [name, pods] of this.podsOn) {
      const node = this.store.find(resources.nodes, undefined, name) as Node | undefined;
      for (const { metadata } of [...pods.values()]) {
        const freed =
          node === undefined || (isOutOfService(node) && metadata.deletionTimestamp !== undefined);
        const options = { gracePeriodSeconds: 0, preconditions: { uid: metadata.uid } };
        if (freed) this.store.delete(resources.pods, metadata.namespace, metadata.name, options, controllers);
      }
    }
  }

  #podDeleted({ metadata, spec }: Pod): void {
    const pod = this.#pods.get(metadata.name);
    if (pod === undefined || spec?.nodeName === undefined) return;
    const attachment = attachmentOf(pod, spec.nodeName);
    if (this.store.find(resources.volumeattachments, undefined, attachment) !== undefined) {
      this.store.delete(resources.volumeattachments, undefined, attachment, {}, controllers);
    }
    const home = this.#home();
    if (home === undefined || this.store.find(resources.pods, databaseNamespace, pod.name) !== undefined)
      return;
    this.#place(pod, home);
    const death = this.deaths.get(spec.nodeName);
    if (death !== undefined && pod.name in death.pods) death.pods[pod.name] ??= Date.now();
  }

  #claimed(object: StoredObject): void {
    const text = (object as ConfigMap).data?.['record.json'];
    if (text === undefined) return;
    const { node } = JSON.parse(text) as { readonly node?: { readonly name?: string } };
    const death = this.deaths.get(node?.name ?? '');
    if (death !== undefined) death.claimedAt ??= Date.now();
  }

  #nodeDeleted(name: string): void {
    this.#indexOf.delete(name);
    this.leases.remove(name);
    const death = this.deaths.get(name);
    if (death !== undefined) death.nodeDeletedAt = Date.now();
  }

  /** The next node that lives and takes pods. */
  #home(): string | undefined {
    for (let tried = 0; tried < this.#options.nodes; tried++) {
      const name = nodeName(this.#nextHome++ % this.#options.nodes);
      if (!this.#indexOf.has(name) || this.deaths.has(name)) continue;
      const { spec } = this.store.get(resources.nodes, undefined, name) as Node;
      if ((spec?.taints ?? []).length === 0) return name;
    }
    return undefined;
  }

  /** Told within a write: only the newest change is looked at. */
  #index(): void {
    const version = this.store.resourceVersion();
    for (const { type, object } of this.store.eventsAfter(resources.pods, version - 1, 10)) {
      const { nodeName: node } = (object as Pod).spec ?? {};
      if (node === undefined) continue;
      const there = this.podsOn.get(node) ?? new Map<string, StoredObject>();
      this.podsOn.set(node, there);
      const key = `${object.metadata.namespace}/${object.metadata.name}`;
      if (type === 'DELETED') there.delete(key);
      else there.set(key, object);
    }
  }

  #every(intervalMs: number, act: () => void): void {
    this.#timers.push(setInterval(act, intervalMs));
  }
}

function isOutOfService(node: Node | undefined): boolean {
  return node?.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') ?? false;
}

function attachmentOf({ volume }: DatabasePod, node: string): string {
  return `csi-${volume.slice(4)}-${node}`;
}

function seconds(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
