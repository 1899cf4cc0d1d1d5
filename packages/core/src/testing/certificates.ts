// Throwaway X.509 certificates for tests of TLS, made by openssl since Node.js can read them but not sign them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateAuthority {
  readonly cert: string;
  /** A certificate for 127.0.0.1 and localhost, or for one other name, for servers and clients alike. */
  issue(commonName: string, dnsName?: string): KeyPair;
  /** Another authority, signed by this one. */
  delegate(commonName: string): CertificateAuthority;
}

/** An authority of its own; everything is made in a temporary folder that is gone when this returns. */
export function createAuthority(commonName: string): CertificateAuthority {
  const authority = inFolder((folder) => {
    run(folder, [
      'req',
      '-x509',
      ...newKey('ca.key'),
      '-subj',
      `/CN=${commonName}`,
      '-days',
      '30',
      '-out',
      'ca.crt',
    ]);
    return { key: read(folder, 'ca.key'), cert: read(folder, 'ca.crt') };
  });
  return authorityOf(authority);
}

function authorityOf(authority: KeyPair): CertificateAuthority {
  const sign = (name: string, extensions: string): KeyPair =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'ca.key'), authority.key);
      writeFileSync(join(folder, 'ca.crt'), authority.cert);
      writeFileSync(join(folder, 'extensions'), `${extensions}\n`);
      run(folder, ['req', ...newKey('new.key'), '-subj', `/CN=${name}`, '-out', 'new.csr']);
      const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30'];
      run(folder, [
        'x509',
        '-req',
        '-in',
        'new.csr',
        ...signing,
        '-extfile',
        'extensions',
        '-out',
        'new.crt',
      ]);
      return { key: read(folder, 'new.key'), cert: read(folder, 'new.crt') };
    });
  return {
    cert: authority.cert,
    issue: (name, dnsName) =>
      sign(name, `subjectAltName=${dnsName === undefined ? 'IP:127.0.0.1,DNS:localhost' : `DNS:${dnsName}`}`),
    delegate: (name) => authorityOf(sign(name, 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign')),
  };
}

const newKey = (file: string): string[] => [
  '-newkey',
  'ec',
  '-pkeyopt',
  'ec_paramgen_curve:prime256v1',
  '-nodes',
  '-keyout',
  file,
];

function run(folder: string, args: readonly string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
}

function read(folder: string, file: string): string {
  return readFileSync(join(folder, file), 'utf8');
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
