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
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';

/** Options of {@link createTransport}. */
export interface TransportOptions {
  /** Shows in the API server's audit log, as part of the user agent: `lease`. Default: none. */
  readonly purpose?: string;
  /** Ages the credentials. Default {@link systemClock}. */
  readonly clock?: Clock;
  /** How long one connection attempt may take, TLS included. Default 5000; accurate to about a second. */
  readonly connectTimeoutMs?: number;
}

/**
 * A {@link Transport} to the cluster of `kubeConfig`'s current context. Every transport has connections of its own, so
 * what must not wait behind bulk traffic (the election Lease) gets a transport of its own.
 *
 * Speaks HTTP/1.1: one connection per request under way, so that one stalled stream delays nothing else and aborting a
 * request frees its connection for certain. A kubeconfig's `proxy-url` (http, https; socks5 as far
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
  readonly #origin: string;
  /** The server as messages name it. */
  readonly #peer: string;
  /** What comes before `/api` when the server sits behind a gateway. */
  readonly #basePath: string;
  readonly #userAgent: string;
  readonly #credentials: CredentialSource;
  readonly #pool: ConnectionPool;
  /** A plugin may be waiting for a person. */
  readonly #attended: boolean;
  #closed = false;

  constructor(kubeConfig: KubeConfig, options: TransportOptions) {
    verify(kubeConfig);
    const cluster = kubeConfig.getCurrentCluster();
    const url = serverUrl(cluster?.server ?? '', cluster?.skipTLSVerify === true, 'the kubeconfig');
    this.#origin = url.origin;
    const proxyUrl = proxyFor(url, cluster?.proxyUrl, process.env);
    this.#peer = peerName(url, proxyUrl);
    this.#attended = kubeConfig instanceof ReloadableKubeConfig && kubeConfig.attended;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#userAgent = options.purpose === undefined ? 'liberator' : `liberator (${options.purpose})`;
    this.#credentials = new CredentialSource(kubeConfig, options.clock ?? systemClock);
    this.#pool = new ConnectionPool(url.origin, {
      proxyUrl,
      connectTimeoutMs: options.connectTimeoutMs ?? 5000,
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

  #attempt(request: TransportRequest, credentials: Credentials): Promise<TransportResponse> {
    if (this.#closed) {
      return Promise.reject(
        new TransportError(`the connection to ${this.#peer} was closed`, { sent: false }),
      );
    }
    if (request.signal.aborted) return Promise.reject(request.signal.reason);
    const dispatcher = this.#pool.for(credentials);
    const headers: Record<string, string | string[]> = {
      ...(credentials.headers as Record<string, string | string[]>),
      accept: 'application/json',
      'user-agent': this.#userAgent,
    };
    if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(this.#peer, request, resolve, reject);
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
}

/** One request on its way through undici. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #peer: string;
  readonly #request: TransportRequest;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: ResponseBody | undefined;
  /** Why the request must not go on: the signal's reason or what `beforeSend` threw. Handed out as it is. */
  #stopped: { readonly reason: unknown } | undefined;
  #started = false;

  constructor(
    peer: string,
    request: TransportRequest,
    resolve: (response: TransportResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#peer = peer;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
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
    this.#body = new ResponseBody({
      pause: () => controller.pause(),
      resume: () => controller.resume(),
      cancel: (reason) => controller.abort(reason),
    });
    const retryAfterMs = parseRetryAfter(headers['retry-after']);
    this.#resolve({ status, body: this.#body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#unlink();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#unlink();
    const failure =
      this.#stopped === undefined
        ? explainNetworkFailure(this.#peer, error, this.#started)
        : this.#stopped.reason;
    this.#fail(failure);
  }

  readonly #onAbort = (): void => {
    this.#unlink();
    const reason: unknown = this.#request.signal.reason;
    this.#stopped ??= { reason };
    this.#fail(reason);
    this.#controller?.abort(asError(reason));
  };

  #fail(failure: unknown): void {
    if (this.#body === undefined) this.#reject(failure);
    else this.#body.fail(failure);
  }

  #unlink(): void {
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

/** Kubernetes sends seconds. HTTP allows a date, too: that is ignored, since two wall clocks never agree. */
function parseRetryAfter(value: string | string[] | undefined): number | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined) return undefined;
  const seconds = Number(text);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

async function discard(response: TransportResponse): Promise<void> {
  for await (const _ of response.body) {
    // A 401 is a few hundred bytes: reading them keeps the connection usable.
  }
}
