// What Kubernetes keeps, and what it does by itself, for the clusters in memory that takeovers are tested on.
import { isDeepStrictEqual } from 'node:util';
import type {
  Condition,
  KubernetesObject,
  Lease,
  Node,
  ObjectMeta,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  Taint,
  Toleration,
  VolumeAttachment,
} from '../kubernetes/objects.ts';
import { isOutOfService, outOfServiceTaint } from '../marks/taints.ts';
import { controllerOf } from '../pods/affected-pods.ts';
import type { Clock } from '../time/clock.ts';

/** How long a StatefulSet's new pod takes to be Ready. */
const readyAfterMs = 3_000;

/** How long a volume stays attached to a node that neither lets go of it nor is out of service. */
const forcedDetachAfterMs = 360_000;

/** What a test gives of an object; the rest is the server's to fill in. */
export type Given<T extends KubernetesObject> = Omit<T, 'metadata'> & {
  readonly metadata: { readonly name: string; readonly uid: string } & Partial<ObjectMeta>;
};

/** What the server notes on an object that is being deleted. */
interface DeletionMeta extends ObjectMeta {
  readonly deletionGracePeriodSeconds?: number;
}

/**
 * Left out, so that nothing may be tested with it: kubelets (no pod stops by itself, no volume is let go of), pod garbage
 * collection, ReplicaSets' and DaemonSets' new pods, the attachments of a replacement.
 */
export class MemoryKubernetes {
  readonly nodes: Map<string, Node> = new Map();
  readonly leases: Map<string, Lease> = new Map();
  /** By namespace and name. */
  readonly pods: Map<string, Pod> = new Map();
  readonly claims: Map<string, PersistentVolumeClaim> = new Map();
  /** By namespace and name. A set that a pod names as its own exists, and wants it until it is scaled or removed. */
  readonly statefulSets: Map<string, StatefulSet> = new Map();
  /** Each in which a pod is exists. Nothing new comes into one that is being deleted. */
  readonly namespaces: Map<string, KubernetesObject> = new Map();
  readonly volumes: Map<string, PersistentVolume> = new Map();
  /** By the volume's name. */
  readonly attachments: Map<string, VolumeAttachment> = new Map();
  /** Every pod and every Node that went because of a deletion through the port, by uid, in order. */
  readonly destroyed: string[] = [];
  /** Whether the out-of-service taint makes Kubernetes evict pods. */
  evicts = true;
  /** Where a StatefulSet's new pods go; undefined when no node takes them. */
  replacementNode: string | undefined = 'node-2';
  /** Nodes on which no pod starts, though it may be put there. */
  readonly withoutKubelet: Set<string> = new Set();
  /** What the scheduler says of a pod that no node takes; undefined while it has said nothing. */
  noNodeBecause: string | undefined;
  protected readonly clock: Clock;
  /** Pods that are starting, by uid, and when they will be Ready. */
  readonly #readyAt = new Map<string, number>();
  /** Volumes whose pod is gone, and when they are taken from a node that doesn't let go. */
  readonly #detachedAt = new Map<string, number>();
  #version = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  // What a test does.

  putNode(node: Given<Node>): void {
    this.nodes.set(node.metadata.name, this.versioned<Node>(node));
  }

  putPod(pod: Given<Pod>): void {
    const versioned = this.versioned<Pod>({ ...pod, metadata: { namespace: 'default', ...pod.metadata } });
    this.pods.set(keyOf(versioned), versioned);
    const owner = setOf(versioned);
    const { namespace = '' } = versioned.metadata;
    this.#namespace(namespace);
    if (owner !== undefined && !this.statefulSets.has(`${namespace}/${owner.name}`)) {
      // Enough for every pod that a test thinks of.
      this.#putSet({ namespace, name: owner.name, uid: owner.uid }, 10);
    }
  }

  /** The kubelet of a node renews its Lease. */
  renew(name: string, renewTime: string): void {
    const metadata = { name, namespace: 'kube-node-lease', uid: `lease-${name}` };
    this.leases.set(name, this.versioned<Lease>({ metadata, spec: { renewTime } }));
  }

  taintsOf(name: string): readonly Taint[] {
    return this.nodes.get(name)?.spec?.taints ?? [];
  }

  /** Somebody else's write to a Node. Taking the last finalizer off one that was deleted lets go of it. */
  changeNode(name: string, change: (node: Node) => Node): void {
    const node = this.nodes.get(name);
    if (node !== undefined) this.writeNode(node, change(node));
  }

  /** Somebody else's write to a pod. Taking the last finalizer off one that was deleted lets go of it. */
  changePod(key: string, change: (pod: Pod) => Pod): void {
    const pod = this.pods.get(key);
    if (pod === undefined) return;
    const changed = this.#changed(pod, change(pod));
    if (isLetGo(changed)) this.#podGone(changed);
    else this.pods.set(key, changed);
  }

