// What a kubeconfig holds or names for TLS: whom a server has to be vouched for by, and the certificate that a user shows.
import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import { CredentialError } from './credential-error.ts';
import { explainFileError } from './kube-config-error.ts';
import type { KubeconfigCluster, KubeconfigUser } from './kubeconfig-file.ts';

/** What of it a connection is made with. */
export interface TlsIdentity {
  readonly ca?: RequestOptions['ca'];
  readonly cert?: RequestOptions['cert'];
  readonly key?: RequestOptions['key'];
  readonly pfx?: RequestOptions['pfx'];
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export function authorityOf(cluster: KubeconfigCluster): Buffer | undefined {
  const authority = dataOrFile(
    cluster.caData,
    cluster.caFile,
    'certificate-authority',
    whose('cluster', cluster),
  );
  if (
    authority === undefined ||
    /-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/.test(authority.toString('latin1'))
  ) {
    return authority;
  }
  const key = cluster.caData ? 'certificate-authority-data' : `certificate-authority (${cluster.caFile})`;
  throw new CredentialError(`the ${key} of ${whose('cluster', cluster)} holds no certificate in PEM`);
}

let systemAuthorities: string[] | undefined;

/** Without an authority in the kubeconfig it is the machine's own that count, as in Go, and those that Node.js brings. */
export function trust(cluster: KubeconfigCluster, authority: Buffer | undefined): TlsIdentity {
  const servername = cluster.tlsServerName ? { servername: cluster.tlsServerName } : {};
  if (cluster.skipTLSVerify) return { ...servername, rejectUnauthorized: false };
  if (authority !== undefined) return { ...servername, ca: authority };
  if (!cluster.server.startsWith('https:')) return servername;
  systemAuthorities ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  return { ...servername, ca: systemAuthorities };
}

export function clientCertificate(user: KubeconfigUser): TlsIdentity {
  const of = whose('user', user);
  const cert = dataOrFile(user.certData, user.certFile, 'client-certificate', of);
  const key = dataOrFile(user.keyData, user.keyFile, 'client-key', of);
  return cert === undefined || key === undefined ? {} : fitting({ cert, key }, of);
}

/** Found out here, it is a sentence; in the middle of a handshake it would be a puzzle. */
export function fitting(tls: TlsIdentity, of: string): TlsIdentity {
  try {
    createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
    throw new CredentialError(`the client certificate and its key of ${of} can't be used together${code}`);
  }
  return tls;
}

function dataOrFile(
  data: string | undefined | null,
  file: string | undefined | null,
  key: string,
  of: string,
): Buffer | undefined {
  if (data) return Buffer.from(data, 'base64');
  if (!file) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw unreadable(file, key, of, error);
  }
}

export function unreadable(file: string, key: string, of: string, error: unknown): CredentialError {
  return new CredentialError(`could not read ${file}, the ${key} of ${of}: ${explainFileError(error)}`);
}

export function whose(
  kind: 'user' | 'cluster',
  { name, origin }: KubeconfigUser | KubeconfigCluster,
): string {
  return `${kind} "${name}" of ${origin ?? 'the kubeconfig'}`;
}
