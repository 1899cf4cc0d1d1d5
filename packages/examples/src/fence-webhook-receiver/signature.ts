// Whether a request comes from Liberator, now, and for the first time; and the same said of the answer.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Verified {
  readonly outcome: 'verified';
  readonly body: string;
  /** Headers that vouch for an answer to this request, and to no other. */
  sign(answer: string): Readonly<Record<string, string>>;
}

export type Verdict =
  | Verified
  | { readonly outcome: 'refused'; readonly status: 400 | 401 | 408 | 409 | 413; readonly why: string };

const longestBody = 65_536;

/**
 * `webhook-signature` is `v1,` and the base64 of an HMAC-SHA256 over `webhook-id`, `webhook-timestamp` and the body, with dots
 * between them: as Standard Webhooks has it.
 */
export function startVerifier(
  secrets: () => Promise<readonly string[]>,
  maxAgeMs: number,
): (request: IncomingMessage) => Promise<Verdict> {
  // Ids of the requests that are young enough to be played again.
  const seen = new Map<string, number>();
  // What was signed before we started may have been answered by the process before us, which took its list along.
  const startedAt = Date.now();
  return async (request) => {
    const body = await bodyOf(request);
    if (body === undefined) return { outcome: 'refused', status: 413, why: 'too long' };
    const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((name) => {
      const value = request.headers[`webhook-${name}`];
      return typeof value === 'string' ? value : '';
    }) as [string, string, string];
    if (!/^[\w-]{1,64}$/.test(id) || !/^\d{1,12}$/.test(timestamp)) {
      return { outcome: 'refused', status: 400, why: 'not signed' };
    }
    const secret = (await secrets()).find((one) => isSigned(one, id, timestamp, body, signature));
    if (secret === undefined) return { outcome: 'refused', status: 401, why: 'signed by another secret' };
    const now = Date.now();
    const signedAt = Number(timestamp) * 1_000;
    if (Math.abs(now - signedAt) > maxAgeMs || signedAt < startedAt - 1_000) {
      return { outcome: 'refused', status: 408, why: 'too old, or the clocks differ' };
    }
    for (const [old, at] of seen) if (now - at > 2 * maxAgeMs) seen.delete(old);
    if (seen.has(id)) return { outcome: 'refused', status: 409, why: 'this very request was there before' };
    seen.set(id, now);
    return {
      outcome: 'verified',
      body,
      sign(answer) {
        const at = String(Math.floor(Date.now() / 1_000));
        return {
          'webhook-id': id,
          'webhook-timestamp': at,
          'webhook-signature': signatureOf(secret, id, at, answer),
        };
      },
    };
  };
}

function isSigned(secret: string, id: string, timestamp: string, body: string, header: string): boolean {
  const expected = Buffer.from(signatureOf(secret, id, timestamp, body));
  return header.split(' ').some((one) => {
    const found = Buffer.from(one);
    return found.length === expected.length && timingSafeEqual(found, expected);
  });
}

export function signatureOf(secret: string, id: string, timestamp: string, body: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
