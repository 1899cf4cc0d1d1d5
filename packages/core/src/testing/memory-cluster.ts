// A small honest cluster for takeovers: conditional writes, taint eviction, a StatefulSet that recreates, and any fault.
import { isDeepStrictEqual } from 'node:util';
import type {
  ConfigMap,
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
import { epochAnnotation } from '../marks/taints.ts';
import type {
  EventWrite,
  NodeEvent,
  PublishedEvent,
  RecordListing,
  StoredRecord,
  TakeoverCluster,
  UnreadableRecord,
  WriteOutcome,
} from '../takeover/cluster.ts';
import type { Keepsake } from '../takeover/keepsake.ts';
import type { TakeoverRecord } from '../takeover/record.ts';
import { recordName } from '../takeover/records/names.ts';
import { decodeRecord, encodeRecord, listingOf } from '../takeover/records/takeover-records.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { asLiveRead, type LiveRead } from '../term/live-read.ts';
import { sleep } from '../time/clock.ts';
import { keyOf, MemoryKubernetes } from './memory-kubernetes.ts';
import { abortedError, noAnswerError, type Refusal, refusalError, timeoutError } from './memory-refusal.ts';

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
  /**
   * `failed`: not done, and an error. `answer-lost`: done, and an error. `conflict`: a write that is refused.
   * `unanswered`: not done, and an error when patience or the term is over.
   */
  readonly outcome?: 'failed' | 'answer-lost' | 'conflict' | 'unanswered';
}

/** As long as any call in a term may take. */
const longestCallMs = 10_000;

export class MemoryCluster extends MemoryKubernetes implements TakeoverCluster {
  readonly records: Map<string, StoredRecord> = new Map();
  /** What else lies where records lie. */
  unreadable: readonly UnreadableRecord[] = [];
  readonly events: NodeEvent[] = [];
  /** How often each Event came about, by its name. */
  readonly eventCounts: Map<string, number> = new Map();
  readonly calls: Call[] = [];
  /** What becomes of the calls to come. */
  fateOf: (call: Call) => CallFate | undefined = () => undefined;
  /** What an admission policy, a webhook or a quota says to a write, which is then not done; undefined: nothing. */
  refuses: (call: Call) => Refusal | undefined = () => undefined;

  /** What somebody put where records lie, whether it can be read or not. */
  putRecordObject(configMap: ConfigMap): void {
    const { records, unreadable } = listingOf([this.versioned<ConfigMap>(configMap)]);
    const { name } = configMap.metadata;
    for (const stored of records) this.records.set(stored.record.id, stored);
    this.unreadable = [...this.unreadable.filter((one) => one.name !== name), ...unreadable];
    if (unreadable.length === 0) return;
    for (const id of this.records.keys()) if (recordName(id) === name) this.records.delete(id);
  }

  /** Somebody writes on a record. */
  annotateRecord(id: string, annotations: StoredRecord['annotations']): void {
    const stored = this.records.get(id);
    if (stored === undefined) return;
    this.records.set(id, {
      ...stored,
      resourceVersion: this.nextVersion(),
      annotations: { ...stored.annotations, ...annotations },
    });
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
    return this.#read(term, 'listPodsOn', node, () => this.podsOn(node).map((pod) => asLiveRead(pod, term)));
  }

  readPod(term: LeaderTerm, namespace: string, name: string): Promise<Pod | undefined> {
    return this.#read(term, 'readPod', `${namespace}/${name}`, () => this.pods.get(`${namespace}/${name}`));
  }

  readPods(term: LeaderTerm, namespace: string, names: readonly string[]): Promise<readonly Pod[]> {
    return this.#read(term, 'readPods', namespace, () =>
      names.flatMap((name) => this.pods.get(`${namespace}/${name}`) ?? []),
    );
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

