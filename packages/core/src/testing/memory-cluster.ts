// A small honest cluster for takeovers: conditional writes, taint eviction, a StatefulSet that recreates, and any fault.
import type { Clock } from '../clock.ts';
import type { LeaderTerm } from '../election/leader-term.ts';
import { asLiveRead, type LiveRead } from '../kubernetes/live-read.ts';
import type {
  KubernetesObject,
  Lease,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
  Taint,
  VolumeAttachment,
} from '../kubernetes/objects.ts';
import { mustGo } from '../takeover/affected-pods.ts';
import type {
  NodeEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
  WriteOutcome,
} from '../takeover/cluster.ts';
import type { Keepsake } from '../takeover/keepsake.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import { epochAnnotation, hasTaint, outOfServiceTaint } from '../takeover/taints.ts';

/** One call of a method, as it is about to be served. */
export interface Call {
  /** From 0, over the life of the cluster. */
  readonly index: number;
  readonly method: keyof TakeoverCluster;
  /** Of what: a name, a namespace and a name, or a record's id. */
  readonly target: string;
  readonly write: boolean;
}

/** What becomes of a call. Left empty, it is served. */
export interface CallFate {
  readonly before?: () => void;
  /** After it was served, before its answer arrives. */
  readonly after?: () => void;
  /** `failed`: not done, and an error. `answer-lost`: done, and an error. `conflict`: a write that is refused. */
  readonly outcome?: 'failed' | 'answer-lost' | 'conflict';
}

/** How long a StatefulSet's new pod takes to be Ready. */
const readyAfterMs = 3_000;

export class MemoryCluster implements TakeoverCluster {
  readonly nodes: Map<string, Node> = new Map();
  readonly leases: Map<string, Lease> = new Map();
  /** By namespace and name. */
  readonly pods: Map<string, Pod> = new Map();
  readonly claims: Map<string, PersistentVolumeClaim> = new Map();
  readonly volumes: Map<string, PersistentVolume> = new Map();
  readonly attachments: Map<string, VolumeAttachment> = new Map();
  readonly records: Map<string, StoredRecord> = new Map();
  unreadable: readonly UnreadableRecord[] = [];
  readonly statefulSets: Map<string, StatefulSet> = new Map();
  readonly namespaces: Map<string, KubernetesObject> = new Map();
  readonly events: NodeEvent[] = [];
  readonly calls: Call[] = [];
  /** Every pod and every Node that was deleted through this port, by uid, in order. */
  readonly destroyed: string[] = [];
  /** What becomes of the calls to come. */
  fateOf: (call: Call) => CallFate | undefined = () => undefined;
  /** Whether the out-of-service taint makes Kubernetes evict pods. */
  evicts = true;
  /** Where a StatefulSet's new pods go; undefined when no node takes them. */
  replacementNode: string | undefined = 'node-2';
  readonly #clock: Clock;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  // What the test does to the cluster.

