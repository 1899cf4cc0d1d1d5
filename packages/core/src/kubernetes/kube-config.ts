// Finds out which cluster to talk to and as whom, and fails early with one clear sentence where client-node would fall
// back to http://localhost:8080 and fail later with a puzzle. What a kubeconfig means is what kubectl takes it to mean.
import { accessSync, constants } from 'node:fs';
import { delimiter } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { explainFileError, KubeConfigError } from './kube-config-error.ts';
import { verify } from './kube-config-rules.ts';
import {
  type KubeconfigContent,
  type KubeconfigUser,
  mergeKubeconfigs,
  readKubeconfigFile,
} from './kubeconfig-file.ts';

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0];

/** A KubeConfig that remembers where it came from, so that rotated tokens and certificates can be read anew. */
export class ReloadableKubeConfig extends KubeConfig {
  /** How messages name where it came from. */
  readonly origin: string;
  /** See {@link LoadKubeConfigOptions.attended}. */
  readonly attended: boolean;
  readonly #load: (into: KubeConfig) => void;
  readonly #added: Authenticator[] = [];

  /** @param load fills an empty KubeConfig; may throw anything */
  constructor(origin: string, load: (into: KubeConfig) => void, attended = false) {
    super();
    this.origin = origin;
    this.attended = attended;
    this.#load = load;
    load(this);
    verify(this, origin);
  }

