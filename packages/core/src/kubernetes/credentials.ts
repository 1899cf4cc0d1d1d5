// Turns a KubeConfig into what goes on the wire, and reads it anew often enough for tokens and certificates that are
// rotated under a running process.
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../time/clock.ts';
import { CredentialError } from './credential-error.ts';
import { type PluginCredentials, pluginCredentials } from './credential-plugin.ts';
import { ReloadableKubeConfig } from './kube-config.ts';
import type { KubeconfigCluster, KubeconfigUser, PluginSpec } from './kubeconfig-file.ts';
import {
  authorityOf,
  clientCertificate,
  fitting,
  type TlsIdentity,
  trust,
  unreadable,
  whose,
} from './tls-identity.ts';

/** What connecting to one API server with one identity takes. Never logged, never part of an error. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: TlsIdentity;
  /** Counts how often they were read; a request compares it to see whether somebody else refreshed them meanwhile. */
  readonly version: number;
}

/** Credentials older than this are read again before the next request. */
const maxAgeMs = 60_000;
/** After a failed refresh the old ones serve for this long before the next try. */
const retryAfterFailureMs = 10_000;
/** A server that refuses everything must not make an exec plugin run for every request. */
const minForcedIntervalMs = 10_000;
/** client-node's own providers wait for nobody; a network that hangs must not block every request for ever. */
const providerTimeoutMs = 30_000;

/** Caches {@link Credentials} for a minute; concurrent callers share one reading. */
export class CredentialSource {
  readonly #source: KubeConfig;
  readonly #clock: Clock;
  #current: Credentials | undefined;
  #validUntil = Number.NEGATIVE_INFINITY;
  #lastForcedAt = Number.NEGATIVE_INFINITY;
  #underway: Promise<Credentials> | undefined;
  #plugin: PluginCredentials | undefined;
  /** The last that a token file held, for the time in which it can't be read. */
  #fileToken: string | undefined;
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

  #read(wereRefused: boolean): Promise<Credentials> {
    this.#underway ??= this.#resolve(wereRefused).finally(() => {
      this.#underway = undefined;
    });
    return this.#underway;
  }

  async #resolve(wereRefused: boolean): Promise<Credentials> {
    const config = this.#source instanceof ReloadableKubeConfig ? this.#source.reload() : this.#source;
    const cluster: KubeconfigCluster | null = config.getCurrentCluster();
    const user: KubeconfigUser | null = config.getCurrentUser();
    if (cluster === null) throw new CredentialError('the kubeconfig names no cluster');
    const authority = cluster.skipTLSVerify ? undefined : authorityOf(cluster);
    const identity = await this.#identify(config, user, { cluster, authority, wereRefused });
    this.#version += 1;
    this.#current = {
      headers: { ...identity.headers, ...impersonation(user) },
      tls: {
        ...trust(cluster, authority),
        ...identity.tls,
      },
      version: this.#version,
    };
    this.#validUntil = Math.min(this.#clock.now() + maxAgeMs, identity.goodUntil ?? Number.POSITIVE_INFINITY);
    return this.#current;
  }

  /** Who it is, by what counts first: as in kubectl, whatever the file itself holds makes a plugin needless. */
  async #identify(
    config: KubeConfig,
    user: KubeconfigUser | null,
    about: {
      readonly cluster: KubeconfigCluster;
      readonly authority: Buffer | undefined;
      readonly wereRefused: boolean;
    },
  ): Promise<Identity> {
    if (user === null) return {};
    const tls = clientCertificate(user);
    const { token, goodUntil } = this.#tokenOf(user);
    if (token !== undefined) return { headers: { authorization: `Bearer ${token}` }, tls, goodUntil };
    if (user.username || user.password) {
      const basic = Buffer.from(`${user.username ?? ''}:${user.password ?? ''}`).toString('base64');
      return { headers: { authorization: `Basic ${basic}` }, tls };
    }
    const spec: PluginSpec | undefined = user.exec ?? user.authProvider?.config?.exec ?? undefined;
    if (spec === undefined) return withProvider(config, tls, this.#clock);
    if (tls.cert !== undefined) return { tls };
    const context = {
      spec,
      whose: whose('user', user),
      cluster: about.cluster,
      caData: about.authority?.toString('base64'),
      attended: config instanceof ReloadableKubeConfig && config.attended,
      clock: this.#clock,
    };
    const given = await pluginCredentials(context, about.wereRefused ? this.#plugin : undefined);
    this.#plugin = given;
    return {
      headers: given.token === undefined ? {} : { authorization: `Bearer ${given.token}` },
      tls:
        given.cert === undefined
          ? {}
          : fitting({ cert: given.cert, key: given.key }, `what ${context.whose} got`),
      goodUntil: given.goodUntil,
    };
  }

  /** What a token file holds counts before a token beside it, which was put there once and may be old. */
  #tokenOf(user: KubeconfigUser): { readonly token: string | undefined; readonly goodUntil: number } {
    const file: string | undefined = user.tokenFile ?? user.authProvider?.config?.tokenFile;
    const own = user.token?.trim() || undefined;
    if (!file) return { token: own, goodUntil: Number.POSITIVE_INFINITY };
    try {
      this.#fileToken = readToken(file, whose('user', user));
      return { token: this.#fileToken, goodUntil: Number.POSITIVE_INFINITY };
    } catch (error) {
      const token = this.#fileToken ?? own;
      if (token === undefined) throw error;
      return { token, goodUntil: this.#clock.now() + retryAfterFailureMs };
    }
  }
}

function readToken(file: string, of: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, 'tokenFile', of, error);
  }
  const token = text.trim();
  if (token === '') throw new CredentialError(`${file}, the tokenFile of ${of}, is empty`);
  return token;
}

