// Signs what goes to a webhook and checks what comes back, as Standard Webhooks has it: there are libraries for it in most languages.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Shorter ones can be found by trying. */
export const shortestWebhookSecret = 16;

/** The headers that carry a signature. */
export const signatureHeaders = {
  id: 'webhook-id',
  timestamp: 'webhook-timestamp',
  signature: 'webhook-signature',
} as const;

/** What is signed. */
export interface SignedParts {
  /** Of the request: never used twice, and repeated by its answer. */
  readonly id: string;
  /** Seconds since 1970, as digits. */
  readonly timestamp: string;
  readonly body: string | Buffer;
}

/** `v1,` and the HMAC-SHA256 of the parts with dots between them, in base64. */
export function signatureOf(secret: string, { id, timestamp, body }: SignedParts): string {
  const hmac = createHmac('sha256', keyOf(secret));
  return `v1,${hmac.update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** Whether one of the signatures in the header is that of the parts: while a secret is renewed there may be two. */
export function isSignedBy(secret: string, parts: SignedParts, header: string): boolean {
  const expected = Buffer.from(signatureOf(secret, parts));
  return header.split(' ').some((found) => {
    const bytes = Buffer.from(found);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
}
