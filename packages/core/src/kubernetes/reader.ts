// What every room may do with Kubernetes: look. There is no mutating method here, and that is the point: who holds only
// this can't write, and the compiler sees to it.
import type { Resource } from './resources.ts';

/** Which objects of a resource. */
export interface Selection {
  /** Absent: all namespaces, or a resource that belongs to none. */
  readonly namespace?: string | undefined;
  /** `spec.nodeName=node-1` */
  readonly fieldSelector?: string | undefined;
  /** `app=web,tier!=cache` */
  readonly labelSelector?: string | undefined;
}

/** How much of the objects is wanted. */
export interface Extent {
  /**
   * Members whose value is an array that comes empty, wherever they are in an object, such as `managedFields`: they are not
   * even parsed. A reader may hand them out all the same. Default: none.
   */
  readonly withoutArrays?: readonly string[] | undefined;
}

/** Limits of one call. */
export interface CallOptions {
  /** Ends the call, with RequestAbortedError. */
  readonly signal?: AbortSignal | undefined;
  /** For one attempt, from start to end. Default 30000. */
  readonly timeoutMs?: number | undefined;
}

/** Options of a read. */
export interface ReadOptions extends CallOptions {
  /**
   * How often to try when there is no answer, or one that says "later" (429, 5xx), before giving up. Default 3;
   * 1 never repeats. A `Retry-After` is honoured up to a minute.
   */
  readonly attempts?: number | undefined;
}

/** Options of a list. */
export interface ListOptions extends Selection, Extent, ReadOptions {
  /** Objects per request. Default 100: bounds memory and how long parsing one answer blocks the event loop. */
  readonly pageSize?: number | undefined;
}

/** Options of a list that comes page by page. */
export interface ListPagesOptions<T, V> extends ListOptions {
  /** Applied to each object as its page arrives, so that the rest of it is garbage at once. Default: keeps all. */
  readonly project?: ((object: T) => V) | undefined;
}

/** One page of a list. */
export interface ListPage<V> {
  /** In the server's order. */
  readonly items: readonly V[];
  /** The same on every page of one listing: where to watch from. */
  readonly resourceVersion: string;
  /**
   * This page starts a listing. A second one with `first` means that the server forgot the snapshot being listed (410):
   * all pages before it are void.
   */
  readonly first: boolean;
  /** The listing is complete with this page. */
  readonly last: boolean;
}

/** All objects of a selection at one moment. */
export interface List<T> {
  /** In the server's order. */
  readonly items: readonly T[];
  /** That moment: where to watch from. */
  readonly resourceVersion: string;
}

/** Options of a watch. */
export interface WatchOptions extends Selection, Extent {
  /** Events after this one. */
  readonly resourceVersion: string;
  /** After how long the server ends the watch, which is how watches are spread over its replicas. */
  readonly timeoutSeconds: number;
  /** Fails with RequestTimeoutError (`idle`) when nothing arrives for this long. Default 120000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Ends the watch, with RequestAbortedError. */
  readonly signal?: AbortSignal | undefined;
  /** Called once the server has accepted the watch: before the first event, which may take its time. */
  readonly onOpen?: (() => void) | undefined;
}

/** One event of a watch. ERROR events are not among them: they are thrown, as KubernetesError. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Nothing happened; the watch may be resumed from here. */
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

/**
 * Reads from one API server.
 *
 * Every method fails with KubernetesError (an answer that is a failure), TransportError (no answer),
 * RequestTimeoutError, RequestAbortedError or MalformedAnswerError.
 */
export interface KubernetesReader {
  /** One object as it is now: a quorum read, never from a cache. 404 is a KubernetesError. */
  get<T>(
    resource: Resource<T>,
    at: { readonly namespace?: string | undefined; readonly name: string },
    options?: ReadOptions,
  ): Promise<T>;
  /** All objects of a selection. Listed objects lack `kind` and `apiVersion`. */
  list<T>(resource: Resource<T>, options?: ListOptions): Promise<List<T>>;
  /** The same page by page, yielding to the event loop between pages. */
  listPages<T, V = T>(
    resource: Resource<T>,
    options?: ListPagesOptions<T, V>,
  ): AsyncGenerator<ListPage<V>, void, undefined>;
  /** Events as they come. Ends when the server ends it; every other end is thrown. */
  watch<T>(resource: Resource<T>, options: WatchOptions): AsyncGenerator<WatchEvent<T>, void, undefined>;
}