interface Identity {
  readonly headers?: Credentials['headers'];
  readonly tls?: TlsIdentity;
  readonly goodUntil?: number;
}

/** client-node's own providers (OpenID Connect and the like), and authenticators that whoever made the KubeConfig added. */
async function withProvider(config: KubeConfig, tls: TlsIdentity, clock: Clock): Promise<Identity> {
  const options: RequestOptions = { headers: {} };
  await withTimeout(clock, forAuthentication(config).applyToHTTPSOptions(options), providerTimeoutMs);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined) headers[name.toLowerCase()] = String(value).trim();
  }
  const { cert, key, pfx, passphrase } = options;
  return {
    headers,
    tls: {
      ...tls,
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(pfx !== undefined && { pfx }),
      ...(passphrase !== undefined && { passphrase }),
    },
  };
}

/**
 * The same KubeConfig, its authenticators and their caches included, with a cluster that client-node does not refuse:
 * it has its own mind about http on the same machine and about proxies, which is not asked here.
 */
function forAuthentication(config: KubeConfig): KubeConfig {
  const clusters = config.clusters.map((cluster) => ({
    ...cluster,
    skipTLSVerify: true,
    proxyUrl: undefined,
  }));
  return Object.create(config, { clusters: { value: clusters } }) as KubeConfig;
}

/** Who is acted as goes with all that is acted with: without its groups it would be somebody with other rights. */
function impersonation(user: KubeconfigUser | null): Credentials['headers'] {
  if (!user?.impersonateUser) return {};
  const { impersonateUser, impersonateUid, impersonateGroups = [], impersonateUserExtra = {} } = user;
  const extra = Object.entries(impersonateUserExtra).filter(([, values]) => values.length > 0);
  return {
    'impersonate-user': asBytes(impersonateUser),
    ...(impersonateUid && { 'impersonate-uid': asBytes(impersonateUid) }),
    ...(impersonateGroups.length > 0 && { 'impersonate-group': impersonateGroups.map(asBytes) }),
    ...Object.fromEntries(
      extra.map(([key, values]) => [`impersonate-extra-${escapeHeaderName(key)}`, values.map(asBytes)]),
    ),
  };
}

/** Kubernetes reads UTF-8 in headers, where JavaScript takes each character for one byte. */
function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The server undoes it: names of attributes may hold what no header's name can. */
function escapeHeaderName(name: string): string {
  return [...Buffer.from(name)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9!#$&'*+.^_`|~-]/.test(character)) return character;
      return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

async function withTimeout<T>(clock: Clock, work: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(
      () =>
        reject(
          new CredentialError(`the kubeconfig's credentials were not there after ${timeoutMs / 1000} s`),
        ),
      timeoutMs,
    );
    work.then(resolve, reject).finally(() => clock.clearTimeout(timer));
  });
}