  clearTaints(
    term: LeaderTerm,
    live: LiveRead<Node>,
    taints: readonly Taint[],
    without: readonly string[] = [],
  ): Promise<WriteOutcome> {
    return this.#patchNode(term, 'clearTaints', live, (node) => {
      const off = new Set([epochAnnotation, ...without]);
      const kept = Object.entries(node.metadata.annotations ?? {}).filter(([name]) => !off.has(name));
      const annotations = Object.fromEntries(kept);
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
    return this.#write(term, 'deletePod', keyOf(live.object), live, this.pods, (pod) =>
      this.deletePodObject(pod, 0),
    );
  }

  async deleteNode(term: LeaderTerm, live: LiveRead<Node>): Promise<WriteOutcome | 'held'> {
    const stamp = live.object.metadata.annotations?.[epochAnnotation];
    if (stamp !== String(term.epoch)) throw new TypeError(`the Node is stamped ${stamp}, not ${term.epoch}`);
    let held = false;
    const outcome = await this.#write(
      term,
      'deleteNode',
      live.object.metadata.name,
      live,
      this.nodes,
      (node) => {
        this.deleteNodeObject(node);
        held = this.nodes.get(node.metadata.name)?.metadata.uid === node.metadata.uid;
      },
    );
    return outcome === 'written' && held ? 'held' : outcome;
  }

  listRecords(term: LeaderTerm): Promise<RecordListing> {
    return this.#read(term, 'listRecords', '', () => {
      const { records, unreadable } = listingOf(
        [...this.records].map(([id, stored]) => configMapOf(id, stored)),
      );
      return { records, unreadable: [...unreadable, ...this.unreadable] };
    });
  }

  readRecord(term: LeaderTerm, id: string): Promise<StoredRecord | undefined> {
    return this.#read(term, 'readRecord', id, () => {
      const read = this.#readUnder(id);
      return read !== undefined && 'record' in read ? read : undefined;
    });
  }

  readUnreadable(term: LeaderTerm, id: string): Promise<UnreadableRecord | undefined> {
    return this.#read(term, 'readUnreadable', id, () => {
      const read = this.#readUnder(id);
      return read !== undefined && !('record' in read) ? read : undefined;
    });
  }

  recordAddress(id: string): { readonly namespace: string; readonly name: string } {
    return { namespace: 'liberator', name: `liberator-takeover-${id}` };
  }

  createRecord(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord | 'exists'> {
    return this.#serve(term, 'createRecord', record.id, true, (refused, admit) => {
      if (refused || this.#readUnder(record.id) !== undefined) return 'exists';
      admit();
      return this.#putRecord(record);
    });
  }

  updateRecord(
    term: LeaderTerm,
    seen: StoredRecord,
    record: TakeoverRecord,
  ): Promise<StoredRecord | 'conflict' | 'gone'> {
    return this.#serve(term, 'updateRecord', record.id, true, (refused, admit) => {
      const current = this.records.get(record.id);
      if (current === undefined) return 'gone';
      if (refused || current.resourceVersion !== seen.resourceVersion) return 'conflict';
      admit();
      return this.#putRecord(record);
    });
  }

  deleteRecord(term: LeaderTerm, seen: StoredRecord): Promise<WriteOutcome> {
    return this.#serve(term, 'deleteRecord', seen.record.id, true, (refused, admit) => {
      const current = this.records.get(seen.record.id);
      if (current === undefined) return 'gone';
      if (refused || current.resourceVersion !== seen.resourceVersion) return 'conflict';
      admit();
      this.records.delete(seen.record.id);
      return 'written';
    });
  }

  publishEvent(
    term: LeaderTerm,
    event: NodeEvent,
    { count = 1, earlier }: EventWrite = {},
  ): Promise<PublishedEvent> {
    return this.#serve(term, 'publishEvent', event.node.name, false, (_, admit) => {
      admit();
      const name = earlier?.name ?? `event-${this.events.push(event)}`;
      this.eventCounts.set(name, count);
      return { name };
    });
  }

  // How calls are served.

  #patchNode(
    term: LeaderTerm,
    method: Call['method'],
    live: LiveRead<Node>,
    patch: (node: Node) => Node,
  ): Promise<WriteOutcome> {
    return this.#write(term, method, live.object.metadata.name, live, this.nodes, (node) => {
      this.writeNode(node, patch(node));
    });
  }

  #write<T extends KubernetesObject>(
    term: LeaderTerm,
    method: Call['method'],
    key: string,
    live: LiveRead<T>,
    all: ReadonlyMap<string, T>,
    apply: (current: T) => void,
  ): Promise<WriteOutcome> {
    if (live.term !== term) throw new TypeError('the object was read in another term');
    return this.#serve(term, method, key, true, (refused, admit) => {
      const current = all.get(key);
      if (current === undefined) return 'gone';
      const { uid, resourceVersion } = current.metadata;
      const seen = live.object.metadata;
      if (refused || uid !== seen.uid || resourceVersion !== seen.resourceVersion) return 'conflict';
      admit();
      apply(current);
      return 'written';
    });
  }

  #read<T>(term: LeaderTerm, method: Call['method'], target: string, serve: () => T): Promise<T> {
    return this.#serve(term, method, target, false, serve);
  }

  async #serve<T>(
    term: LeaderTerm,
    method: Call['method'],
    target: string,
    write: boolean,
    serve: (conflicts: boolean, admit: () => void) => T,
  ): Promise<T> {
    term.assertValid();
    const call: Call = { index: this.calls.length, method, target, write };
    this.calls.push(call);
    const fate = this.fateOf(call);
    fate?.before?.();
    // The last moment: the bytes are about to leave.
    term.assertValid();
    if (fate?.outcome === 'failed') throw noAnswerError(call, false);
    if (fate?.outcome === 'unanswered') return this.#unanswered(term, call);
    this.catchUp();
    const answer = serve(fate?.outcome === 'conflict', () => {
      const refusal = this.refuses(call);
      if (refusal !== undefined) throw refusalError(call, refusal);
    });
    this.catchUp();
    fate?.after?.();
    await Promise.resolve();
    if (fate?.outcome === 'answer-lost') throw noAnswerError(call, true);
    // Whoever's term has ended meanwhile hears of no answer.
    if (term.signal.aborted) throw abortedError(call, term.signal.reason);
    return answer;
  }

  async #unanswered(term: LeaderTerm, call: Call): Promise<never> {
    if (await sleep(this.clock, longestCallMs, term.signal)) throw timeoutError(call, longestCallMs);
    throw abortedError(call, term.signal.reason);
  }

  #readUnder(id: string): StoredRecord | UnreadableRecord | undefined {
    const stored = this.records.get(id);
    if (stored !== undefined) return decodeRecord(configMapOf(id, stored));
    return this.unreadable.find(({ name }) => name === recordName(id));
  }

  #putRecord(record: TakeoverRecord): StoredRecord {
    const before = this.records.get(record.id);
    // As a real one: what could not be read back is refused.
    encodeRecord('liberator', record);
    // Through JSON, as over the wire: what can't be stored must not be relied on.
    const kept = JSON.parse(JSON.stringify(record)) as TakeoverRecord;
    if (before !== undefined && isDeepStrictEqual(before.record, kept)) return { ...before, record };
    const annotations = { ...before?.annotations, 'liberator.dev/node': record.node.name };
    const stored = { record: kept, resourceVersion: this.nextVersion(), annotations };
    this.records.set(record.id, stored);
    return { ...stored, record };
  }
}

/** As it lies on a server: whatever a test put there is a record only if it is right in every field. */
function configMapOf(id: string, { record, resourceVersion, annotations }: StoredRecord): ConfigMap {
  const metadata = { name: recordName(id), uid: id, resourceVersion, annotations };
  return { metadata, data: { 'record.json': JSON.stringify(record) } };
}