  /** The same source and the same context, read again, with all of client-node's caches empty. */
  reload(): KubeConfig {
    const fresh = new ReloadableKubeConfig(this.origin, this.#load, this.attended);
    for (const authenticator of this.#added) fresh.addAuthenticator(authenticator);
    if (fresh.getCurrentContext() !== this.getCurrentContext()) {
      fresh.setCurrentContext(this.getCurrentContext());
      verify(fresh, this.origin);
    }
    return fresh;
  }

  override addAuthenticator(authenticator: Authenticator): void {
    super.addAuthenticator(authenticator);
    this.#added.push(authenticator);
  }
}

/** Options of {@link loadKubeConfig}. */
export interface LoadKubeConfigOptions {
  /**
   * A kubeconfig file, which has to be there. Or a list of them, of which any but one may be missing: as with
   * `KUBECONFIG=a:b`, the first to set a value or to name a cluster, user or context wins. Without it, the service
   * account of the pod that this process runs in.
   */
  readonly path?: string | readonly string[] | undefined;
  /** The context to use. Default: the kubeconfig's `current-context`. */
  readonly context?: string | undefined;
  /** The cluster to use instead of the context's. */
  readonly cluster?: string | undefined;
  /** The user to use instead of the context's. */
  readonly user?: string | undefined;
  /** The namespace that the context shall have. */
  readonly namespace?: string | undefined;
  /**
   * Act as this user, `system:serviceaccount:NAMESPACE:NAME` for an account. Whoever the kubeconfig speaks for must be
   * allowed to impersonate it. Each of this and the next three replaces what the kubeconfig says of the same, and
   * leaves the others as they are; an empty one replaces it by nothing.
   */
  readonly as?: string | undefined;
  /** Act as a member of these groups, and of no others; only together with a user to act as. */
  readonly asGroups?: readonly string[] | undefined;
  /** Act as the user with this uid; only together with a user to act as. */
  readonly asUid?: string | undefined;
  /** Act with these additional attributes; only together with a user to act as. */
  readonly asUserExtra?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Whether a person is there. Then a credential plugin may use the terminal, where its `interactiveMode` says so; what
   * it writes to stderr is seen; it may take its time, and no time limit of a request counts meanwhile. Otherwise it
   * gets no input, the first line that it wrote to stderr becomes part of the error when it fails, and it is ended after
   * 30 s. Default false.
   */
  readonly attended?: boolean | undefined;
}

/**
 * The cluster and the identity to use: the kubeconfig file at `path`, or, without one, the pod's service account.
 *
 * Nothing is guessed: `KUBECONFIG` and `~/.kube/config` count only if the caller passes them as `path`, because an
 * agent that deletes nodes must not end up in whatever cluster somebody last worked with. Within the file everything
 * means what it means to kubectl.
 *
 * @throws {@link KubeConfigError}
 */
export function loadKubeConfig(options: LoadKubeConfigOptions = {}): KubeConfig {
  const { path, attended } = options;
  if (path === undefined) return withChoice(loadServiceAccount(''), options);
  const paths = typeof path === 'string' ? [path] : [...new Set(path)];
  const origin = `the kubeconfig ${paths.join(delimiter)}`;
  // Whoever chooses another context in the file meanwhile means what is begun then: the credentials of one cluster must
  // not be sent to another.
  let begunWith = options.context;
  const load = (into: KubeConfig): void => {
    const content = override(readAll(paths, origin), { ...options, context: begunWith }, origin);
    begunWith ??= content.currentContext || undefined;
    fill(into, content);
  };
  return new ReloadableKubeConfig(origin, load, attended);
}

function readAll(paths: readonly string[], origin: string): KubeconfigContent {
  const contents = paths.map(readKubeconfigFile).filter((content) => content !== undefined);
  if (contents.length > 0) return mergeKubeconfigs(contents);
  const which = paths.length > 1 ? 'there is none of these files' : 'there is no such file';
  throw new KubeConfigError(`could not read ${origin}: ${which}`);
}

function fill(into: KubeConfig, { contexts, clusters, users, currentContext }: KubeconfigContent): void {
  into.loadFromOptions({ contexts, clusters, users, currentContext });
}

/** @internal An account comes with one context, so of these there is nothing to choose from. */
export function withChoice(
  account: ReloadableKubeConfig,
  options: LoadKubeConfigOptions,
): ReloadableKubeConfig {
  for (const key of ['context', 'cluster', 'user'] as const) {
    if (options[key] !== undefined) {
      throw new KubeConfigError(
        `found no kubeconfig that could have a ${key} "${options[key]}", only ${account.origin}; name a kubeconfig file`,
      );
    }
  }
  const load = (into: KubeConfig): void => fill(into, override(account.reload(), options, account.origin));
  return new ReloadableKubeConfig(account.origin, load, options.attended);
}

/**
 * What was asked for, put into the current context and its user. As in kubectl, what is named here has to be there, and
 * the rest stays as the kubeconfig has it.
 */
function override(
  content: KubeconfigContent,
  options: LoadKubeConfigOptions,
  origin: string,
): KubeconfigContent {
  const expectNamed = (
    kind: 'context' | 'cluster' | 'user',
    entries: readonly { readonly name: string }[],
  ): void => {
    const name = options[kind];
    if (name === undefined || entries.some((entry) => entry.name === name)) return;
    const choice = entries.map((entry) => entry.name).join(', ');
    throw new KubeConfigError(
      `${origin} has no ${kind} "${name}"; ${choice === '' ? 'it has none at all' : `there is: ${choice}`}`,
    );
  };
  expectNamed('context', content.contexts);
  expectNamed('cluster', content.clusters);
  expectNamed('user', content.users);
  const name = options.context ?? content.currentContext;
  const found = content.contexts.find((context) => context.name === name);
  // Who names a cluster needs no context.
  if (found === undefined && (name !== '' || options.cluster === undefined)) return content;
  const namespace = options.namespace ?? found?.namespace;
  const context = {
    name,
    cluster: options.cluster ?? found?.cluster ?? '',
    user: options.user ?? found?.user ?? '',
    ...(namespace !== undefined && { namespace }),
  };
  const user = impersonating(
    content.users.find((one) => one.name === context.user),
    options,
    origin,
  );
  return {
    clusters: content.clusters,
    currentContext: name,
    contexts: [context, ...content.contexts.filter((one) => one.name !== name)],
    users:
      user === undefined
        ? content.users
        : [{ ...user, name: context.user }, ...content.users.filter((one) => one.name !== context.user)],
  };
}

function impersonating(
  user: KubeconfigUser | undefined,
  { as, asGroups, asUid, asUserExtra }: LoadKubeConfigOptions,
  origin: string,
): Omit<KubeconfigUser, 'name'> | undefined {
  if ([as, asGroups, asUid, asUserExtra].every((one) => one === undefined)) return user;
  return {
    origin,
    ...user,
    ...(as !== undefined && { impersonateUser: as }),
    ...(asGroups !== undefined && { impersonateGroups: asGroups }),
    ...(asUid !== undefined && { impersonateUid: asUid }),
    ...(asUserExtra !== undefined && { impersonateUserExtra: asUserExtra }),
  };
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
