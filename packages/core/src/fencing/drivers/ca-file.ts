// Reads the authorities that a device is trusted by, and nothing that only looks like one.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Trouble } from './device-trouble.ts';

/**
 * What TLS needs to trust these authorities and nobody else. One that is signed by another is trusted as it is: who names it means it.
 *
 * @throws {@link Trouble} when the file isn't there, or holds anything that TLS would pass over in silence.
 */
export async function trustIn(file: string): Promise<SecureContext> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
    throw new Trouble(`${file} cannot be read: ${code}`);
  }
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) {
    return createSecureContext({ ca: certificates.join('\n'), allowPartialTrustChain: true });
  }
  throw new Trouble(`${file} holds no certificate`, { permanent: true });
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
