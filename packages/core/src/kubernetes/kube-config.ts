// Finds out which cluster to talk to and as whom, and fails early with one clear sentence where client-node would fall
// back to http://localhost:8080 and fail later with a puzzle.
import { accessSync, constants } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Thrown when there is no usable way to a cluster. The message says what was looked at and what to do. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
  readonly code = 'LIBERATOR_KUBECONFIG';
}

type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0];

/** A KubeConfig that remembers where it came from, so that rotated tokens and certificates can be read anew. */
export class ReloadableKubeConfig extends KubeConfig {
  /** How messages name where it came from. */
  readonly origin: string;
  readonly #load: (into: KubeConfig) => void;
  readonly #added: Authenticator[] = [];

  /** @param load fills an empty KubeConfig; may throw anything */
  constructor(origin: string, load: (into: KubeConfig) => void) {
    super();
    this.origin = origin;
    this.#load = load;
    load(this);
    verify(this, origin);
  }

  /** The same source, read again, with all of client-node's caches empty. */
  reload(): KubeConfig {
    const fresh = new ReloadableKubeConfig(this.origin, this.#load);
    for (const authenticator of this.#added) fresh.addAuthenticator(authenticator);
    return fresh;
  }

  override addAuthenticator(authenticator: Authenticator): void {
    super.addAuthenticator(authenticator);
    this.#added.push(authenticator);
  }
}

/** Options of {@link loadKubeConfig}. */
export interface LoadKubeConfigOptions {
  /** A kubeconfig file. Without it, the service account of the pod that this process runs in. */
  readonly path?: string | undefined;
  /**
   * Act as this user, `system:serviceaccount:NAMESPACE:NAME` for an account. Whoever the kubeconfig speaks for must be
   * allowed to impersonate it.
   */
  readonly as?: string | undefined;
}

/**
 * The cluster and the identity to use: the kubeconfig file at `path`, or, without one, the pod's service account.
 *
 * Nothing is guessed: `KUBECONFIG` and `~/.kube/config` count only if the caller passes them as `path`, because an
 * agent that deletes nodes must not end up in whatever cluster somebody last worked with.
 *
 * @throws {@link KubeConfigError}
 */
export function loadKubeConfig(options: LoadKubeConfigOptions = {}): KubeConfig {
  const config = options.path === undefined ? loadServiceAccount('') : loadFile(options.path);
  return options.as === undefined ? config : impersonating(config, options.as);
}

function impersonating(config: ReloadableKubeConfig, impersonateUser: string): KubeConfig {
  return new ReloadableKubeConfig(config.origin, (into) => {
    const { clusters, contexts, currentContext, users } = config.reload();
    into.loadFromOptions({
      clusters,
      contexts,
      currentContext,
      users: users.map((user) => ({ ...user, impersonateUser })),
    });
  });
}

function loadFile(path: string): ReloadableKubeConfig {
  const origin = `the kubeconfig ${path}`;
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new KubeConfigError(`could not read ${origin}: ${explainFileError(error)}`, { cause: error });
  }
  return new ReloadableKubeConfig(origin, (into) => {
    try {
      into.loadFromFile(path);
    } catch (error) {
      // No cause, and of the message only its first line: a YAML error quotes the lines around it, tokens included.
      throw new KubeConfigError(`could not use ${origin}: ${firstLine(error)}`);
    }
  });
}

/** @internal `root` lets a test put a service account elsewhere. */
export function loadServiceAccount(root: string): ReloadableKubeConfig {
  const host = process.env['KUBERNETES_SERVICE_HOST'];
  const port = process.env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) {
    throw new KubeConfigError(
      'found no cluster to talk to: this process does not run in a pod (KUBERNETES_SERVICE_HOST and ' +
        'KUBERNETES_SERVICE_PORT are not set) and no kubeconfig file was named; name one',
    );
  }
  for (const file of ['token', 'ca.crt']) {
    const path = `${root}${serviceAccountFolder}/${file}`;
    try {
      accessSync(path, constants.R_OK);
    } catch (error) {
      throw new KubeConfigError(
        `this process runs in a pod, but could not read its service account's ${path}: ${explainFileError(error)}; ` +
          'set automountServiceAccountToken to true for the pod, or name a kubeconfig file',
        { cause: error },
      );
    }
  }
  return new ReloadableKubeConfig("the pod's service account", (into) => into.loadFromCluster(root));
}

/**
 * Checks that a KubeConfig leads somewhere, whoever made it.
 *
 * @throws {@link KubeConfigError}
 */
export function verify(config: KubeConfig, origin = 'the kubeconfig'): void {
  const contexts = config.getContexts();
  const name = config.getCurrentContext();
  if (!name) {
    const choice = contexts.map((context) => context.name).join(', ');
    throw new KubeConfigError(
      `${origin} has no current-context; set it to ${choice === '' ? 'a context; it has none either' : `one of: ${choice}`}`,
    );
  }
  const context = contexts.find((candidate) => candidate.name === name);
  if (context === undefined) {
    throw new KubeConfigError(`${origin} says current-context "${name}", but it has no context of that name`);
  }
  const cluster = config.getClusters().find((candidate) => candidate.name === context.cluster);
  if (cluster === undefined) {
    throw new KubeConfigError(
      `context "${name}" of ${origin} names cluster "${context.cluster}", but it has no cluster of that name`,
    );
  }
  if (!config.getUsers().some((candidate) => candidate.name === context.user)) {
    throw new KubeConfigError(
      `context "${name}" of ${origin} names user "${context.user}", but it has no user of that name`,
    );
  }
  serverUrl(cluster.server, cluster.skipTLSVerify === true, origin);
}

/** The URL of a cluster's API server, checked. */
export function serverUrl(server: string, skipTlsVerify: boolean, origin: string): URL {
  if (!URL.canParse(server)) {
    throw new KubeConfigError(`expected the server of ${origin} to be a URL; found "${server}"`);
  }
  const url = new URL(server);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new KubeConfigError(`expected the server of ${origin} to be an https URL; found "${server}"`);
  }
  if (url.protocol === 'http:' && !skipTlsVerify && !isLoopback(url.hostname)) {
    throw new KubeConfigError(
      `the server of ${origin}, ${server}, is not on this machine and not encrypted, which would show credentials to ` +
        'anyone on the way; use https, or set insecure-skip-tls-verify: true to accept that',
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function explainFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'this process may not read it';
  return firstLine(error);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
