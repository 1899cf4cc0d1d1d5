// Kubernetes' REST conventions over a Transport: typed reads for everyone, and one primitive for any call that only
// this room uses.
import { type Clock, type Random, sleep, systemClock, systemRandom } from '../time/clock.ts';
import { type CallDescription, isGone, KubernetesError, MalformedAnswerError } from './errors.ts';
import { arraysLeftOut, type Shortener } from './left-out-arrays.ts';
import { LineError, LineSplitter } from './line-splitter.ts';
import type { Status } from './objects.ts';
import type {
  CallOptions,
  Extent,
  KubernetesReader,
  List,
  ListOptions,
  ListPage,
  ListPagesOptions,
  ReadOptions,
  Selection,
  WatchEvent,
  WatchOptions,
} from './reader.ts';
import { type Query, type Resource, type ResourceAddress, resourcePath, type Verb } from './resources.ts';
import { retryTransient } from './retry.ts';
import { type ServerPatience, serverPatience } from './server-patience.ts';
import { type CallLimits, TimedCall } from './timed-call.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';
import { decodeWatchEvent } from './watch-events.ts';

/** Options of {@link createReader}. */
export interface KubernetesClientOptions {
  /** Stays the caller's: the client does not close it. */
  readonly transport: Transport;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Default {@link systemRandom}. */
  readonly random?: Random;
}

/** One call of any kind. */
export interface RequestOptions extends ResourceAddress {
  readonly verb: Exclude<Verb, 'watch'>;
  readonly query?: Query | undefined;
  /** Anything JSON can hold: the object, the patch, or a DELETE's options. */
  readonly body?: unknown;
  /** Default `application/json`. */
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called synchronously right before the first byte leaves; what it throws is thrown on, and nothing is sent. */
  readonly beforeSend?: (() => void) | undefined;
  /** From start to end. Default 30000. */
  readonly timeoutMs?: number | undefined;
  /** See {@link TransportRequest.direct}. */
  readonly direct?: boolean | undefined;
  /** See {@link Extent.withoutArrays}. */
  readonly withoutArrays?: readonly string[] | undefined;
}

const methods: Readonly<Record<Verb, TransportRequest['method']>> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

/** What is not one of its resources, and yet has to be named in errors. */
const serverItself = { group: '', version: '', kind: '', namespaced: false } as const;

const defaultTimeoutMs = 30_000;
const defaultHeadTimeoutMs = 15_000;
const defaultIdleTimeoutMs = 15_000;
const defaultWatchIdleTimeoutMs = 120_000;
/** A server that doesn't end a watch when it should is left this much later. */
const watchOvertimeMs = 30_000;
/** 5,000 nodes renew 500 times a second: read one by one, half the CPU would go into waking up. */
const watchRestMs = 100;
const defaultAttempts = 3;
const defaultPageSize = 100;
/** A listing whose snapshot is forgotten this often will never end. */
const longestRestarts = 3;
/** A page of 200 of the largest objects that etcd takes would not fit; nothing real comes near it. */
const longestAnswerBytes = 128 * 1024 * 1024;
const longestFailureBytes = 1024 * 1024;

/** Reads from, and inside this room writes to, one API server. Not a reader to hand out: that is {@link readerOf}. */
export class KubernetesClient {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #patience: ServerPatience;

  constructor(options: KubernetesClientOptions) {
    this.#transport = options.transport;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#patience = serverPatience(this.#transport, this.#clock, this.#random);
  }

