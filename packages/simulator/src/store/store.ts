// What the embedded Kubernetes offers to its own HTTP front and to its own controllers: objects with versions, and changes.
import type { KubernetesObject } from '@liberator/core';

/** One kind of object that the store serves. */
export interface ResourceType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** `nodes`, `statefulsets`. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Whether `/status` is written on its own, so that writes of the main resource leave `status` alone. */
  readonly statusSubresource: boolean;
}

/** A stored object: wire shape, never mutated in place. */
export interface StoredObject extends KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec?: unknown;
  readonly status?: unknown;
}

export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED the last state, with the resourceVersion of the deletion. */
  readonly object: StoredObject;
  /** The state before this change; absent for ADDED. Selector-filtered watches need it. */
  readonly previous?: StoredObject;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

export interface ListOptions {
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** Who writes, for the audit log: `system:kube-controller-manager`, `system:node:node-1`. */
export interface WriteContext {
  readonly user: string;
}

/**
 * Synchronous, in memory. Every method that can fail throws a `StatusError` carrying the very `Status` object that a
 * real API server would answer (404 NotFound, 409 AlreadyExists or Conflict, 410 Expired, 422 Invalid).
 */
export interface Store {
  get(type: ResourceType, namespace: string | undefined, name: string): StoredObject;
  find(type: ResourceType, namespace: string | undefined, name: string): StoredObject | undefined;
  list(type: ResourceType, options?: ListOptions): readonly StoredObject[];
  create(type: ResourceType, object: object, context: WriteContext): StoredObject;
  /** Replace. A `metadata.resourceVersion` in `object` makes it conditional. */
  update(type: ResourceType, object: object, context: WriteContext, subresource?: 'status'): StoredObject;
  /** Reads, applies `change` to a deep copy, writes; `change` returning undefined means no write. Never conflicts. */
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
  /** Calls `listener` after each change of the type, in order, in a turn of its own. Returns the unsubscribe function. */
  watch(type: ResourceType, listener: (event: StoreEvent) => void): () => void;
}