  /** Somebody scales a StatefulSet. Its pods that are there stay: no controller takes them away here. */
  scale(set: string, replicas: number, namespace = 'default'): void {
    const known = this.statefulSets.get(`${namespace}/${set}`)?.metadata;
    this.#putSet(known ?? { namespace, name: set, uid: `uid-${set}` }, replicas);
  }

  /** Somebody deletes a StatefulSet, and its pods with it. */
  removeSet(set: string, namespace = 'default'): void {
    this.statefulSets.delete(`${namespace}/${set}`);
    for (const pod of [...this.pods.values()])
      if (pod.metadata.namespace === namespace && setOf(pod)?.name === set) this.deletePodObject(pod);
  }

  /** Somebody deletes a namespace: everything in it is deleted, and nothing new comes into it. */
  terminateNamespace(namespace: string): void {
    const known = this.#namespace(namespace);
    this.namespaces.set(namespace, this.versioned(markDeleted(known, this.clock, 0)));
    for (const key of [...this.statefulSets.keys()])
      if (key.startsWith(`${namespace}/`)) this.statefulSets.delete(key);
    for (const pod of [...this.pods.values()])
      if (pod.metadata.namespace === namespace) this.deletePodObject(pod);
  }

  // What a write comes to.

  /** @returns the Node as it is afterwards, gone or not. */
  protected writeNode(before: Node, after: Node): Node {
    const changed = this.#changed(before, after);
    if (isLetGo(changed)) this.#nodeGone(changed);
    else this.nodes.set(changed.metadata.name, changed);
    return changed;
  }

  /** With the grace that the pod asks for, unless another is given. A finalizer keeps it. */
  protected deletePodObject(pod: Pod, graceSeconds?: number): void {
    const marked = this.#changed(pod, markDeleted(pod, this.clock, graceSeconds ?? graceOf(pod)));
    if (isLetGo(marked)) this.#podGone(marked);
    else this.pods.set(keyOf(marked), marked);
  }

  /** A finalizer keeps it. */
  protected deleteNodeObject(node: Node): void {
    this.writeNode(node, markDeleted(node, this.clock, 0));
  }

  /** What Kubernetes has done by now. */
  protected catchUp(): void {
    this.#evict();
    this.#detach();
    this.#start();
  }

  protected versioned<T extends KubernetesObject>(object: Given<T>): T {
    const metadata = { ...object.metadata, resourceVersion: this.nextVersion() };
    return { ...object, metadata } as unknown as T;
  }

  protected nextVersion(): string {
    return String(++this.#version);
  }

  protected podsOn(node: string): Pod[] {
    return [...this.pods.values()].filter(({ spec }) => spec?.nodeName === node);
  }

  /** A write that changes nothing is none. */
  #changed<T extends KubernetesObject>(before: T, after: T): T {
    const stored = withoutEmpty(after);
    return isDeepStrictEqual(withoutEmpty(before), stored) ? before : this.versioned<T>(stored as Given<T>);
  }

