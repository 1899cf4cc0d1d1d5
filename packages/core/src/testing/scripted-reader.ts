// A KubernetesReader whose lists and watches do what a test says, in virtual time.

import { RequestAbortedError, RequestTimeoutError } from '../kubernetes/errors.ts';
import type {
  KubernetesReader,
  List,
  ListPage,
  ListPagesOptions,
  WatchEvent,
  WatchOptions,
} from '../kubernetes/reader.ts';
import type { Resource } from '../kubernetes/resources.ts';
import { type Clock, sleep } from '../time/clock.ts';

/** One watch that was opened, to be driven by the test. */
export class WatchScript<T> {
  readonly options: WatchOptions;
  readonly #events: WatchEvent<T>[] = [];
  #end: { readonly failure: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: WatchOptions) {
    this.options = options;
  }

  send(event: WatchEvent<T>): void {
    this.#events.push(event);
    this.#wake?.();
  }

  end(): void {
    this.fail(undefined);
  }

  fail(failure: unknown): void {
    this.#end ??= { failure };
    this.#wake?.();
  }

  /** @internal */
  async *run(clock: Clock, resource: Resource<T>): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { signal, idleTimeoutMs = 120_000 } = this.options;
    const call = { verb: 'watch', resource } as const;
    const onAbort = (): void => this.fail(new RequestAbortedError(call, true, signal?.reason));
    if (signal?.aborted) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const event = this.#events.shift();
        if (event !== undefined) {
          yield event;
          continue;
        }
        if (this.#end !== undefined) {
          if (this.#end.failure !== undefined) throw this.#end.failure;
          return;
        }
        const idle = clock.setTimeout(
          () => this.fail(new RequestTimeoutError(call, 'idle', idleTimeoutMs, true)),
          idleTimeoutMs,
        );
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        clock.clearTimeout(idle);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }
}

export class ScriptedReader<O> implements KubernetesReader {
  readonly #clock: Clock;
  #latestList: List<O> | undefined;
  /** What the next lists answer; the last one is answered again and again. */
  readonly lists: List<O>[] = [];
  /** Instead of `lists`: the pages of every listing. */
  pages: readonly ListPage<O>[] | undefined;
  listDelayMs = 0;
  listFailure: (() => unknown) | undefined;
  openFailure: (() => unknown) | undefined;
  /** Every watch that was opened, in order. */
  readonly watches: WatchScript<O>[] = [];
  listCalls = 0;
  openWatches = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get<T>(): Promise<T> {
    throw new Error('this reader has no script for get');
  }

  async list<T>(): Promise<List<T>> {
    throw new Error('this reader has no script for list');
  }

  async *listPages<T, V = T>(
    resource: Resource<T>,
    options: ListPagesOptions<T, V> = {},
  ): AsyncGenerator<ListPage<V>, void, undefined> {
    this.listCalls += 1;
    const { signal, project = (object: T) => object as unknown as V } = options;
    if (this.listDelayMs > 0 && !(await sleep(this.#clock, this.listDelayMs, signal))) {
      throw new RequestAbortedError({ verb: 'list', resource }, true, signal?.reason);
    }
    if (this.listFailure !== undefined) throw this.listFailure();
    for (const page of this.#nextPages()) {
      yield { ...page, items: page.items.map((item) => project(item as unknown as T)) };
    }
  }

  async *watch<T>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    if (this.openFailure !== undefined) throw this.openFailure();
    const watch = new WatchScript<T>(options);
    this.watches.push(watch as unknown as WatchScript<O>);
    this.openWatches += 1;
    options.onOpen?.();
    try {
      yield* watch.run(this.#clock, resource);
    } finally {
      this.openWatches -= 1;
    }
  }

  #nextPages(): readonly ListPage<O>[] {
    if (this.pages !== undefined) return this.pages;
    this.#latestList = this.lists.shift() ?? this.#latestList;
    if (this.#latestList === undefined) throw new Error('this reader has no script for a list');
    return [{ ...this.#latestList, first: true, last: true }];
  }
}
