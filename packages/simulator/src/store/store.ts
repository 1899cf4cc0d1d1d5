// What the embedded Kubernetes offers to its own HTTP front and to its own controllers: objects with versions, and changes.
import type { KubernetesObject } from '@liberator/core';

/** One kind of object that the store serves. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  /** `v1` */
  readonly version: string;
  /** `nodes`, `statefulsets`. */
  readonly plural: string;
  /** As in objects: `Node`. */
  readonly kind: string;
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean;
  /** Whether `/status` is written on its own, so that writes of the main resource leave `status` alone. */
  readonly statusSubresource: boolean;
}

/** A stored object: wire shape, never mutated in place. */
export interface StoredObject extends KubernetesObject {
  /** Always there in the store. */
  readonly apiVersion: string;
  /** Always there in the store. */
  readonly kind: string;
  /** As its kind has it. */
  readonly spec?: unknown;
  /** As its kind has it. */
  readonly status?: unknown;
}

/** One change of one object. */
export interface StoreEvent {
  /** As in a watch. */
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED the last state, with the resourceVersion of the deletion. */
  readonly object: StoredObject;
  /** The state before this change; absent for ADDED. Selector-filtered watches need it. */
  readonly previous?: StoredObject;
}

/** Options of a deletion. Fields as in Kubernetes' API. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** Which objects to list. */
export interface ListOptions {
  /** Absent: all of them. */
  readonly namespace?: string;
  /** `spec.nodeName=node-1` */
  readonly fieldSelector?: string;
  /** `app=web,tier!=cache` */
  readonly labelSelector?: string;
}

/** Who writes, for the audit log: `system:kube-controller-manager`, `system:node:node-1`. */
export interface WriteContext {
  /** As the audit log is to have it. */
  readonly user: string;
  /** Set by the HTTP front, which writes its own audit record, so that a write isn't recorded twice. */
  readonly audited?: boolean;
  /** Everything is checked and answered, nothing is written. */
  readonly dryRun?: boolean;
}

/**
 * Synchronous, in memory. Every method that can fail throws a `StatusError` carrying the very `Status` object that a
 * real API server would answer (404 NotFound, 409 AlreadyExists or Conflict, 410 Expired, 422 Invalid).
 */
export interface Store {
  /**
   * What there must be.
   *
   * @throws StatusError 404 when there is none.
   */
  get(type: ResourceType, namespace: string | undefined, name: string): StoredObject;
  /** Undefined when there is none. */
  find(type: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined;
  /** In the order of namespaces and names. */
  list(type: ResourceType, options?: ListOptions): readonly StoredObject[];
  /** Completes it with what a server fills in: uid, times, defaults. */
  create(type: ResourceType, object: object, context: WriteContext): StoredObject;
  /** Replace. A `metadata.resourceVersion` in `object` makes it conditional. */
  update(type: ResourceType, object: object, context: WriteContext, subresource?: 'status'): StoredObject;
  /** Reads, applies `change` to a deep copy, writes; `change` returning undefined (or false) means no write. Never conflicts. */
  modify<T extends object>(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (draft: T) => undefined | boolean,
    context: WriteContext,
    subresource?: 'status',
  ): StoredObject;
  /** Graceful where the kind has grace (pods on a node): sets deletionTimestamp and leaves the object. */
  delete(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): StoredObject;
  /**
   * The `pods/{name}/binding` subresource, the only way in which a pod gets to a node. 409 when it has one already, or
   * when it isn't the pod with `uid`.
   */
  bind(namespace: string, name: string, nodeName: string, context: WriteContext, uid?: string): StoredObject;
  /** Calls `listener` after each change of the type, in order, in a turn of its own. Returns the unsubscribe function. */
  watch(type: ResourceType, listener: (event: StoreEvent) => void): () => void;
}

/** All objects of a kind at one moment. */
export interface Snapshot {
  /** Of the whole store at that moment: where a watch goes on from here. */
  readonly resourceVersion: number;
  /** By namespace, then by name, as etcd has them. */
  readonly objects: readonly StoredObject[];
}

/** A change together with the resourceVersion that it made. */
export interface VersionedEvent extends StoreEvent {
  readonly resourceVersion: number;
}

/** What a deletion came to. */
export interface Deletion {
  /** As it is now, or as it was last. */
  readonly object: StoredObject;
  /** Whether it is gone, rather than marked and waiting for its kubelet or its finalizers. */
  readonly removed: boolean;
}

/** What the HTTP front needs beyond {@link Store}: the past. Controllers have no use for it. */
export interface ServerStore extends Store {
  /** The resourceVersion of the newest change, of whatever kind. */
  resourceVersion(): number;
  /**
   * The objects of a kind, now or as they were at `resourceVersion`.
   *
   * @throws StatusError 410 when the changes since then are no longer kept.
   */
  snapshot(type: ResourceType, resourceVersion?: number): Snapshot;
  /**
   * The changes of a kind after `resourceVersion`, oldest first, `limit` at most.
   *
   * @throws StatusError 410 when some of them are no longer kept.
   */
  eventsAfter(type: ResourceType, resourceVersion: number, limit: number): readonly VersionedEvent[];
  /** Calls `listener` at once after each change of the kind, while the writer still waits: it may only take note. */
  onChange(type: ResourceType, listener: () => void): () => void;
  /**
   * Writes what `change` makes of the current state. A `metadata.resourceVersion` that differs from the current one is a
   * conflict; a foreign uid is invalid here, where for {@link Store.update} it is a conflict.
   */
  patch(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    change: (current: StoredObject) => object,
    context: WriteContext,
    subresource?: 'status',
  ): StoredObject;
  /** {@link Store.delete}, which also says whether the object is gone: a dry run can't be looked up afterwards. */
  performDeletion(
    type: ResourceType,
    namespace: string | undefined,
    name: string,
    options: DeleteOptions,
    context: WriteContext,
  ): Deletion;
  /** The `namespaces/{name}/finalize` subresource: writes `spec.finalizers`, the last of which lets the namespace go. */
  finalizeNamespace(namespace: object, context: WriteContext): StoredObject;
  /** Forgets all changes up to now, as etcd does every few minutes: whoever lags behind gets 410. */
  compact(): void;
}
