// Transport over real HTTP: undici for connections, client-node's KubeConfig for identity.
import type { KubeConfig } from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';
import { type Clock, systemClock } from '../time/clock.ts';
import { ConnectionPool } from './connection-pool.ts';
import { CredentialSource, type Credentials } from './credentials.ts';
import { ReloadableKubeConfig } from './kube-config.ts';
import { serverUrl, verify } from './kube-config-rules.ts';
import { explainCredentialFailure, explainNetworkFailure } from './network-failure.ts';
import { proxyFor } from './proxy.ts';
import { ResponseBody } from './response-body.ts';
import { parseRetryAfter } from './retry-after.ts';
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';
import { FixedGate, WaitingLine } from './waiting-line.ts';

/** Options of {@link createTransport}. */
export interface TransportOptions {
  /** Shows in the API server's audit log, as part of the user agent: `lease`. Default: none. */
  readonly purpose?: string;
  /** Ages the credentials. Default {@link systemClock}. */
  readonly clock?: Clock;
  /**
   * How many connections there may be at once, and so how many requests; others wait their turn, in order. Watches and
   * renewals of the election don't count and never wait. More finish a storm of takeovers sooner and ask more of the
   * server. Default 32.
   */
  readonly maxConnections?: number;
  /** How long one connection attempt may take, TLS included. Default 5000; accurate to about a second. */
  readonly connectTimeoutMs?: number;
}

/**
 * A {@link Transport} to the cluster of `kubeConfig`'s current context. Every transport has connections of its own, so
 * what must not wait behind bulk traffic (the election Lease) gets a transport of its own.
 *
 * Speaks HTTP/1.1: one connection per request under way, so that one stalled stream delays nothing else and aborting a
 * request frees its connection for certain. HTTP/2 on one connection was measured beside it: as many requests a second
 * for as much CPU, and everything lost together when that connection dies.
 *
 * A kubeconfig's `proxy-url` (http, https; socks5 as far
 * as undici goes, which calls it experimental) is honoured; without one, `HTTPS_PROXY` and `NO_PROXY` are, read as Go
 * programs read them.
 *
 * Credentials are read again once a minute, and once more when the server answers 401; the request is then repeated
 * once, since a 401 means that it was not executed. What a credential plugin gave is kept until it expires or is
 * refused; every transport of this process that asks the same plugin the same shares it.
 *
 * @throws KubeConfigError when `kubeConfig` leads nowhere.
 */
export function createTransport(kubeConfig: KubeConfig, options: TransportOptions = {}): Transport {
  return new UndiciTransport(kubeConfig, options);
}

class UndiciTransport implements Transport {
  readonly maxConnections: number;
  readonly #origin: string;
  /** The server as messages name it. */
  readonly #peer: string;
  /** What comes before `/api` when the server sits behind a gateway. */
  readonly #basePath: string;
  readonly #userAgent: string;
  readonly #credentials: CredentialSource;
  readonly #pool: ConnectionPool;
  readonly #line: WaitingLine;
  readonly #clock: Clock;
  /** A plugin may be waiting for a person. */
  readonly #attended: boolean;
  #closed = false;

