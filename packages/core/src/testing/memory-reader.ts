// A KubernetesReader over objects that a test puts, with watches that see each change, go deaf, or break. Its contract is
// that of a real reader.

import {
  type CallDescription,
  KubernetesError,
  RequestAbortedError,
  RequestTimeoutError,
} from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import type {
  KubernetesReader,
  List,
  ListPage,
  ListPagesOptions,
  Selection,
  WatchEvent,
  WatchOptions,
} from '../kubernetes/reader.ts';
import type { Resource } from '../kubernetes/resources.ts';
import { type Clock, sleep } from '../time/clock.ts';
import { byNamespaceAndName, isSelected } from './selection.ts';

interface Change {
  readonly version: number;
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** For DELETED as it was last, with the version of the deletion. */
  readonly object: KubernetesObject;
  readonly previous: KubernetesObject | undefined;
}

/** Where a watch is. */
interface Cursor {
  /** The change that it has seen last. */
  seen: number;
  /** The newest version that its client knows of. */
  known: number;
  heardAt: number;
  bookmarkAt: number;
  readonly endsAt: number;
}

/** Which requests: a resource's plural, and a namespace where it has one. */
export type About = (plural: string, namespace: string | undefined) => boolean;

const nothing: About = () => false;

const bookmarkEveryMs = 60_000;
/** A last bookmark comes this long before a watch ends. */
const lastBookmarkBeforeEndMs = 2_000;
/** A client leaves a watch that its server doesn't end. */
const overtimeMs = 30_000;

