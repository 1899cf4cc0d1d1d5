// Makes certificates, keys and kubeconfig files, for the cluster's own programs and for whoever a test wants to be.
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AddressPlan, NodeAddress } from './addresses.ts';
import type { ApiCredentials } from './api-client.ts';
import { ClusterError } from './cluster-error.ts';

/** Whom a certificate names, and where it may be served from. */
export interface CertificateRequest {
  /** Of the files: NAME.crt and NAME.key. */
  name: string;
  user: string;
  groups: readonly string[];
  ips: readonly string[];
  dnsNames: readonly string[];
  server: boolean;
  client: boolean;
}

/** The certificates that a cluster starts with. */
export function planCertificates(
  addresses: AddressPlan,
  nodes: readonly NodeAddress[],
): CertificateRequest[] {
  const { apiServerIp, firstServiceIp, loopbackIp } = addresses;
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const none = { groups: [], ips: [], dnsNames: [], server: false, client: true };
  return [
    {
      ...none,
      name: 'kube-apiserver',
      user: 'kube-apiserver',
      ips: [apiServerIp, firstServiceIp],
      dnsNames: [...service, 'kubernetes.default.svc.cluster.local'],
      server: true,
      client: false,
    },
    { ...none, name: 'admin', user: 'cluster-admin', groups: ['system:masters'] },
    // What this folder asks by itself has a name of its own in the audit log, or tests would count it as theirs.
    { ...none, name: 'watcher', user: 'cluster-watcher', groups: ['system:masters'] },
    { ...none, name: 'kubelet-client', user: 'kube-apiserver-kubelet-client', groups: ['system:masters'] },
    ...['kube-controller-manager', 'kube-scheduler'].map((name) => ({
      ...none,
      name,
      user: `system:${name}`,
      ips: [loopbackIp],
      server: true,
    })),
    ...nodes.map(({ name, ip }) => ({
      ...none,
      name,
      user: `system:node:${name}`,
      groups: ['system:nodes'],
      ips: [ip],
      dnsNames: [name],
      server: true,
    })),
  ];
}

/** Has certificates signed by the cluster's authority, which is made the first time. */
export async function signCertificates(
  program: string,
  pki: string,
  certificates: readonly CertificateRequest[],
): Promise<void> {
  const child = spawn(program, [], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  // Should it end early, its exit says more than a broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify({ directory: pki, certificates }));
  await new Promise<void>((resolve, reject) => {
    const fail = (reason: string, cause?: Error): void => {
      reject(new ClusterError('component-failed', `Certificates could not be signed: ${reason}`, { cause }));
    };
    child.once('error', (error) => {
      fail(error.message, error);
    });
    child.once('close', (code) => {
      if (code === 0) {
        resolve();
      } else {
        fail(said.trim());
      }
    });
  });
}

/** The pair with which service account tokens are signed and checked. */
export function writeServiceAccountKeys(pki: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = privateKey.export({ type: 'sec1', format: 'pem' });
  writeFileSync(join(pki, 'service-account.key'), key, { mode: 0o600 });
  writeFileSync(join(pki, 'service-account.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
}

export function readCredentials(pki: string, name: string): Required<ApiCredentials> {
  const read = (file: string): string => readFileSync(join(pki, file), 'utf8');
  return { ca: read('ca.crt'), cert: read(`${name}.crt`), key: read(`${name}.key`) };
}

/** How a kubeconfig's user proves who it is. */
export type KubeconfigUser = { cert: string; key: string } | { token: string };

/** A kubeconfig with everything in it, so that it may be copied elsewhere. */
export function kubeconfigText(server: string, ca: string, user: KubeconfigUser): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const proof =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) };
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'liberator', cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'user', user: proof }],
    contexts: [{ name: 'liberator', context: { cluster: 'liberator', user: 'user' } }],
    'current-context': 'liberator',
  });
}

export function writeKubeconfig(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600 });
}
