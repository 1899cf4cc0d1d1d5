// Reads the authorities that a management controller is trusted by, and nothing that only looks like one.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Trouble } from './device-trouble.ts';

/** @throws {@link Trouble} when the file isn't there, or holds anything that TLS would pass over in silence. */
export async function authorityIn(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
    throw new Trouble(`${file} cannot be read: ${code}`);
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) return certificates.join('\n');
  throw new Trouble(`${file} holds no certificate`, { permanent: true });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
