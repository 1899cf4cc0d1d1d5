// The port through which a takeover reads and changes the cluster; the Kubernetes room implements it.

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
import type { LeaderTerm } from '../term/leader-term.ts';
import type { LiveRead } from '../term/live-read.ts';
import type { CustomResources } from './custom-resources.ts';
import type { NodeEventReason } from './event-reasons.ts';
import type { Keepsake } from './keepsake.ts';
import type { TakeoverRecord } from './record.ts';

/**
 * What a conditional write came to. Neither of the last two is an error: `conflict` means that the object changed since
 * it was read, or is another one by now; `gone` that there is none.
 */
export type WriteOutcome = 'written' | 'conflict' | 'gone';

/** A record with what makes the next write to it conditional. */
export interface StoredRecord {
  /** The record itself. */
  readonly record: TakeoverRecord;
  /** What the next write is conditional on. */
  readonly resourceVersion: string;
  /** As people may have written them on the record: no write of a record changes them. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Something that lies where records lie and can't be understood: it is left alone, and told. */
export interface UnreadableRecord {
  /** Of the object that holds it. */
  readonly name: string;
  /** The node that it is about, if it says so. */
  readonly node: string | undefined;
  /** `newer`: a later version of Liberator wrote it, whose business it is. `damaged`: nobody can read it. */
  readonly kind: 'newer' | 'damaged';
  /** What is wrong with it, for people. */
  readonly problem: string;
}

/** All that lies where records lie. */
export interface RecordListing {
  /** Those that are understood. */
  readonly records: readonly StoredRecord[];
  /** Those that are not. */
  readonly unreadable: readonly UnreadableRecord[];
}

/** A Kubernetes Event about a node. */
export interface NodeEvent {
  /** As in Kubernetes. */
  readonly type: 'Normal' | 'Warning';
  /** In CamelCase; names of reasons are kept from version to version. */
  readonly reason: NodeEventReason;
  /** A sentence for people. */
  readonly message: string;
  /** The Node that it is about. */
  readonly node: { readonly name: string; readonly uid: string };
}

/** An Event that is there, for whoever counts it up. */
export interface PublishedEvent {
  /** Of the Event object. */
  readonly name: string;
}

/** How an Event is written. */
export interface EventWrite {
  /** When it last came about, ISO 8601: it may have waited since. Default: now. */
  readonly at?: string;
  /** How often it came about in all. Default 1. */
  readonly count?: number;
  /** Where the same was said before: counted up there, unless it is gone. Absent: a new Event. */
  readonly earlier?: PublishedEvent;
}

/**
 * The cluster as a takeover sees it. Reads are live, never from a cache.
 *
 * Every method may throw: TermEndedError before anything was sent, KubernetesError for an answer that is neither
 * success nor a {@link WriteOutcome}, TransportError or RequestTimeoutError when there was no answer, in which case the
 * outcome of a write is unknown and has to be read back.
 */
export interface TakeoverCluster {
  /** Undefined when there is no such Node. */
  readNode(term: LeaderTerm, name: string): Promise<LiveRead<Node> | undefined>;
  /** The Lease by which the node's kubelet gives its heartbeat. */
  readNodeLease(term: LeaderTerm, node: string): Promise<Lease | undefined>;
  /** All pods bound to the node, of all namespaces. */
  listPodsOn(term: LeaderTerm, node: string): Promise<readonly LiveRead<Pod>[]>;
  /** Undefined when there is no such pod. */
  readPod(term: LeaderTerm, namespace: string, name: string): Promise<Pod | undefined>;
  /** Those of these pods of a namespace that there are. */
  readPods(term: LeaderTerm, namespace: string, names: readonly string[]): Promise<readonly Pod[]>;
  /** Undefined when there is no such claim. */
  readClaim(term: LeaderTerm, namespace: string, name: string): Promise<PersistentVolumeClaim | undefined>;
  /** Undefined when there is no such volume. */
  readVolume(term: LeaderTerm, name: string): Promise<PersistentVolume | undefined>;
  /** Undefined when there is no such StatefulSet. */
  readStatefulSet(term: LeaderTerm, namespace: string, name: string): Promise<StatefulSet | undefined>;
  /** Undefined when there is no such namespace. */
  readNamespace(term: LeaderTerm, name: string): Promise<KubernetesObject | undefined>;
  /** The volumes attached to the node, or meant to be. */
  listAttachmentsOn(term: LeaderTerm, node: string): Promise<readonly VolumeAttachment[]>;

  /** Replaces all taints, and stamps the Node with the term's epoch ({@link epochAnnotation}). */
  setTaints(term: LeaderTerm, node: LiveRead<Node>, taints: readonly Taint[]): Promise<WriteOutcome>;
  /** Replaces all taints, and takes the stamp off, with `annotations` by name: nothing of ours is left on the Node. */
  clearTaints(
    term: LeaderTerm,
    node: LiveRead<Node>,
    taints: readonly Taint[],
    annotations?: readonly string[],
  ): Promise<WriteOutcome>;
  /** Adds what is given, and leaves everything else as it is. */
  addToNode(term: LeaderTerm, node: LiveRead<Node>, keepsake: Keepsake): Promise<WriteOutcome>;
  /** Forced: no grace, since nobody is there to be graceful. */
  deletePod(term: LeaderTerm, pod: LiveRead<Pod>): Promise<WriteOutcome>;
  /**
   * The Node must bear the stamp of this very term, which an admission policy on the server may check. `written`: it is gone.
   * `held`: its deletion is accepted, and something holds it.
   */
  deleteNode(term: LeaderTerm, node: LiveRead<Node>): Promise<WriteOutcome | 'held'>;

  /** Every record, finished ones included. */
  listRecords(term: LeaderTerm): Promise<RecordListing>;
  /** Undefined when there is no such record, or none that can be read. */
  readRecord(term: LeaderTerm, id: string): Promise<StoredRecord | undefined>;
  /** What lies under the id of a record and can't be read as one; undefined when nothing does, or when it can. */
  readUnreadable(term: LeaderTerm, id: string): Promise<UnreadableRecord | undefined>;
  /** `exists`: something lies under this id already, readable or not. It stays as it is. */
  createRecord(term: LeaderTerm, record: TakeoverRecord): Promise<StoredRecord | 'exists'>;
  /** Where the ConfigMap of a record is, for people who have to find it. Reads nothing. */
  recordAddress(id: string): { readonly namespace: string; readonly name: string };
  /** Conditional on what was seen. */
  updateRecord(
    term: LeaderTerm,
    seen: StoredRecord,
    record: TakeoverRecord,
  ): Promise<StoredRecord | 'conflict' | 'gone'>;
  /** Removes a finished record. */
  deleteRecord(term: LeaderTerm, seen: StoredRecord): Promise<WriteOutcome>;

  /** Where fencers write, each write with a permit. Absent: nowhere. */
  readonly customResources?: CustomResources;

  /** Publishes an Event, or counts up the one that said the same before. */
  publishEvent(term: LeaderTerm, event: NodeEvent, write?: EventWrite): Promise<PublishedEvent>;
}
