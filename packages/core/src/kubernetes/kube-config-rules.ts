// What has to be right about a KubeConfig before anything is sent, whoever made it: what kubectl refuses is refused here,
// and so is what it would fall back from in silence.
import { accessSync, constants } from 'node:fs';
import type { KubeConfig } from '@kubernetes/client-node';
import { explainFileError, KubeConfigError } from './kube-config-error.ts';
import type { KubeconfigCluster, KubeconfigUser, PluginSpec } from './kubeconfig-file.ts';

/**
 * Checks that a KubeConfig leads somewhere, whoever made it.
 *
 * @throws {@link KubeConfigError}
 */
export function verify(config: KubeConfig, origin = 'the kubeconfig'): void {
  const contexts = config.getContexts();
  const name = config.getCurrentContext() ?? '';
  const context = contexts.find((candidate) => candidate.name === name);
  if (context === undefined && name === '') {
    const choice = contexts.map((candidate) => candidate.name).join(', ');
    throw new KubeConfigError(
      `${origin} has no current-context; set it to ${choice === '' ? 'a context; it has none either' : `one of: ${choice}`}`,
    );
  }
  if (context === undefined) {
    throw new KubeConfigError(`${origin} says current-context "${name}", but it has no context of that name`);
  }
  if (!context.cluster) throw new KubeConfigError(`context "${name}" of ${origin} names no cluster`);
  const cluster = config.getClusters().find((candidate) => candidate.name === context.cluster);
  if (cluster === undefined) {
    throw new KubeConfigError(
      `context "${name}" of ${origin} names cluster "${context.cluster}", but it has no cluster of that name`,
    );
  }
  const user = config.getUsers().find((candidate) => candidate.name === context.user);
  if (user === undefined && context.user) {
    throw new KubeConfigError(
      `context "${name}" of ${origin} names user "${context.user}", but it has no user of that name`,
    );
  }
  verifyCluster(cluster, origin);
  if (user !== undefined) verifyUser(user);
}

function verifyCluster(cluster: KubeconfigCluster, fallback: string): void {
  const { name, caFile, caData, skipTLSVerify, proxyUrl, origin } = cluster;
  const whose = `cluster "${name}" of ${origin ?? fallback}`;
  if (!cluster.server) throw new KubeConfigError(`the server is missing in ${whose}`);
  serverUrl(cluster.server, skipTLSVerify === true, origin ?? fallback);
  if (proxyUrl) expectProxyUrl(proxyUrl, `proxy-url of ${whose}`);
  // What was put together by a program follows the rules of that program, and of client-node.
  if (origin === undefined) return;
  if (caFile && caData) throw both(whose, 'certificate-authority', 'certificate-authority-data');
  if (skipTLSVerify && (caFile || caData)) {
    const key = caFile ? 'certificate-authority' : 'certificate-authority-data';
    throw both(whose, key, 'insecure-skip-tls-verify');
  }
  expectReadable(caFile, 'certificate-authority', whose);
}

function verifyUser(user: KubeconfigUser): void {
  if (user.origin === undefined) return;
  const { name, token, username, password, certFile, certData, keyFile, keyData, exec } = user;
  const whose = `user "${name}" of ${user.origin}`;
  if (token && (username || password)) throw both(whose, 'token', username ? 'username' : 'password');
  if (certFile || certData) {
    if (certFile && certData) throw both(whose, 'client-certificate', 'client-certificate-data');
    if (keyFile && keyData) throw both(whose, 'client-key', 'client-key-data');
    if (!keyFile && !keyData) {
      throw new KubeConfigError(`${whose} has a client certificate without client-key or client-key-data`);
    }
    expectReadable(certFile, 'client-certificate', whose);
    expectReadable(keyFile, 'client-key', whose);
  }
  // A token in the file itself stands in for a token file that can't be read.
  if (!token) expectReadable(user.tokenFile, 'tokenFile', whose);
  if (exec) verifyPlugin(exec as PluginSpec, whose, Boolean(user.authProvider));
  const { impersonateUser, impersonateUid, impersonateGroups = [], impersonateUserExtra = {} } = user;
  if (impersonateUser) return;
  if (impersonateUid || impersonateGroups.length > 0 || Object.keys(impersonateUserExtra).length > 0) {
    throw new KubeConfigError(
      `${whose} acts as a uid, as groups or with extra attributes, but as nobody: say as whom with "as"`,
    );
  }
}

const pluginVersions = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const pluginModes = ['Never', 'IfAvailable', 'Always'];

function verifyPlugin(spec: PluginSpec, whose: string, hasProvider: boolean): void {
  if (hasProvider) throw both(whose, 'exec', 'auth-provider');
  if (!spec.command) throw new KubeConfigError(`${whose} has an exec without a command`);
  const which = `the credential plugin "${spec.command}" of ${whose}`;
  if (!spec.apiVersion || !pluginVersions.includes(spec.apiVersion)) {
    throw new KubeConfigError(
      `expected exec.apiVersion for ${which} to be one of ${pluginVersions.join(', ')}, found "${spec.apiVersion ?? ''}"`,
    );
  }
  if ((spec.env ?? []).some(({ name }) => !name)) {
    throw new KubeConfigError(`${which} has an entry without a name in exec.env`);
  }
  // With v1beta1 it may be left out, and is IfAvailable then.
  const mode = spec.interactiveMode || (spec.apiVersion.endsWith('/v1beta1') ? 'IfAvailable' : '');
  if (!pluginModes.includes(mode)) {
    throw new KubeConfigError(
      `expected exec.interactiveMode for ${which} to be one of ${pluginModes.join(', ')}, found "${mode}"`,
    );
  }
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

/** A proxy's URL may carry a password, so it is not quoted. */
export function expectProxyUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && ['http:', 'https:', 'socks5:'].includes(url.protocol)) return url;
  throw new KubeConfigError(`expected ${where} to be an http, https or socks5 URL`);
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function both(whose: string, one: string, other: string): KubeConfigError {
  return new KubeConfigError(`${whose} has both ${one} and ${other}; only one of them can count`);
}

function expectReadable(path: string | undefined, key: string, whose: string): void {
  if (!path) return;
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new KubeConfigError(`could not read ${path}, the ${key} of ${whose}: ${explainFileError(error)}`, {
      cause: error,
    });
  }
}