  putNode(
    node: Omit<Node, 'metadata'> & { metadata: { name: string; uid: string } & Partial<Node['metadata']> },
  ): void {
    this.nodes.set(node.metadata.name, this.#versioned(node));
  }

  putPod(
    pod: Omit<Pod, 'metadata'> & { metadata: { name: string; uid: string } & Partial<Pod['metadata']> },
  ): void {
    const versioned = this.#versioned<Pod>({ ...pod, metadata: { namespace: 'default', ...pod.metadata } });
    this.pods.set(keyOf(versioned), versioned);
  }

  /** The kubelet of a node renews its Lease. */
  renew(name: string, renewTime: string): void {
    const metadata = { name, namespace: 'kube-node-lease', uid: `lease-${name}` };
    this.leases.set(name, this.#versioned<Lease>({ metadata, spec: { renewTime } }));
  }

  taintsOf(name: string): readonly Taint[] {
    return this.nodes.get(name)?.spec?.taints ?? [];
  }

  changeNode(name: string, change: (node: Node) => Node): void {
    const node = this.nodes.get(name);
    if (node !== undefined) this.nodes.set(name, this.#versioned(change(node)));
  }

  // The port.

  readNode(term: LeaderTerm, name: string): Promise<LiveRead<Node> | undefined> {
    return this.#read(term, 'readNode', name, () => {
      const node = this.nodes.get(name);
      return node && asLiveRead(node, term);
    });
  }

  readNodeLease(term: LeaderTerm, node: string): Promise<Lease | undefined> {
    return this.#read(term, 'readNodeLease', node, () => this.leases.get(node));
  }

  listPodsOn(term: LeaderTerm, node: string): Promise<readonly LiveRead<Pod>[]> {
    return this.#read(term, 'listPodsOn', node, () => this.#podsOn(node).map((pod) => asLiveRead(pod, term)));
  }

  readPod(term: LeaderTerm, namespace: string, name: string): Promise<Pod | undefined> {
    return this.#read(term, 'readPod', `${namespace}/${name}`, () => {
      const pod = this.pods.get(`${namespace}/${name}`);
      return pod && this.#withReadiness(pod);
    });
  }

  readStatefulSet(term: LeaderTerm, namespace: string, name: string): Promise<StatefulSet | undefined> {
    const key = `${namespace}/${name}`;
    return this.#read(term, 'readStatefulSet', key, () => this.statefulSets.get(key));
  }

  readNamespace(term: LeaderTerm, name: string): Promise<KubernetesObject | undefined> {
    return this.#read(term, 'readNamespace', name, () => this.namespaces.get(name));
  }

  readClaim(term: LeaderTerm, namespace: string, name: string): Promise<PersistentVolumeClaim | undefined> {
    return this.#read(term, 'readClaim', `${namespace}/${name}`, () =>
      this.claims.get(`${namespace}/${name}`),
    );
  }

  readVolume(term: LeaderTerm, name: string): Promise<PersistentVolume | undefined> {
    return this.#read(term, 'readVolume', name, () => this.volumes.get(name));
  }

  listAttachmentsOn(term: LeaderTerm, node: string): Promise<readonly VolumeAttachment[]> {
    return this.#read(term, 'listAttachmentsOn', node, () =>
      [...this.attachments.values()].filter(({ spec }) => spec?.nodeName === node),
    );
  }

  setTaints(term: LeaderTerm, live: LiveRead<Node>, taints: readonly Taint[]): Promise<WriteOutcome> {
    return this.#patchNode(term, 'setTaints', live, (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { ...node.metadata.annotations, [epochAnnotation]: String(term.epoch) },
      },
      spec: { ...node.spec, taints },
    }));
  }

  clearTaints(term: LeaderTerm, live: LiveRead<Node>, taints: readonly Taint[]): Promise<WriteOutcome> {
    return this.#patchNode(term, 'clearTaints', live, (node) => {
      const { [epochAnnotation]: _, ...annotations } = node.metadata.annotations ?? {};
      return { ...node, metadata: { ...node.metadata, annotations }, spec: { ...node.spec, taints } };
    });
  }

  addToNode(term: LeaderTerm, live: LiveRead<Node>, keepsake: Keepsake): Promise<WriteOutcome> {
    return this.#patchNode(term, 'addToNode', live, (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        labels: { ...node.metadata.labels, ...keepsake.labels },
        annotations: { ...node.metadata.annotations, ...keepsake.annotations },
      },
      spec: {
        ...node.spec,
        taints: [...(node.spec?.taints ?? []), ...keepsake.taints],
        ...(keepsake.unschedulable && { unschedulable: true }),
      },
    }));
  }

  deletePod(term: LeaderTerm, live: LiveRead<Pod>): Promise<WriteOutcome> {
    return this.#write(term, 'deletePod', keyOf(live.object), live, this.pods, (pod) => {
      this.destroyed.push(pod.metadata.uid);
      this.#podGone(pod);
    });
  }

  deleteNode(term: LeaderTerm, live: LiveRead<Node>): Promise<WriteOutcome> {
    const stamp = live.object.metadata.annotations?.[epochAnnotation];
    if (stamp !== String(term.epoch)) throw new TypeError(`the Node is stamped ${stamp}, not ${term.epoch}`);
    return this.#write(term, 'deleteNode', live.object.metadata.name, live, this.nodes, (node) => {
      this.destroyed.push(node.metadata.uid);
      this.nodes.delete(node.metadata.name);
    });
  }

  listRecords(term: LeaderTerm): Promise<RecordListing> {
    return this.#read(term, 'listRecords', '', () => ({
      records: [...this.records.values()],
      unreadable: this.unreadable,
    }));
  }

  readRecord(term: LeaderTerm, id: string): Promise<StoredRecord | undefined> {
    return this.#read(term, 'readRecord', id, () => this.records.get(id));
  }

  createRecord(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord | 'exists'> {
    return this.#serve(term, 'createRecord', record.id, true, (refused) =>
      refused || this.records.has(record.id) ? 'exists' : this.#putRecord(record),
    );
  }

  updateRecord(
    term: LeaderTerm,
    seen: StoredRecord,
    record: TakeoverRecord,
  ): Promise<StoredRecord | 'conflict' | 'gone'> {
    return this.#serve(term, 'updateRecord', record.id, true, (refused) => {
      const current = this.records.get(record.id);
      if (current === undefined) return 'gone';
      if (refused || current.resourceVersion !== seen.resourceVersion) return 'conflict';
      return this.#putRecord(record, current.annotations);
    });
  }

  deleteRecord(term: LeaderTerm, seen: StoredRecord): Promise<WriteOutcome> {
    return this.#serve(term, 'deleteRecord', seen.record.id, true, (refused) => {
      const current = this.records.get(seen.record.id);
      if (current === undefined) return 'gone';
      if (refused || current.resourceVersion !== seen.resourceVersion) return 'conflict';
      this.records.delete(seen.record.id);
      return 'written';
    });
  }

  publishEvent(term: LeaderTerm, event: NodeEvent): Promise<void> {
    return this.#serve(term, 'publishEvent', event.node.name, false, () => {
      this.events.push(event);
    });
  }

  // What Kubernetes does.

  #podsOn(node: string): Pod[] {
    return [...this.pods.values()].filter(({ spec }) => spec?.nodeName === node);
  }

  #evict(node: string): void {
    for (const pod of this.#podsOn(node)) {
      if (!mustGo(pod) || pod.metadata.deletionTimestamp !== undefined) continue;
      const metadata = { ...pod.metadata, deletionTimestamp: 'now' };
      this.pods.set(keyOf(pod), this.#versioned({ ...pod, metadata }));
    }
  }

  /** Its volume detaches, and its StatefulSet makes another one under its name. */
  #podGone(pod: Pod): void {
    this.pods.delete(keyOf(pod));
    for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      const claim = this.claims.get(`${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`);
      this.attachments.delete(claim?.spec?.volumeName ?? '');
    }
    const owner = pod.metadata.ownerReferences?.find(({ kind }) => kind === 'StatefulSet');
    if (owner === undefined) return;
    const { deletionTimestamp: _, ...metadata } = pod.metadata;
    const { nodeName: __, ...spec } = pod.spec ?? {};
    this.putPod({
      ...pod,
      metadata: { ...metadata, uid: `${pod.metadata.uid}'`, creationTimestamp: String(this.#clock.now()) },
      spec: { ...spec, ...(this.replacementNode && { nodeName: this.replacementNode }) },
    });
  }

  #withReadiness(pod: Pod): Pod {
    if (pod.metadata.creationTimestamp === undefined || pod.spec?.nodeName === undefined) return pod;
    const ready = this.#clock.now() - Number(pod.metadata.creationTimestamp) >= readyAfterMs;
    const conditions = [{ type: 'Ready', status: ready ? ('True' as const) : ('False' as const) }];
    return { ...pod, status: { ...pod.status, conditions } };
  }

  // How calls are served.

  #patchNode(
    term: LeaderTerm,
    method: keyof TakeoverCluster,
    live: LiveRead<Node>,
    patch: (node: Node) => Node,
  ): Promise<WriteOutcome> {
    return this.#write(term, method, live.object.metadata.name, live, this.nodes, (node) => {
      const patched = this.#versioned<Node>(patch(node));
      this.nodes.set(node.metadata.name, patched);
      if (this.evicts && hasTaint(patched.spec?.taints, outOfServiceTaint)) this.#evict(node.metadata.name);
    });
  }

  #write<T extends KubernetesObject>(
    term: LeaderTerm,
    method: keyof TakeoverCluster,
    key: string,
    live: LiveRead<T>,
    all: ReadonlyMap<string, T>,
    apply: (current: T) => void,
  ): Promise<WriteOutcome> {
    if (live.term !== term) throw new TypeError('the object was read in another term');
    return this.#serve(term, method, key, true, (refused) => {
      const current = all.get(key);
      if (current === undefined) return 'gone';
      const { uid, resourceVersion } = current.metadata;
      const seen = live.object.metadata;
      if (refused || uid !== seen.uid || resourceVersion !== seen.resourceVersion) return 'conflict';
      apply(current);
      return 'written';
    });
  }

  #read<T>(term: LeaderTerm, method: keyof TakeoverCluster, target: string, serve: () => T): Promise<T> {
    return this.#serve(term, method, target, false, serve);
  }

  async #serve<T>(
    term: LeaderTerm,
    method: keyof TakeoverCluster,
    target: string,
    write: boolean,
    serve: (refused: boolean) => T,
  ): Promise<T> {
    term.assertValid();
    const call: Call = { index: this.calls.length, method, target, write };
    this.calls.push(call);
    const fate = this.fateOf(call);
    fate?.before?.();
    // The last moment: the bytes are about to leave.
    term.assertValid();
    if (fate?.outcome === 'failed') throw new Error(`${method} ${target} failed`);
    const answer = serve(fate?.outcome === 'conflict');
    fate?.after?.();
    await Promise.resolve();
    if (fate?.outcome === 'answer-lost') throw new Error(`no answer to ${method} ${target}`);
    return answer;
  }

  #putRecord(record: TakeoverRecord, annotations: StoredRecord['annotations'] = {}): StoredRecord {
    // Through JSON, as over the wire: what can't be stored must not be relied on.
    const stored = {
      record: JSON.parse(JSON.stringify(record)) as TakeoverRecord,
      resourceVersion: this.#nextVersion(),
      annotations,
    };
    this.records.set(record.id, stored);
    return { ...stored, record };
  }

  #versioned<T extends KubernetesObject>(
    object: Omit<T, 'metadata'> & { metadata: Omit<T['metadata'], 'resourceVersion'> },
  ): T {
    return {
      ...object,
      metadata: { ...object.metadata, resourceVersion: this.#nextVersion() },
    } as unknown as T;
  }

  #nextVersion(): string {
    return String(++this.#version);
  }
}

function keyOf({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
