// Turns a KubeConfig into what goes on the wire, and reads it anew often enough for tokens and certificates that are
// rotated under a running process.
import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../clock.ts';
import { ReloadableKubeConfig } from './kube-config.ts';

/** What connecting to one API server with one identity takes. Never logged, never part of an error. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: RequestOptions['ca'];
    readonly cert?: RequestOptions['cert'];
    readonly key?: RequestOptions['key'];
    readonly pfx?: RequestOptions['pfx'];
    readonly passphrase?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Counts how often they were read; a request compares it to see whether somebody else refreshed them meanwhile. */
  readonly version: number;
}

/** Credentials older than this are read again before the next request. */
const maxAgeMs = 60_000;
/** After a failed refresh the old ones serve for this long before the next try. */
const retryAfterFailureMs = 10_000;
/** A server that refuses everything must not make an exec plugin run for every request. */
const minForcedIntervalMs = 10_000;
/** An exec plugin that waits for a human would otherwise block every request for ever. */
const resolveTimeoutMs = 30_000;

/** Caches {@link Credentials} for a minute; concurrent callers share one reading. */
export class CredentialSource {
  readonly #source: KubeConfig;
  readonly #clock: Clock;
  /** What is asked: `#source` itself, or the same with newer content and empty caches. */
  #active: KubeConfig | undefined;
  #current: Credentials | undefined;
  #validUntil = Number.NEGATIVE_INFINITY;
  #lastForcedAt = Number.NEGATIVE_INFINITY;
  #underway: Promise<Credentials> | undefined;
  #version = 0;

  constructor(kubeConfig: KubeConfig, clock: Clock) {
    this.#source = kubeConfig;
    this.#clock = clock;
  }

  /** Credentials at most a minute old. When reading them anew fails, the previous ones serve on. */
  async get(): Promise<Credentials> {
    if (this.#current !== undefined && this.#clock.now() < this.#validUntil) return this.#current;
    try {
      return await this.#read(false);
    } catch (error) {
      if (this.#current === undefined) throw error;
      this.#validUntil = this.#clock.now() + retryAfterFailureMs;
      return this.#current;
    }
  }

  /**
   * Credentials newer than `refused`, bypassing every cache, after the server answered 401. Undefined when they were
   * refused just before, too: then trying again is pointless.
   */
  async refresh(refused: Credentials): Promise<Credentials | undefined> {
    if (this.#current !== undefined && this.#current.version > refused.version) return this.#current;
    const now = this.#clock.now();
    if (this.#underway === undefined && now - this.#lastForcedAt < minForcedIntervalMs) return undefined;
    this.#lastForcedAt = now;
    return this.#read(true);
  }

  #read(bypassCaches: boolean): Promise<Credentials> {
    this.#underway ??= this.#resolve(bypassCaches).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #resolve(bypassCaches: boolean): Promise<Credentials> {
    // An exec plugin's answer is kept by client-node until it expires; nothing else is, or is too long.
    if (this.#active === undefined || bypassCaches || !runsPlugin(this.#active)) {
      this.#active = allowPlainHttp(withEmptyCaches(this.#source));
    }
    const options: RequestOptions = { headers: {} };
    await withTimeout(this.#clock, this.#active.applyToHTTPSOptions(options), resolveTimeoutMs);
    this.#version += 1;
    this.#current = { ...fromHttpsOptions(options), version: this.#version };
    this.#validUntil = this.#clock.now() + maxAgeMs;
    return this.#current;
  }
}

type User = { readonly exec?: unknown; readonly authProvider?: { readonly config?: unknown } | null };
interface ProviderConfig {
  readonly exec?: unknown;
  readonly tokenFile?: unknown;
}

const providerOf = (user: User | null): ProviderConfig =>
  (user?.authProvider?.config ?? {}) as ProviderConfig;

function runsPlugin(kubeConfig: KubeConfig): boolean {
  const user: User | null = kubeConfig.getCurrentUser();
  return (user?.exec ?? providerOf(user).exec ?? undefined) !== undefined;
}

/**
 * client-node reads a service account's token file at most once a minute, a kubeconfig's `token-file` only while loading
 * it, and keeps a plugin's answer even if the server refuses it: only a new KubeConfig looks again.
 */
function withEmptyCaches(kubeConfig: KubeConfig): KubeConfig {
  if (kubeConfig instanceof ReloadableKubeConfig) return kubeConfig.reload();
  const readsTokenFile = providerOf(kubeConfig.getCurrentUser()).tokenFile !== undefined;
  // Any other authenticator keeps its own caches, and may have been added by the caller: a copy would lack it.
  return readsTokenFile || runsPlugin(kubeConfig) ? copyOf(kubeConfig) : kubeConfig;
}

/** client-node refuses http even on the same machine unless TLS verification is off, where there is no TLS to verify. */
function allowPlainHttp(kubeConfig: KubeConfig): KubeConfig {
  const cluster = kubeConfig.getCurrentCluster();
  const refused = cluster?.server.startsWith('http:') === true && !cluster.skipTLSVerify;
  return refused ? copyOf(kubeConfig, { skipTLSVerify: true }) : kubeConfig;
}

/** The same content, none of the caches. */
function copyOf(kubeConfig: KubeConfig, overrides: { readonly skipTLSVerify?: true } = {}): KubeConfig {
  const copy = new KubeConfig();
  copy.loadFromOptions({
    clusters: kubeConfig.clusters.map((cluster) => ({ ...cluster, ...overrides })),
    users: kubeConfig.users,
    contexts: kubeConfig.contexts,
    currentContext: kubeConfig.currentContext,
  });
  return copy;
}

function fromHttpsOptions(options: RequestOptions): Omit<Credentials, 'version'> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
  return {
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(pfx === undefined ? {} : { pfx }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(servername === undefined ? {} : { servername }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    },
  };
}

async function withTimeout<T>(clock: Clock, work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () => reject(new Error(`the kubeconfig's credentials were not there after ${timeoutMs} ms`)),
      timeoutMs,
    );
    work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
