// The connections of one TLS identity, no more than a cap: a rotated certificate gets new ones while the old ones finish.
import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Credentials } from './credentials.ts';

export interface ConnectionPoolOptions {
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
  /** The most connections at once for what is not `direct`. */
  readonly maxConnections: number;
}

/** Two pools of one identity: what lasts or is urgent never waits for what comes in numbers. */
interface Dispatchers {
  readonly capped: Dispatcher;
  readonly direct: Dispatcher;
}

/** TCP keep-alive probes start after this long, before the usual minute after which load balancers forget. */
const keepAliveInitialDelayMs = 30_000;
/** Longer than the pauses between Lease renewals, shorter than the 90 s after which API servers hang up. */
const idleConnectionMs = 30_000;

export class ConnectionPool {
  readonly #origin: string;
  readonly #options: ConnectionPoolOptions;
  readonly #retired = new Set<Dispatcher>();
  #current:
    | { tls: Credentials['tls']; readonly identity: string; readonly dispatchers: Dispatchers }
    | undefined;

  constructor(origin: string, options: ConnectionPoolOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** The connections of this identity. Those of the previous one end with the requests on them. */
  for(credentials: Credentials, lane: keyof Dispatchers): Dispatcher {
    const { tls } = credentials;
    // Credentials that were not read again are the same object: only new ones are worth a look at what they hold.
    if (this.#current?.tls === tls) return this.#current.dispatchers[lane];
    const identity = fingerprint(tls);
    if (this.#current?.identity === identity) {
      this.#current.tls = tls;
      return this.#current.dispatchers[lane];
    }
    const previous = this.#current?.dispatchers;
    this.#current = { tls, identity, dispatchers: this.#create(tls) };
    for (const dispatcher of Object.values(previous ?? {})) this.#retire(dispatcher);
    return this.#current.dispatchers[lane];
  }

  async destroy(): Promise<void> {
    const all = [...this.#retired, ...Object.values(this.#current?.dispatchers ?? {})];
    await Promise.all(all.map((dispatcher) => dispatcher.destroy()));
  }

  #retire(dispatcher: Dispatcher): void {
    this.#retired.add(dispatcher);
    void dispatcher.close().finally(() => this.#retired.delete(dispatcher));
  }

  #create(tls: Credentials['tls']): Dispatchers {
    const { proxyUrl, connectTimeoutMs, maxConnections } = this.#options;
    const connect = {
      ...contextOf(tls),
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
    const make = (cap: { readonly connections?: number }): Dispatcher =>
      proxyUrl === undefined
        ? new Pool(this.#origin, { ...options, ...cap, connect })
        : new ProxyAgent({
            ...options,
            ...cap,
            uri: proxyUrl,
            requestTls: connect,
            connectTimeout: connectTimeoutMs,
          });
    return { capped: make({ connections: maxConnections }), direct: make({}) };
  }
}

/** Read once for all connections: a machine's own authorities alone are 150 certificates, parsed anew for each otherwise. */
function contextOf({ servername, rejectUnauthorized, ...identity }: Credentials['tls']): object {
  return {
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    // An authority that is signed by another one is trusted as it is: who names it in a kubeconfig means it.
    secureContext: createSecureContext({ ...identity, allowPartialTrustChain: true }),
  };
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
