// One pool of connections per TLS identity: a rotated certificate gets new connections while the old ones finish.
import { createHash } from 'node:crypto';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Credentials } from './credentials.ts';

export interface ConnectionPoolOptions {
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
}

/** TCP keep-alive probes start after this long, before the usual minute after which load balancers forget. */
const keepAliveInitialDelayMs = 30_000;
/** Longer than the pauses between Lease renewals, shorter than the 90 s after which API servers hang up. */
const idleConnectionMs = 30_000;

export class ConnectionPool {
  readonly #origin: string;
  readonly #options: ConnectionPoolOptions;
  readonly #retired = new Set<Dispatcher>();
  #current: { readonly identity: string; readonly dispatcher: Dispatcher } | undefined;

  constructor(origin: string, options: ConnectionPoolOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** The connections of this identity. Those of the previous one end with the requests on them. */
  for(credentials: Credentials): Dispatcher {
    const identity = fingerprint(credentials.tls);
    if (this.#current?.identity === identity) return this.#current.dispatcher;
    const previous = this.#current?.dispatcher;
    this.#current = { identity, dispatcher: this.#create(credentials.tls) };
    if (previous !== undefined) this.#retire(previous);
    return this.#current.dispatcher;
  }

  async destroy(): Promise<void> {
    const all = [...this.#retired, ...(this.#current === undefined ? [] : [this.#current.dispatcher])];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #retire(dispatcher: Dispatcher): void {
    this.#retired.add(dispatcher);
    void dispatcher.close().finally(() => this.#retired.delete(dispatcher));
  }

  #create(tls: Credentials['tls']): Dispatcher {
    const { proxyUrl, connectTimeoutMs } = this.#options;
    const connect = {
      ...tls,
      // An authority that is signed by another one is trusted as it is: who names it in a kubeconfig means it.
      allowPartialTrustChain: true,
      allowH2: false,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveInitialDelayMs,
    };
    const options = {
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleConnectionMs,
      keepAliveMaxTimeout: idleConnectionMs,
    };
    if (proxyUrl === undefined) return new Pool(this.#origin, { ...options, connect });
    return new ProxyAgent({
      ...options,
      uri: proxyUrl,
      requestTls: connect,
      connectTimeout: connectTimeoutMs,
    });
  }
}

function fingerprint(tls: Credentials['tls']): string {
  const hash = createHash('sha256');
  for (const [key, value] of Object.entries(tls).sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${key}\0`);
    for (const part of Array.isArray(value) ? value : [value]) {
      hash.update(Buffer.isBuffer(part) ? part : String(part));
      hash.update('\0');
    }
  }
  return hash.digest('hex');
}