  #namespace(name: string): KubernetesObject {
    const known = this.namespaces.get(name) ?? this.versioned({ metadata: { name, uid: `uid-${name}` } });
    this.namespaces.set(name, known);
    return known;
  }

  #putSet(metadata: { namespace?: string; name: string; uid: string }, replicas: number): void {
    this.statefulSets.set(
      `${metadata.namespace}/${metadata.name}`,
      this.versioned<StatefulSet>({ metadata, spec: { replicas } }),
    );
  }

  #evict(): void {
    if (!this.evicts) return;
    for (const node of this.nodes.values()) {
      if (!isOutOfService(node.spec?.taints)) continue;
      for (const pod of this.podsOn(node.metadata.name)) {
        if (pod.metadata.deletionTimestamp === undefined && !toleratesOutOfService(pod))
          this.deletePodObject(pod);
      }
    }
  }

  #detach(): void {
    for (const [volume, forcedAt] of this.#detachedAt) {
      const node = this.nodes.get(this.attachments.get(volume)?.spec?.nodeName ?? '');
      if (this.clock.now() < forcedAt && !isOutOfService(node?.spec?.taints)) continue;
      this.attachments.delete(volume);
      this.#detachedAt.delete(volume);
    }
  }

  #start(): void {
    for (const [uid, readyAt] of this.#readyAt) {
      if (this.clock.now() < readyAt) continue;
      const pod = [...this.pods.values()].find(({ metadata }) => metadata.uid === uid);
      if (this.withoutKubelet.has(pod?.spec?.nodeName ?? '')) continue;
      this.#readyAt.delete(uid);
      if (pod === undefined) continue;
      const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } as const;
      this.pods.set(keyOf(pod), this.#changed(pod, { ...pod, status }));
    }
  }

  #nodeGone(node: Node): void {
    this.nodes.delete(node.metadata.name);
    this.destroyed.push(node.metadata.uid);
  }

  /** Its volumes can be detached, and its StatefulSet makes another one under its name. */
  #podGone(pod: Pod): void {
    this.pods.delete(keyOf(pod));
    this.destroyed.push(pod.metadata.uid);
    for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      const claim = this.claims.get(`${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`);
      const volume = claim?.spec?.volumeName ?? '';
      if (this.attachments.has(volume)) this.#detachedAt.set(volume, this.clock.now() + forcedDetachAfterMs);
    }
    if (this.#isWanted(pod)) this.#makeAnew(pod);
  }

  #isWanted(pod: Pod): boolean {
    const { namespace = '', name } = pod.metadata;
    const owner = setOf(pod);
    const set = owner && this.statefulSets.get(`${namespace}/${owner.name}`);
    if (
      set?.metadata.uid !== owner?.uid ||
      this.namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined
    )
      return false;
    const ordinal = Number(/-(\d+)$/.exec(name)?.[1]) - (set?.spec?.ordinals?.start ?? 0);
    return ordinal >= 0 && ordinal < (set?.spec?.replicas ?? 0);
  }

  #conditionsOfNew(node: string | undefined): readonly Condition[] {
    if (node !== undefined) return [{ type: 'Ready', status: 'False' }];
    const message = this.noNodeBecause;
    if (message === undefined) return [];
    return [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
  }

  #makeAnew({ metadata, spec }: Pod): void {
    const { namespace = '', name, labels, annotations, ownerReferences } = metadata;
    const { nodeName: _, ...template } = spec ?? {};
    const node = this.replacementNode;
    const uid = `${metadata.uid}'`;
    if (node !== undefined) this.#readyAt.set(uid, this.clock.now() + readyAfterMs);
    this.putPod({
      metadata: {
        namespace,
        name,
        uid,
        creationTimestamp: timestamp(this.clock.wallTime()),
        ...(labels && { labels }),
        ...(annotations && { annotations }),
        ...(ownerReferences && { ownerReferences }),
      },
      spec: { ...template, ...(node !== undefined && { nodeName: node }) },
      status: {
        phase: 'Pending',
        conditions: this.#conditionsOfNew(node),
      },
    });
  }
}

export function keyOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** RFC 3339 in whole seconds, as the server writes it. */
function timestamp(wallTime: number): string {
  return `${new Date(wallTime).toISOString().slice(0, 19)}Z`;
}

function setOf(pod: Pod): { readonly name: string; readonly uid: string } | undefined {
  const owner = controllerOf(pod);
  return owner?.kind === 'StatefulSet' ? owner : undefined;
}

function graceOf({ spec, status }: Pod): number {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  return spec?.nodeName === undefined || isOver ? 0 : (spec.terminationGracePeriodSeconds ?? 30);
}

/** A grace that runs may only be cut short. */
function markDeleted<T extends KubernetesObject>(object: T, clock: Clock, graceSeconds: number): T {
  const { deletionTimestamp, deletionGracePeriodSeconds } = object.metadata as DeletionMeta;
  const isShorter = graceSeconds < (deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY);
  if (deletionTimestamp !== undefined && !isShorter) return object;
  const metadata = {
    ...object.metadata,
    deletionTimestamp: timestamp(clock.wallTime() + graceSeconds * 1_000),
    deletionGracePeriodSeconds: graceSeconds,
  };
  return { ...object, metadata };
}

/** Whether it is deleted and nothing keeps it: neither a grace nor a finalizer. */
function isLetGo({ metadata }: KubernetesObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata as DeletionMeta;
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0;
}

function toleratesOutOfService({ spec }: Pod): boolean {
  return (spec?.tolerations ?? []).some(({ key, operator = 'Equal', value = '', effect }: Toleration) => {
    if (effect !== undefined && effect !== '' && effect !== outOfServiceTaint.effect) return false;
    if (key === undefined || key === '') return operator === 'Exists';
    if (key !== outOfServiceTaint.key) return false;
    return operator === 'Exists' || value === (outOfServiceTaint.value ?? '');
  });
}

/** Lists and maps that are empty are not there on the wire. */
function withoutEmpty<T extends KubernetesObject>(object: T): T {
  const { spec, metadata } = object as T & { spec?: object };
  return { ...object, metadata: pruned(metadata), ...(spec !== undefined && { spec: pruned(spec) }) };
}

function pruned<T extends object>(fields: T): T {
  const kept = Object.entries(fields).filter(
    ([, value]) =>
      value !== undefined && (typeof value !== 'object' || value === null || Object.keys(value).length > 0),
  );
  return Object.fromEntries(kept) as T;
}
