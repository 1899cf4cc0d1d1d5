// What an answer of a Redfish service means, before anybody looks into what it is about.
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { parseRetryAfter } from '../../kubernetes/retry-after.ts';
import { Trouble } from './device-trouble.ts';
import type { Headers, RawAnswer } from './http-exchange.ts';

/** Of what comes compressed. */
const longestBodyBytes = 4_194_304;

/** What came of a POST; the statuses that are the caller's business included. */
export interface Posted {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where there is none that can be read. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

/** The trouble that an answer is; undefined for a success. */
export function wrongOf(
  answer: Pick<RawAnswer, 'status' | 'headers'> & { readonly broken?: Trouble },
  what: string,
): Trouble | undefined {
  const { status, headers, broken } = answer;
  if (status >= 200 && status < 300) return broken;
  const said = `answered ${what} ${status}`;
  if (status === 401) {
    return new Trouble('refuses the username or the password (401)', {
      kind: 'access',
      permanent: true,
      status,
    });
  }
  if (status === 403)
    return new Trouble(`${said}: the account may not`, { kind: 'access', permanent: true, status });
  if (status === 429 || status === 503) {
    return new Trouble(`${said}: it is busy`, { retryAfterMs: parseRetryAfter(headers) ?? 5_000, status });
  }
  return new Trouble(said, { status });
}

/** Where an answer points to; undefined when it is no redirect. */
export function redirectOf(
  { status, headers }: Pick<RawAnswer, 'status' | 'headers'>,
  statuses: readonly number[],
): string | undefined {
  if (!statuses.includes(status)) return undefined;
  const { location } = headers;
  return typeof location === 'string' ? location : '';
}

const unzip = promisify(gunzip);

/** Undefined when it is none; some controllers compress whether they are asked to or not. */
export async function jsonOf({ headers, body, broken }: RawAnswer): Promise<Posted['body']> {
  if (broken !== undefined) return undefined;
  try {
    const plain =
      headers['content-encoding'] === 'gzip'
        ? await unzip(body, { maxOutputLength: longestBodyBytes })
        : body;
    const found: unknown = JSON.parse(plain.toString('utf8'));
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