  /**
   * One call, sent once and never repeated, its JSON answer parsed. It is not sent at all while the server asks for patience:
   * see {@link ServerPatience}.
   *
   * A failure says whether the server may have acted: KubernetesError is its own word; TransportError,
   * RequestTimeoutError and RequestAbortedError carry `sent`.
   *
   * @internal mutating calls outside this room go through guarded writes, which demand a term.
   */
  async request<T>(options: RequestOptions): Promise<T> {
    const totalMs = options.timeoutMs ?? defaultTimeoutMs;
    const limits = {
      headMs: Math.min(defaultHeadTimeoutMs, totalMs),
      idleMs: Math.min(defaultIdleTimeoutMs, totalMs),
      totalMs,
    };
    const path = resourcePath(options.verb, options, options.query);
    const request = {
      method: methods[options.verb],
      path,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.contentType === undefined ? {} : { contentType: options.contentType }),
      ...(options.beforeSend === undefined ? {} : { beforeSend: options.beforeSend }),
      ...(options.direct ? { direct: true } : {}),
    };
    return this.#call(options, limits, options.signal, request, async (call, response) => {
      return parseJson<T>(options, await call.text(response, longestAnswerBytes, shortener(options)));
    });
  }

  /** `GET /version`: what the server says about itself. */
  async version(options: CallOptions = {}): Promise<{ readonly gitVersion?: string }> {
    const totalMs = options.timeoutMs ?? defaultTimeoutMs;
    const limits = { headMs: totalMs, idleMs: totalMs, totalMs };
    const call = { verb: 'get', resource: { ...serverItself, plural: 'version' } } as const;
    return this.#call(
      call,
      limits,
      options.signal,
      { method: 'GET', path: '/version' },
      async (timed, answer) => parseJson(call, await timed.text(answer, longestFailureBytes)),
    );
  }

  async get<T>(
    resource: Resource<T>,
    at: { readonly namespace?: string | undefined; readonly name: string },
    options: ReadOptions = {},
  ): Promise<T> {
    const { namespace, name } = at;
    const { signal, timeoutMs } = options;
    return this.#retry(options, () =>
      this.request<T>({ verb: 'get', resource, namespace, name, signal, timeoutMs }),
    );
  }

  async list<T>(resource: Resource<T>, options: ListOptions = {}): Promise<List<T>> {
    let items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.listPages<T>(resource, options)) {
      if (page.first) items = [];
      items.push(...page.items);
      resourceVersion = page.resourceVersion;
    }
    return { items, resourceVersion };
  }

  async *listPages<T, V = T>(
    resource: Resource<T>,
    options: ListPagesOptions<T, V> = {},
  ): AsyncGenerator<ListPage<V>, void, undefined> {
    const project = options.project ?? ((object: T) => object as unknown as V);
    let token: string | undefined;
    let restarts = 0;
    for (;;) {
      let page: WireList<T>;
      try {
        page = await this.#page(resource, options, token);
      } catch (error) {
        restarts += 1;
        if (token === undefined || !isGone(error) || restarts > longestRestarts) throw error;
        token = undefined;
        continue;
      }
      const first = token === undefined;
      token = page.metadata.continue === '' ? undefined : page.metadata.continue;
      const { resourceVersion } = page.metadata;
      yield { items: page.items.map(project), resourceVersion, first, last: token === undefined };
      if (token === undefined) return;
      // A fast server has the next page ready before anything else got its turn.
      await sleep(this.#clock, 0, options.signal);
    }
  }

  async *watch<T>(
    resource: Resource<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>, void, undefined> {
    const { resourceVersion, timeoutSeconds } = options;
    const description = { verb: 'watch', resource, namespace: options.namespace } as const;
    const path = resourcePath('watch', description, {
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion,
      timeoutSeconds,
      ...selectors(options),
    });
    const limits = {
      headMs: defaultHeadTimeoutMs,
      idleMs: options.idleTimeoutMs ?? defaultWatchIdleTimeoutMs,
      totalMs: timeoutSeconds * 1000 + watchOvertimeMs,
    };
    const call = new TimedCall(this.#transport, this.#clock, description, limits, options.signal);
    try {
      const response = await call.open({ method: 'GET', path, direct: true, restMs: watchRestMs });
      if (response.status !== 200) throw await failure(description, call, response);
      options.onOpen?.();
      const splitter = new LineSplitter(shortener(options));
      for await (const chunk of call.chunks(response)) {
        for (const line of splitter.push(chunk)) yield decodeWatchEvent<T>(description, line);
      }
      if (splitter.rest() !== '') {
        throw new MalformedAnswerError(description, 'the watch ended in the middle of an event');
      }
    } catch (error) {
      throw error instanceof LineError ? new MalformedAnswerError(description, error.message, error) : error;
    } finally {
      call.close();
    }
  }

  async #page<T>(
    resource: Resource<T>,
    options: ListOptions,
    token: string | undefined,
  ): Promise<WireList<T>> {
    const { namespace, signal, timeoutMs, withoutArrays } = options;
    const call = { verb: 'list', resource, namespace } as const;
    const query = { limit: options.pageSize ?? defaultPageSize, continue: token, ...selectors(options) };
    const page = await this.#retry(options, () =>
      this.request<Partial<WireList<T>> | undefined>({ ...call, query, signal, timeoutMs, withoutArrays }),
    );
    const metadata = page?.metadata;
    if (typeof metadata?.resourceVersion !== 'string') {
      throw new MalformedAnswerError(call, 'the answer is no list: it has no metadata.resourceVersion');
    }
    // Go writes an empty list as null.
    return { items: page?.items ?? [], metadata };
  }

  #retry<T>(options: ReadOptions, attempt: () => Promise<T>): Promise<T> {
    const { attempts = defaultAttempts, signal } = options;
    return retryTransient({ clock: this.#clock, random: this.#random, attempts, signal }, attempt);
  }

  async #call<T>(
    description: CallDescription,
    limits: CallLimits,
    signal: AbortSignal | undefined,
    request: Omit<TransportRequest, 'signal'>,
    read: (call: TimedCall, response: TransportResponse) => Promise<T>,
  ): Promise<T> {
    const call = new TimedCall(this.#transport, this.#clock, description, limits, signal);
    const turn = (inner: AbortSignal) => this.#patience.enter(request.method === 'GET', inner);
    try {
      const response = await call.open(request, request.direct ? undefined : turn);
      const isServed = response.status >= 200 && response.status <= 299;
      const error = isServed ? undefined : await failure(description, call, response);
      call.answered(error);
      if (error !== undefined) throw error;
      return await read(call, response);
    } finally {
      call.close();
    }
  }
}

interface WireList<T> {
  readonly items: readonly T[];
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

function selectors(selection: Selection): Query {
  return { fieldSelector: selection.fieldSelector, labelSelector: selection.labelSelector };
}

/** By the list of names that a caller keeps: it is looked for in each page and each event. */
const shorteners = new WeakMap<readonly string[], Shortener>();

function shortener({ withoutArrays }: Extent): Shortener | undefined {
  if (withoutArrays === undefined) return undefined;
  let shorten = shorteners.get(withoutArrays);
  if (shorten === undefined) {
    shorten = arraysLeftOut(withoutArrays);
    shorteners.set(withoutArrays, shorten);
  }
  return shorten;
}

function parseJson<T>(description: CallDescription, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    // No cause: a SyntaxError quotes the answer.
    throw new MalformedAnswerError(description, `the answer of ${text.length} characters is not JSON`);
  }
}

/** The status is certain whatever becomes of the body, so a body that can't be read loses only its explanation. */
async function failure(
  description: CallDescription,
  call: TimedCall,
  response: TransportResponse,
): Promise<KubernetesError> {
  let body: Partial<Status> | undefined;
  try {
    const parsed: unknown = JSON.parse(await call.text(response, longestFailureBytes));
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Partial<Status>;
  } catch {
    body = undefined;
  }
  return new KubernetesError(description, {
    status: response.status,
    body,
    retryAfterMs: response.retryAfterMs,
  });
}

/** A {@link KubernetesReader} and nothing more: not even a cast finds a way to write behind it. */
export function createReader(options: KubernetesClientOptions): KubernetesReader {
  return readerOf(new KubernetesClient(options));
}

/** The reading half of a client: what leaves this room in its place. */
export function readerOf(client: KubernetesClient): KubernetesReader {
  return Object.freeze<KubernetesReader>({
    get: (resource, at, more) => client.get(resource, at, more),
    list: (resource, more) => client.list(resource, more),
    listPages: (resource, more) => client.listPages(resource, more),
    watch: (resource, more) => client.watch(resource, more),
  });
}
