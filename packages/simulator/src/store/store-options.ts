// What a store is made with.
import type { Clock, Random } from '@liberator/core';
import type { ServedResource } from './resources.ts';
import type { ResourceType, StoredObject, WriteContext } from './store.ts';

/** A write that was done, for whoever keeps a record. */
export interface StoreWrite {
  readonly verb: 'create' | 'update' | 'delete';
  readonly type: ResourceType;
  readonly subresource?: string;
  readonly object: StoredObject;
  readonly context: WriteContext;
}

/** Options of `createStore`. */
export interface StoreOptions {
  /** Timestamps come from its wall time; nothing else does. */
  readonly clock: Clock;
  /** Uids and generated names come from here: the same seed gives the same ones. */
  readonly random: Random;
  /**
   * How many changes are kept per kind for watches that reconnect and for lists in pages; default 10000. Fewer cost
   * less memory and give more 410s.
   */
  readonly historyLimit?: number;
  /** How long pods tolerate `not-ready` and `unreachable` unless they say otherwise, in whole seconds; default 300. */
  readonly tolerationSeconds?: number;
  /** Asked before each deletion, whoever wants it; throws a `StatusError` to refuse it. */
  readonly admitDeletion?: (type: ServedResource, object: StoredObject, context: WriteContext) => void;
  /** Called within each write that isn't recorded elsewhere, after it was done. */
  readonly onWrite?: (write: StoreWrite) => void;
}
