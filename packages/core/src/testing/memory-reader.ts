// A KubernetesReader over objects that a test puts, with watches that see each change, go deaf, or break.
import { type Clock, sleep } from '../clock.ts';
import { KubernetesError, RequestAbortedError, RequestTimeoutError } from '../kubernetes/errors.ts';
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

interface Change {
  readonly version: number;
  readonly resource: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubernetesObject;
}

/** Which requests: a resource's plural, and a namespace where it has one. */
export type About = (plural: string, namespace: string | undefined) => boolean;

const nothing: About = () => false;

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
    this.#changed(resource.plural, known?.metadata.uid === uid ? 'MODIFIED' : 'ADDED', served);
  }

  remove(resource: Resource<unknown>, object: KubernetesObject): void {
    const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    if (!this.#all(resource.plural).delete(key)) return;
    const metadata = { ...object.metadata, resourceVersion: this.#nextVersion() };
    this.#changed(resource.plural, 'DELETED', { ...object, metadata });
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
      throw new KubernetesError({ verb: 'get', resource, name: at.name }, { status: 404 });
    return object as T;
  }

  async list<T>(resource: Resource<T>, options: Selection = {}): Promise<List<T>> {
    if (this.#failure !== undefined) throw this.#failure;
    const items = this.all(resource).filter((object) => selects(options, object)) as T[];
    return { items, resourceVersion: String(this.#changes.length) };
  }

  async *listPages<T, V = T>(
    resource: Resource<T>,
    options: ListPagesOptions<T, V> = {},
  ): AsyncGenerator<ListPage<V>, void, undefined> {
    const { signal, project = (object: T) => object as unknown as V } = options;
    while (this.slowLists(resource.plural, options.namespace)) {
      const whole = await sleep(this.#clock, 1_000, signal);
      if (!whole) throw new RequestAbortedError({ verb: 'list', resource }, true, signal?.reason);
    }
    const { items, resourceVersion } = await this.list(resource, options);
    yield { items: items.map(project), resourceVersion, first: true, last: true };
  }

  async *watch<T>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { signal, idleTimeoutMs = 120_000 } = options;
    const call = { verb: 'watch', resource } as const;
    let seen = Number(options.resourceVersion);
    let heardAt = this.#clock.now();
    if (this.#failure !== undefined) throw this.#failure;
    options.onOpen?.();
    for (;;) {
      if (signal?.aborted) throw new RequestAbortedError(call, true, signal.reason);
      if (this.#failure !== undefined) throw this.#failure;
      const next = this.deaf(resource.plural, options.namespace) ? undefined : this.#changes[seen];
      if (next !== undefined) {
        seen = next.version;
        if (next.resource !== resource.plural || !selects(options, next.object)) continue;
        heardAt = this.#clock.now();
        yield { type: next.type, object: next.object as T };
        continue;
      }
      const idleForMs = this.#clock.now() - heardAt;
      if (idleForMs >= idleTimeoutMs) throw new RequestTimeoutError(call, 'idle', idleTimeoutMs, true);
      await this.#change(Math.min(1_000, idleTimeoutMs - idleForMs), signal);
    }
  }

  /** Until something changes, but not longer than that: a deaf watch must notice that it hears again. */
  async #change(longestMs: number, signal: AbortSignal | undefined): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    this.#wakers.add(wake);
    await sleep(this.#clock, longestMs, signal ? AbortSignal.any([signal, woken.signal]) : woken.signal);
    this.#wakers.delete(wake);
  }

  #changed(resource: string, type: Change['type'], object: KubernetesObject): void {
    this.#changes.push({ version: this.#changes.length + 1, resource, type, object });
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

function selects({ namespace, fieldSelector }: Selection, { metadata }: KubernetesObject): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  return fieldSelector === undefined || fieldSelector === `metadata.name=${metadata.name}`;
}
