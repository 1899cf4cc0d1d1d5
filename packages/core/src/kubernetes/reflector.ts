// Keeps a local copy of one selection of objects, and knows at any moment whether that copy can be trusted.
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../time/clock.ts';
import { Backoff } from './backoff.ts';
import {
  isForbidden,
  isGone,
  isUnauthorized,
  KubernetesError,
  MalformedAnswerError,
  RequestTimeoutError,
} from './errors.ts';
import type { Extent, KubernetesReader, Selection } from './reader.ts';
import { type CacheObject, keyOf, type ReflectedChange, ReflectedItems } from './reflected-items.ts';
import type { Resource } from './resources.ts';
import { askedDelayMs } from './retry.ts';
import { type SightOptions, WatchSight } from './watch-sight.ts';

/** Called synchronously, in order. */
export interface ReflectorHandlers<V> {
  /** An object that was not there before. */
  onAdded?(value: V): void;
  /** The same object (by uid) in a newer version. */
  onUpdated?(previous: V, current: V): void;
  /** In its last known state. An object replaced by another of the same name is deleted first and then added. */
  onDeleted?(value: V): void;
  /** After each complete list, once all its changes have been handled. */
  onSynced?(): void;
  /**
   * Something went wrong. With `willRetryInMs`, reading did, and is tried again after that long; without, a handler
   * threw, and everything goes on. `isForbidden(error)` and `isUnauthorized(error)` won't heal by themselves.
   */
  onError(error: unknown, next: { readonly willRetryInMs: number | undefined }): void;
}

/** Options of {@link Reflector}. */
export interface ReflectorOptions<T, V extends CacheObject> extends Selection, Extent, Partial<SightOptions> {
  /** Through which it lists and watches. */
  readonly reader: KubernetesReader;
  /** Which kind. */
  readonly resource: Resource<T>;
  /** Cuts an object down to what is used. Must keep `metadata.name`, `namespace`, `uid` and `resourceVersion`. */
  readonly project: (object: T) => V;
  /** Who is told of changes. */
  readonly handlers: ReflectorHandlers<V>;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Default {@link systemRandom}. */
  readonly random?: Random;
  /** Objects per list request. Default 100. */
  readonly pageSize?: number;
  /**
   * Without any sign of life for this long the watch is opened anew. Default 120000: bookmarks come about once a minute
   * but are not promised.
   */
  readonly idleTimeoutMs?: number;
}

/** A watch that ended sooner than this didn't work, whatever it says. */
const shortestWatchMs = 1000;
/** This long without trouble, and the next trouble is a new one. */
const healthyAfterMs = 120_000;
/** So many failing answers from one resourceVersion in a row, and it is the resourceVersion that is wrong. */
const failuresBeforeRelist = 3;
/** `idleTimeoutMs` plus the time it takes to open the next watch. */
const reopeningMs = 15_000;

/** An object that the projection can't make sense of. Never skipped: the copy would lack it without anyone knowing. */
class ProjectionError extends Error {
  override readonly name = 'ProjectionError';
}

/**
 * Lists, then watches, for as long as it lives. A stopped reflector stays stopped.
 *
 * Guarantees: every change of state between two looks at {@link Reflector.items} has gone through a handler; a relist
 * reports the deletes that the watch missed; after {@link Reflector.stop} no change is handed out.
 *
 * Does not guarantee that every intermediate state is seen, nor that the copy is current: see {@link Reflector.isStale}.
 */
export class Reflector<T, V extends CacheObject> {
  readonly #options: ReflectorOptions<T, V>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #idleTimeoutMs: number;
  readonly #backoff: Backoff;
  readonly #sight: WatchSight;
  readonly #items = new ReflectedItems<V>();
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  /** Where the next watch starts; undefined means that a list is due. */
  #resourceVersion: string | undefined;
  #failedAnswers = 0;
  #healthySince: number | undefined;