  constructor(kubeConfig: KubeConfig, options: TransportOptions) {
    verify(kubeConfig);
    const { clock = systemClock, maxConnections = 32 } = options;
    if (!Number.isInteger(maxConnections) || maxConnections < 1) {
      throw new TypeError(
        `expected maxConnections to be a whole number of at least 1; found ${maxConnections}`,
      );
    }
    this.maxConnections = maxConnections;
    const cluster = kubeConfig.getCurrentCluster();
    const url = serverUrl(cluster?.server ?? '', cluster?.skipTLSVerify === true, 'the kubeconfig');
    this.#origin = url.origin;
    const proxyUrl = proxyFor(url, cluster?.proxyUrl, process.env);
    this.#peer = peerName(url, proxyUrl);
    this.#attended = kubeConfig instanceof ReloadableKubeConfig && kubeConfig.attended;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#userAgent = options.purpose === undefined ? 'liberator' : `liberator (${options.purpose})`;
    this.#credentials = new CredentialSource(kubeConfig, clock);
    this.#clock = clock;
    this.#line = new WaitingLine(clock, new FixedGate(maxConnections));
    this.#pool = new ConnectionPool(url.origin, {
      proxyUrl,
      connectTimeoutMs: options.connectTimeoutMs ?? 5000,
      maxConnections,
    });
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const credentials = await this.#resolve(() => this.#credentials.get(), request);
    const response = await this.#attempt(request, credentials);
    if (response.status !== 401) return response;
    const refreshed = await this.#refresh(credentials, response, request);
    return refreshed === undefined ? response : this.#attempt(request, refreshed);
  }

  /** Undefined leaves the refusal to be read; otherwise it has been read, and its connection is free. */
  async #refresh(
    refused: Credentials,
    response: TransportResponse,
    request: TransportRequest,
  ): Promise<Credentials | undefined> {
    let refreshed: Credentials | undefined;
    let done = false;
    try {
      refreshed = await this.#resolve(() => this.#credentials.refresh(refused), request);
      done = refreshed === undefined;
    } finally {
      if (!done) await discard(response);
    }
    return refreshed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#line.close(this.#wasClosed());
    await this.#pool.destroy();
  }

  /** Credentials may take a plugin that takes its time: aborting must not wait for it. */
  async #resolve<T>(work: () => Promise<T>, request: TransportRequest): Promise<T> {
    const { signal } = request;
    signal.throwIfAborted();
    let onAbort: (() => void) | undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      const settled = Promise.race([work(), aborted]);
      return await (this.#attended && request.untimed !== undefined ? request.untimed(settled) : settled);
    } catch (error) {
      if (signal.aborted) throw error;
      throw explainCredentialFailure(this.#peer, error);
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  async #attempt(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    const leave = request.direct ? undefined : await this.#turnOf(request);
    try {
      return await this.#exchange(request, credentials, leave);
    } catch (error) {
      leave?.();
      throw error;
    }
  }

  async #turnOf(request: TransportRequest): Promise<() => void> {
    const { queued = (work) => work, signal } = request;
    return queued(this.#line.enter(signal));
  }

  #exchange(
    request: TransportRequest,
    credentials: Credentials,
    leave: (() => void) | undefined,
  ): Promise<TransportResponse> {
    if (this.#closed) throw this.#wasClosed();
    request.signal.throwIfAborted();
    const dispatcher = this.#dispatcherFor(credentials, request.direct ? 'direct' : 'capped');
    const headers: Record<string, string | string[]> = {
      ...(credentials.headers as Record<string, string | string[]>),
      accept: 'application/json',
      'user-agent': this.#userAgent,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this.#peer, request, { resolve, reject, leave, clock: this.#clock });
      dispatcher.dispatch(
        {
          origin: this.#origin,
          path: this.#basePath + request.path,
          method: request.method,
          headers,
          body: request.body ?? null,
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        exchange,
      );
    });
  }

  #wasClosed(): TransportError {
    return new TransportError(`the connection to ${this.#peer} was closed`, { sent: false });
  }

  #dispatcherFor(credentials: Credentials, lane: 'capped' | 'direct'): Dispatcher {
    try {
      return this.#pool.for(credentials, lane);
    } catch (error) {
      // What a kubeconfig calls an authority or a certificate is none to TLS.
      throw explainNetworkFailure(this.#peer, error, false);
    }
  }
}

/** One request on its way through undici. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #peer: string;
  readonly #request: TransportRequest;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (error: unknown) => void;
  readonly #leave: (() => void) | undefined;
  readonly #clock: Clock;
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;
  /** Why the request must not go on: the signal's reason or what `beforeSend` threw. Handed out as it is. */
  #stopped: { readonly reason: unknown } | undefined;
  #started = false;

  constructor(
    peer: string,
    request: TransportRequest,
    outcome: {
      readonly resolve: (response: TransportResponse) => void;
      readonly reject: (error: unknown) => void;
      readonly leave: (() => void) | undefined;
      readonly clock: Clock;
    },
  ) {
    this.#peer = peer;
    this.#request = request;
    this.#resolve = outcome.resolve;
    this.#reject = outcome.reject;
    this.#leave = outcome.leave;
    this.#clock = outcome.clock;
    request.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** undici calls this synchronously right before it writes the head: what throws here writes nothing. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#stopped !== undefined) throw asError(this.#stopped.reason);
    try {
      this.#request.beforeSend?.();
    } catch (error) {
      this.#stopped = { reason: error };
      throw asError(error);
    }
    this.#controller = controller;
    this.#started = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    const source = {
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      cancel: (reason: Error) => controller.abort(reason),
    };
    const { restMs } = this.#request;
    this.#body = new ResponseBody(source, restMs === undefined ? undefined : { clock: this.#clock, restMs });
    const retryAfterMs = parseRetryAfter(headers);
    this.#resolve({ status, body: this.#body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#over();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#over();
    const failure =
      this.#stopped === undefined
        ? explainNetworkFailure(this.#peer, error, this.#started)
        : this.#stopped.reason;
    this.#fail(failure);
  }

  readonly #onAbort = (): void => {
    this.#over();
    const reason: unknown = this.#request.signal.reason;
    this.#stopped ??= { reason };
    this.#fail(reason);
    this.#controller?.abort(asError(reason));
  };

  #fail(failure: unknown): void {
    if (this.#body === undefined) this.#reject(failure);
    else this.#body.fail(failure);
  }

  #over(): void {
    this.#leave?.();
    this.#request.signal.removeEventListener('abort', this.#onAbort);
  }
}

/** A proxy's URL may carry a password: only its host is named. */
function peerName(server: URL, proxyUrl: string | undefined): string {
  if (proxyUrl === undefined) return server.origin;
  return `${server.origin} through ${URL.canParse(proxyUrl) ? `proxy ${new URL(proxyUrl).host}` : 'its proxy'}`;
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('stopped', { cause: reason });
}

async function discard(response: TransportResponse): Promise<void> {
  for await (const _ of response.body) {
    // A 401 is a few hundred bytes: reading them keeps the connection usable.
  }
}