export class MemoryReader implements KubernetesReader {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, KubernetesObject>>();
  readonly #changes: Change[] = [];
  /** In which version each object was put. */
  readonly #given = new WeakMap<KubernetesObject, string>();
  readonly #wakers = new Set<() => void>();
  /** Of these, lists wait until it says otherwise; what is waiting looks again once a second. */
  slowLists: About = nothing;
  /** Of these, open watches bring nothing, and bring it all once they hear again. */
  deaf: About = nothing;
  /** Of the changes up to this one, nothing is known any more. */
  #forgotten = 0;
  /** Everything fails with this, and what is open breaks. */
  #failure: Error | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds the object or replaces the one of its name; the same object once more changes nothing. */
  put<T extends KubernetesObject>(resource: Resource<T>, object: T): void {
    const all = this.#all(resource.plural);
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const known = all.get(key);
    const { uid, resourceVersion } = object.metadata;
    const version = `${resource.plural}${key} ${uid} ${resourceVersion}`;
    if (known !== undefined && this.#given.get(known) === version) return;
    if (known !== undefined && known.metadata.uid !== uid) this.remove(resource, known);
    // Versions of one server: a watch goes on from that of the last object it brought.
    const served = { ...object, metadata: { ...object.metadata, resourceVersion: this.#nextVersion() } };
    this.#given.set(served, version);
    all.set(key, served);
    const previous = known?.metadata.uid === uid ? known : undefined;
    this.#changed(resource.plural, previous === undefined ? 'ADDED' : 'MODIFIED', served, previous);
  }

  remove(resource: Resource<unknown>, object: KubernetesObject): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const all = this.#all(resource.plural);
    const known = all.get(key);
    if (known === undefined) return;
    all.delete(key);
    const metadata = { ...known.metadata, resourceVersion: this.#nextVersion() };
    this.#changed(resource.plural, 'DELETED', { ...known, metadata }, known);
  }

  /** The server forgets the changes so far: whoever wants to go on from before has to list anew. */
  forgetHistory(): void {
    this.#forgotten = this.#changes.length;
  }

  all(resource: Resource<unknown>): readonly KubernetesObject[] {
    return [...this.#all(resource.plural).values()];
  }

  /** The API server can't be reached from now on, or can again. */
  fail(failure: Error | undefined): void {
    this.#failure = failure;
    this.#wakeAll();
  }

  async get<T>(
    resource: Resource<T>,
    at: { readonly namespace?: string | undefined; readonly name: string },
  ): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const object = this.#all(resource.plural).get(`${at.namespace ?? ''}/${at.name}`);
    if (object === undefined)
      throw failure(
        { verb: 'get', resource, ...at },
        404,
        'NotFound',
        `${resource.plural} "${at.name}" not found`,
      );
    return object as T;
  }

  async list<T>(resource: Resource<T>, options: Selection = {}): Promise<List<T>> {
    if (this.#failure !== undefined) throw this.#failure;
    const items = this.all(resource)
      .filter((object) => isSelected(options, object))
      .toSorted(byNamespaceAndName) as unknown as T[];
    return { items, resourceVersion: String(this.#changes.length) };
  }

  async *listPages<T, V = T>(
    resource: Resource<T>,
    options: ListPagesOptions<T, V> = {},
  ): AsyncGenerator<ListPage<V>, void, undefined> {
    const { signal, pageSize = 100, project = (object: T) => object as unknown as V } = options;
    while (this.slowLists(resource.plural, options.namespace)) {
      const whole = await sleep(this.#clock, 1_000, signal);
      if (!whole) throw new RequestAbortedError({ verb: 'list', resource }, true, signal?.reason);
    }
    let { items, resourceVersion } = await this.list(resource, options);
    for (let from = 0; ; from += pageSize) {
      if (from > 0 && Number(resourceVersion) < this.#forgotten) {
        ({ items, resourceVersion } = await this.list(resource, options));
        from = 0;
      }
      const page = items.slice(from, from + pageSize).map(project);
      const last = from + pageSize >= items.length;
      yield { items: page, resourceVersion, first: from === 0, last };
      if (last) return;
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  async *watch<T>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { signal, idleTimeoutMs = 120_000, timeoutSeconds } = options;
    const call = { verb: 'watch', resource, namespace: options.namespace } as const;
    if (this.#failure !== undefined) throw this.#failure;
    const openedAt = this.#clock.now();
    const cursor = this.#cursorOf(options, openedAt);
    options.onOpen?.();
    if (cursor.seen < this.#forgotten)
      throw failure(call, 410, 'Expired', `too old resource version: ${cursor.seen} (${this.#forgotten})`);
    for (;;) {
      if (signal?.aborted) throw new RequestAbortedError(call, true, signal.reason);
      if (this.#failure !== undefined) throw this.#failure;
      const now = this.#clock.now();
      if (!this.deaf(resource.plural, options.namespace)) {
        const next = this.#next<T>(resource, options, cursor);
        if (next !== undefined) {
          cursor.heardAt = now;
          yield next;
          continue;
        }
        if (now >= cursor.endsAt) return;
      }
      const totalMs = timeoutSeconds * 1_000 + overtimeMs;
      if (now - openedAt >= totalMs) throw new RequestTimeoutError(call, 'total', totalMs, true);
      const idleForMs = now - cursor.heardAt;
      if (idleForMs >= idleTimeoutMs) throw new RequestTimeoutError(call, 'idle', idleTimeoutMs, true);
      const untilEndMs = cursor.endsAt > now ? cursor.endsAt - now : overtimeMs;
      await this.#change(Math.min(1_000, idleTimeoutMs - idleForMs, untilEndMs), signal);
    }
  }

  #cursorOf({ resourceVersion, timeoutSeconds }: WatchOptions, now: number): Cursor {
    const seen = Number(resourceVersion);
    const endsAt = now + timeoutSeconds * 1_000;
    return { seen, known: seen, heardAt: now, bookmarkAt: nextBookmark(now, endsAt), endsAt };
  }

  /** The next event of a watch, if there is one; moves the cursor. */
  #next<T>(resource: Resource<T>, options: WatchOptions, cursor: Cursor): WatchEvent<T> | undefined {
    for (;;) {
      const change = this.#changes[cursor.seen];
      if (change === undefined) break;
      cursor.seen = change.version;
      const event = change.resource === resource.plural ? eventOf<T>(options, change) : undefined;
      if (event === undefined) continue;
      cursor.known = change.version;
      return event;
    }
    if (this.#clock.now() < cursor.bookmarkAt) return undefined;
    cursor.bookmarkAt = nextBookmark(this.#clock.now(), cursor.endsAt);
    // A bookmark that says nothing new is not sent.
    if (cursor.seen <= cursor.known) return undefined;
    cursor.known = cursor.seen;
    return { type: 'BOOKMARK', resourceVersion: String(cursor.seen) };
  }

  /** Until something changes, but not longer than that: a deaf watch must notice that it hears again. */
  async #change(longestMs: number, signal: AbortSignal | undefined): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#wakers.add(wake);
    await sleep(this.#clock, longestMs, signal ? AbortSignal.any([signal, woken.signal]) : woken.signal);
    this.#wakers.delete(wake);
  }

  #changed(
    resource: string,
    type: Change['type'],
    object: KubernetesObject,
    previous: KubernetesObject | undefined,
  ): void {
    this.#changes.push({ version: this.#changes.length + 1, resource, type, object, previous });
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  #nextVersion(): string {
    return String(this.#changes.length + 1);
  }

  #all(plural: string): Map<string, KubernetesObject> {
    const all = this.#objects.get(plural) ?? new Map<string, KubernetesObject>();
    this.#objects.set(plural, all);
    return all;
  }
}

function nextBookmark(now: number, endsAt: number): number {
  const last = endsAt - lastBookmarkBeforeEndMs;
  return now < last ? Math.min(now + bookmarkEveryMs, last) : Number.POSITIVE_INFINITY;
}

/** What a change is to a watch of a selection: something may enter it, or leave it. */
function eventOf<T>(selection: Selection, { type, object, previous }: Change): WatchEvent<T> | undefined {
  const was = previous !== undefined && isSelected(selection, previous);
  const is = type !== 'DELETED' && isSelected(selection, object);
  if (was && !is) {
    // As it was when it still belonged, in the version in which it no longer does.
    const metadata = { ...previous.metadata, resourceVersion: object.metadata.resourceVersion };
    return { type: 'DELETED', object: { ...previous, metadata } as unknown as T };
  }
  if (!is) return undefined;
  return { type: was ? 'MODIFIED' : 'ADDED', object: object as unknown as T };
}

function failure(call: CallDescription, status: number, reason: string, message: string): KubernetesError {
  return new KubernetesError(call, { status, body: { kind: 'Status', code: status, reason, message } });
}