  constructor(options: ReflectorOptions<T, V>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 120_000;
    this.#backoff = new Backoff({ baseMs: 800, maxMs: 30_000 }, this.#random);
    this.#sight = new WatchSight({
      staleAfterBreakMs: options.staleAfterBreakMs ?? 5000,
      staleAfterSilenceMs: options.staleAfterSilenceMs ?? this.#idleTimeoutMs + reopeningMs,
    });
  }

  /** Starts once; starting again does nothing. */
  start(): void {
    if (this.#abort.signal.aborted) {
      throw new Error('this reflector was stopped and stays so; make a new one');
    }
    this.#running ??= this.#run();
  }

  /** Ends whatever is under way. No change is handed out after the call, even before the promise resolves. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#sight.lost(this.#clock.now());
    await this.#running;
  }

  /** The copy, live: by `namespace/name`, or `name` alone for cluster-scoped objects. */
  items(): ReadonlyMap<string, V> {
    return this.#items.all;
  }

  /** A complete list has been taken over since the start. Says nothing of how long ago: see {@link Reflector.isStale}. */
  get hasSynced(): boolean {
    return this.#sight.syncedAt !== undefined;
  }

  /** How many complete lists have been taken over. */
  get generation(): number {
    return this.#sight.generation;
  }

  /** When the last complete list was taken over, in the clock's monotonic milliseconds. */
  get syncedAt(): number | undefined {
    return this.#sight.syncedAt;
  }

  /** When the server last gave a sign of life: a page, an opened watch, an event or a bookmark. */
  get lastHeardAt(): number | undefined {
    return this.#sight.lastHeardAt;
  }

  /**
   * Since when the copy has been trustworthy without a gap; undefined while it is not. When it changes, a time of
   * blindness has ended, and whatever was silent in between must not be blamed for it.
   */
  freshSince(now: number = this.#clock.now()): number | undefined {
    return this.#sight.freshSince(now);
  }

  /** Whether the copy must not be trusted for decisions: see {@link SightOptions} for exactly when. */
  isStale(now: number = this.#clock.now()): boolean {
    return this.#sight.isStale(now);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        this.#resourceVersion ??= await this.#list();
        if (!signal.aborted) await this.#watch(this.#resourceVersion);
      } catch (error) {
        if (signal.aborted) return;
        const willRetryInMs = this.#failed(error);
        this.#report(error, willRetryInMs);
        await sleep(this.#clock, willRetryInMs, signal);
      }
    }
  }

  async #list(): Promise<string> {
    const { reader, resource, namespace, fieldSelector, labelSelector, pageSize, withoutArrays } =
      this.#options;
    const { signal } = this.#abort;
    let listed = new Map<string, V>();
    let resourceVersion = '';
    const pages = reader.listPages(resource, {
      namespace,
      fieldSelector,
      labelSelector,
      pageSize,
      withoutArrays,
      signal,
      project: (object: T) => this.#project(object),
    });
    for await (const page of pages) {
      signal.throwIfAborted();
      this.#sight.heard(this.#clock.now());
      if (page.first) listed = new Map();
      for (const value of page.items) listed.set(keyOf(value), value);
      resourceVersion = page.resourceVersion;
    }
    for (const change of this.#items.replace(listed)) this.#handle(change);
    this.#sight.synced(this.#clock.now());
    if (!signal.aborted) this.#guard(() => this.#options.handlers.onSynced?.());
    return resourceVersion;
  }

  async #watch(from: string): Promise<void> {
    const { reader, resource, namespace, fieldSelector, labelSelector, withoutArrays } = this.#options;
    const { signal } = this.#abort;
    const startedAt = this.#clock.now();
    try {
      const events = reader.watch(resource, {
        namespace,
        fieldSelector,
        labelSelector,
        withoutArrays,
        resourceVersion: from,
        timeoutSeconds: 300 + Math.floor(this.#random.next() * 301),
        idleTimeoutMs: this.#idleTimeoutMs,
        signal,
        onOpen: () => this.#opened(),
      });
      for await (const event of events) {
        signal.throwIfAborted();
        this.#sight.heard(this.#clock.now());
        this.#failedAnswers = 0;
        if (event.type === 'BOOKMARK') {
          this.#resourceVersion = event.resourceVersion;
          continue;
        }
        const value = this.#project(event.object);
        const changes = this.#items.apply(event.type, value);
        this.#resourceVersion = value.metadata.resourceVersion;
        for (const change of changes) this.#handle(change);
      }
    } catch (error) {
      // A quiet resource on a server that sends no bookmarks: no trouble, just no way to tell it from a dead connection.
      if (!(error instanceof RequestTimeoutError && error.phase === 'idle')) throw error;
    } finally {
      this.#sight.broke(this.#clock.now());
    }
    if (this.#clock.now() - startedAt < shortestWatchMs) {
      throw new Error(`the watch of ${resource.plural} ended within a second`);
    }
  }

  #project(object: T): V {
    const { resource, project } = this.#options;
    let value: V;
    try {
      value = project(object);
    } catch (error) {
      throw new ProjectionError(`could not take over one of the ${resource.plural}: its projection threw`, {
        cause: error,
      });
    }
    const { name, uid, resourceVersion } = value.metadata;
    if (!name || !uid || !resourceVersion) {
      throw new ProjectionError(
        `expected each of the ${resource.plural} to have a name, a uid and a resourceVersion; ` +
          `found ${JSON.stringify({ name, uid, resourceVersion })}`,
      );
    }
    return value;
  }

  #opened(): void {
    if (this.#abort.signal.aborted) return;
    const now = this.#clock.now();
    this.#healthySince ??= now;
    this.#sight.opened(now);
  }

  /** Takes note of a failure, and says when to go on. */
  #failed(error: unknown): number {
    const now = this.#clock.now();
    if (this.#healthySince !== undefined && now - this.#healthySince >= healthyAfterMs) this.#backoff.reset();
    this.#healthySince = undefined;
    if (isUnauthorized(error) || isForbidden(error)) this.#sight.lost(now);
    else this.#sight.broke(now);
    if (error instanceof KubernetesError || error instanceof MalformedAnswerError) this.#failedAnswers += 1;
    // An object that can't be taken over would come again and again, while the copy looks fresh in between.
    const relist = isGone(error) || error instanceof ProjectionError;
    if (relist || this.#failedAnswers >= failuresBeforeRelist) {
      this.#resourceVersion = undefined;
      this.#failedAnswers = 0;
    }
    return Math.max(this.#backoff.next(), askedDelayMs(error));
  }

  #handle(change: ReflectedChange<V>): void {
    // A handler may have stopped this reflector, and then the rest of the changes is nobody's business any more.
    if (this.#abort.signal.aborted) return;
    const { handlers } = this.#options;
    this.#guard(() => {
      if (change.type === 'added') return handlers.onAdded?.(change.value);
      if (change.type === 'deleted') return handlers.onDeleted?.(change.value);
      return handlers.onUpdated?.(change.previous, change.value);
    });
  }

  /** Runs a handler so that its failure, at once or in a promise, ends nothing and is heard of. */
  #guard(handler: () => unknown): void {
    try {
      const result = handler();
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error, undefined));
    } catch (error) {
      this.#report(error, undefined);
    }
  }

  #report(error: unknown, willRetryInMs: number | undefined): void {
    try {
      this.#options.handlers.onError(error, { willRetryInMs });
    } catch (failure) {
      // The last resort of a handler for errors that has one itself.
      process.emitWarning(failure instanceof Error ? failure : String(failure), 'LiberatorWarning');
    }
  }
}
