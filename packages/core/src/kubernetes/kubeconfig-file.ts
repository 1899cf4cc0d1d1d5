// Reads kubeconfig files as kubectl does: which keys there are, what their paths are relative to, and who wins where
// several files speak of the same thing.
import { readFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { loadAll, YAML11_SCHEMA, YAMLException } from 'js-yaml';
import { explainFileError, KubeConfigError } from './kube-config-error.ts';
import { Fields } from './kubeconfig-fields.ts';

/** A cluster with what client-node's type has no room for; all of it stays with the object when it is copied. */
export type KubeconfigCluster = KubeConfig['clusters'][number] & {
  /** How messages name the file that it comes from. */
  readonly origin?: string;
  readonly disableCompression?: boolean;
  /** The extension `client.authentication.k8s.io/exec`: what credential plugins are told about this cluster. */
  readonly pluginConfig?: unknown;
};

/** A user, likewise. `exec` is a {@link PluginSpec} where a file was read by us. */
export type KubeconfigUser = KubeConfig['users'][number] & {
  readonly origin?: string;
  readonly tokenFile?: string;
  readonly impersonateUid?: string;
  readonly impersonateGroups?: readonly string[];
  readonly impersonateUserExtra?: Readonly<Record<string, readonly string[]>>;
};

/** What client-node says that a context always has, it may lack: then requests are anonymous. */
type KubeconfigContext = KubeConfig['contexts'][number];

/** What one file says, or several together. */
export interface KubeconfigContent {
  /** Empty: none. */
  readonly currentContext: string;
  readonly contexts: readonly KubeconfigContext[];
  readonly clusters: readonly KubeconfigCluster[];
  readonly users: readonly KubeconfigUser[];
}

const pluginExtension = 'client.authentication.k8s.io/exec';

/**
 * The content of one file, with absolute paths. Undefined: there is no such file.
 *
 * @throws {@link KubeConfigError}
 */
export function readKubeconfigFile(path: string): KubeconfigContent | undefined {
  const origin = `the kubeconfig ${path}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new KubeConfigError(`could not read ${origin}: ${explainFileError(error)}`, { cause: error });
  }
  return parseKubeconfig(text, origin, dirname(resolve(path)));
}

/**
 * The first to name something wins: whole entries, never parts of them, since half of one user and half of another would
 * be nobody.
 */
export function mergeKubeconfigs(contents: readonly KubeconfigContent[]): KubeconfigContent {
  return {
    currentContext: contents.find(({ currentContext }) => currentContext !== '')?.currentContext ?? '',
    contexts: firstOfEachName(contents.flatMap(({ contexts }) => contexts)),
    clusters: firstOfEachName(contents.flatMap(({ clusters }) => clusters)),
    users: firstOfEachName(contents.flatMap(({ users }) => users)),
  };
}

function firstOfEachName<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  const byName = new Map<string, T>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return [...byName.values()];
}

function parseKubeconfig(text: string, origin: string, folder: string): KubeconfigContent {
  const file = new Fields(origin, '', parseYaml(text, origin));
  const kind = file.text('kind') ?? 'Config';
  const version = file.text('apiVersion') ?? 'v1';
  if (kind !== 'Config' || version !== 'v1') {
    throw new KubeConfigError(`expected ${origin} to be a Config of v1, found a ${kind} of ${version}`);
  }
  const named = <T>(key: string, inner: string, read: (fields: Fields, name: string) => T): readonly T[] => {
    const entries = file.objects(key).map((entry) => ({ name: entry.text('name') ?? '', entry }));
    const names = entries.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new KubeConfigError(`${origin} has two ${key} of the name "${twice}"`);
    return entries.map(({ name, entry }) => read(entry.object(inner), name));
  };
  const absolute = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(folder, path);
  return {
    currentContext: file.text('current-context') ?? '',
    contexts: named('contexts', 'context', readContext),
    clusters: named('clusters', 'cluster', (fields, name) => readCluster(fields, { name, origin, absolute })),
    users: named('users', 'user', (fields, name) => readUser(fields, { name, origin, absolute })),
  };
}

/** Of what the parser says only where: it quotes the lines around, tokens included. */
function parseYaml(text: string, origin: string): unknown {
  try {
    // As kubectl: YAML 1.1, the last of equal keys, the first document.
    return loadAll(text, { schema: YAML11_SCHEMA, json: true })[0];
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const where = mark === undefined ? '' : ` (line ${mark.line + 1}, column ${mark.column + 1})`;
    throw new KubeConfigError(`could not use ${origin}: it is not valid YAML${where}`);
  }
}

function readContext(fields: Fields, name: string): KubeconfigContext {
  return {
    name,
    cluster: fields.text('cluster') ?? '',
    user: fields.text('user') ?? '',
    ...defined({ namespace: fields.text('namespace') }),
  };
}

interface About {
  readonly name: string;
  readonly origin: string;
  readonly absolute: (path: string | undefined) => string | undefined;
}

function readCluster(fields: Fields, { name, origin, absolute }: About): KubeconfigCluster {
  const extension = fields.objects('extensions').find((one) => one.text('name') === pluginExtension);
  return {
    name,
    origin,
    server: fields.text('server') ?? '',
    skipTLSVerify: fields.flag('insecure-skip-tls-verify'),
    disableCompression: fields.flag('disable-compression'),
    ...defined({
      caFile: absolute(fields.text('certificate-authority')),
      caData: fields.base64('certificate-authority-data'),
      tlsServerName: fields.text('tls-server-name'),
      proxyUrl: fields.text('proxy-url'),
      pluginConfig: extension?.raw('extension'),
    }),
  };
}

function readUser(fields: Fields, { name, origin, absolute }: About): KubeconfigUser {
  const extra = fields.object('as-user-extra');
  return {
    name,
    origin,
    ...defined({
      certFile: absolute(fields.text('client-certificate')),
      certData: fields.base64('client-certificate-data'),
      keyFile: absolute(fields.text('client-key')),
      keyData: fields.base64('client-key-data'),
      token: fields.text('token'),
      tokenFile: absolute(fields.text('tokenFile')),
      username: fields.text('username'),
      password: fields.text('password'),
      impersonateUser: fields.text('as'),
      impersonateUid: fields.text('as-uid'),
      authProvider: fields.raw('auth-provider'),
      exec: fields.has('exec') ? readPlugin(fields.object('exec'), absolute) : undefined,
    }),
    impersonateGroups: fields.texts('as-groups'),
    impersonateUserExtra: Object.fromEntries(extra.keys().map((key) => [key, extra.texts(key)])),
  };
}

/** A program that prints credentials, as a kubeconfig describes it. */
export interface PluginSpec {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}

function readPlugin(fields: Fields, absolute: About['absolute']): PluginSpec {
  const command = fields.text('command');
  return {
    ...defined({
      apiVersion: fields.text('apiVersion'),
      // One without a slash is looked for in PATH; any other is a file beside the kubeconfig.
      command: command?.includes(sep) ? absolute(command) : command,
      installHint: fields.text('installHint'),
      interactiveMode: fields.text('interactiveMode'),
    }),
    args: fields.texts('args'),
    env: fields
      .objects('env')
      .map((one) => ({ name: one.text('name') ?? '', value: one.text('value') ?? '' })),
    provideClusterInfo: fields.flag('provideClusterInfo'),
  };
}

/** Without those that are undefined. */
function defined<T extends Record<string, unknown>>(
  values: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
