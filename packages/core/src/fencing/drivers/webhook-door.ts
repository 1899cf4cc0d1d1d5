// The way to one webhook, for one answer of the driver: the secret as it is now, each request signed, each answer held against it.
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { parseRetryAfter } from '../../kubernetes/retry-after.ts';
import type { Clock } from '../../time/clock.ts';
import { SecretError, type Secrets } from '../secrets.ts';
import { trustIn } from './ca-file.ts';
import { Trouble } from './device-trouble.ts';
import { exchange, type Headers, type RawAnswer } from './http-exchange.ts';
import { isSignedBy, shortestWebhookSecret, signatureHeaders, signatureOf } from './webhook-signature.ts';

export interface WebhookDoorOptions {
  readonly origin: string;
  /** Files. */
  readonly secret: string;
  readonly ca: string | undefined;
  readonly answers: 'signed' | 'tls';
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly requestTimeoutMs: number;
  /** When the driver has to have answered, as the clock has it. */
  readonly until: number;
}

/** What a receiver that could be asked has answered. */
export interface WebhookAnswer {
  readonly body: Buffer;
  /** It was taken and is under way: 202. */
  readonly accepted: boolean;
  /** Where it can be asked how far that is; absent when it says nothing of it. */
  readonly location?: string;
  readonly retryAfterMs: number | undefined;
}

export interface Posting {
  readonly idempotencyKey?: string;
  /** Called at the moment at which the first byte would leave: what it throws keeps it here. */
  readonly beforeSend?: () => void;
}

export class WebhookDoor implements AsyncDisposable {
  readonly #options: WebhookDoorOptions;
  readonly #pool: Pool;
  #secret: string;

  private constructor(options: WebhookDoorOptions, pool: Pool, secret: string) {
    this.#options = options;
    this.#pool = pool;
    this.#secret = secret;
  }

  /** @throws {@link Trouble} when a file can't be used. */
  static async open(options: WebhookDoorOptions): Promise<WebhookDoor> {
    const secret = await secretOf(options);
    const { origin, ca, requestTimeoutMs: timeout } = options;
    const secureContext = ca === undefined ? undefined : await trustIn(ca);
    const pool = new Pool(origin, {
      connections: 2,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: { timeout, ...(secureContext !== undefined && { secureContext }) },
    });
    return new WebhookDoor(options, pool, secret);
  }

  /** Ends every request that is still under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  /** Rejects with a {@link Trouble} for whatever is no answer, or with what `beforeSend` threw. */
  async post(path: string, body: string, posting: Posting = {}): Promise<WebhookAnswer> {
    return this.#send('POST', path, body, posting);
  }

  /** Asks how far it is. */
  async get(path: string): Promise<WebhookAnswer> {
    return this.#send('GET', path, '', {});
  }

  async #send(method: 'GET' | 'POST', path: string, body: string, posting: Posting): Promise<WebhookAnswer> {
    const { origin, clock, signal, until, requestTimeoutMs } = this.#options;
    const id = randomUUID();
    const timestamp = String(Math.floor(clock.wallTime() / 1_000));
    const { idempotencyKey, beforeSend } = posting;
    const answer = await exchange({
      dispatcher: this.#pool,
      clock,
      signal,
      timeoutMs: Math.max(1, Math.min(requestTimeoutMs, until - clock.now())),
      request: {
        origin,
        path,
        method,
        headers: {
          accept: 'application/json',
          'accept-encoding': 'identity',
          'user-agent': 'liberator',
          [signatureHeaders.id]: id,
          [signatureHeaders.timestamp]: timestamp,
          [signatureHeaders.signature]: signatureOf(this.#secret, { id, timestamp, body }),
          ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
          ...(method === 'POST' && { 'content-type': 'application/json' }),
        },
        ...(method === 'POST' && { body }),
      },
      ...(beforeSend !== undefined && { beforeSend }),
    });
    const wrong = wrongOf(answer);
    if (wrong?.status === 401 && (await this.#isRenewed()))
      throw new Trouble(wrong.message, { kind: 'access' });
    if (wrong !== undefined) throw wrong;
    this.#mustBeSigned(id, answer);
    const { status, headers } = answer;
    const location = status === 202 ? this.#within(path, headers['location']) : undefined;
    return {
      body: answer.body,
      accepted: status === 202,
      retryAfterMs: parseRetryAfter(headers),
      ...(location !== undefined && { location }),
    };
  }

  /** The id is that of this request alone, so no earlier answer fits. What the receiver's clock shows counts for nothing. */
  #mustBeSigned(id: string, { headers, body }: RawAnswer): void {
    if (this.#options.answers === 'tls') return;
    const [timestamp, signature] = [
      textOf(headers, signatureHeaders.timestamp),
      textOf(headers, signatureHeaders.signature),
    ];
    if (signature === '') throw new Trouble('its answer is not signed', { kind: 'access' });
    const isOurs = textOf(headers, signatureHeaders.id) === id;
    if (!isOurs || !isSignedBy(this.#secret, { id, timestamp, body }, signature)) {
      throw new Trouble('its answer is not signed by our secret', { kind: 'access' });
    }
  }

  #within(base: string, location: unknown): string | undefined {
    if (location === undefined) return undefined;
    const { origin } = this.#options;
    const url = typeof location === 'string' ? URL.parse(location, `${origin}${base}`) : null;
    if (url?.origin !== origin || url.username !== '' || url.password !== '') {
      throw new Trouble('it is to be asked again at another host, which is not followed', {
        permanent: true,
      });
    }
    return `${url.pathname}${url.search}`;
  }

  /** A 401 while a Secret is renewed is no refusal. */
  async #isRenewed(): Promise<boolean> {
    const before = this.#secret;
    this.#secret = await secretOf(this.#options);
    return this.#secret !== before;
  }
}

/** Asking again may come to something else. */
const passing: ReadonlySet<number> = new Set([408, 409, 423, 425, 429]);

/** The trouble that an answer is; undefined for a success. */
function wrongOf({ status, headers, broken }: RawAnswer): Trouble | undefined {
  if (status >= 200 && status < 300) return broken;
  if (status >= 300 && status < 400) {
    return new Trouble(`it redirects (${status}), which is not followed`, { permanent: true, status });
  }
  if (status === 401) {
    return new Trouble('it does not take our signature (401)', { kind: 'access', permanent: true, status });
  }
  if (status === 403)
    return new Trouble('it lets us do nothing (403)', { kind: 'access', permanent: true, status });
  const permanent = status < 500 && !passing.has(status);
  const retryAfterMs = status === 429 || status === 503 ? parseRetryAfter(headers) : undefined;
  return new Trouble(`it answers ${status}`, { permanent, status, retryAfterMs });
}

async function secretOf({ secrets, secret: file }: WebhookDoorOptions): Promise<string> {
  try {
    const secret = await secrets.read(file);
    if (secret.length >= shortestWebhookSecret) return secret;
    throw new SecretError(`${file} holds fewer than ${shortestWebhookSecret} characters`);
  } catch (error) {
    if (!(error instanceof SecretError)) throw error;
    // Kubernetes replaces files of a Secret while it is renewed, and mounts late what is optional.
    throw new Trouble(error.message, { kind: 'access' });
  }
}

function textOf(headers: Headers, name: string): string {
  const found = headers[name];
  return typeof found === 'string' ? found : '';
}
