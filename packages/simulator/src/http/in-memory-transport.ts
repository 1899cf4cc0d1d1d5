// The API server without a socket: the library's real clients run on it unchanged, and on virtual time.
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@liberator/core';
import { Interruption } from './interruption.ts';
import { type ApiHandler, type ApiRequest, NoAnswer } from './request.ts';

/** Options of {@link createInMemoryTransport}. */
export interface InMemoryTransportOptions {
  /** Whom the audit log names. Default `system:anonymous`. */
  readonly user?: string;
  readonly userAgent?: string;
}

/** A {@link Transport} straight into a handler, with one identity. */
export function createInMemoryTransport(
  handler: ApiHandler,
  options: InMemoryTransportOptions = {},
): Transport {
  return new InMemoryTransport(handler, options);
}

/** Made once: an abort without a reason makes an exception with a stack each time, which is a tenth of a long run. */
const ended = new TransportError('expected an exchange under way, found it ended', { sent: true });

class InMemoryTransport implements Transport {
  readonly #handler: ApiHandler;
  readonly #user: string;
  readonly #userAgent: string | undefined;
  readonly #open = new Set<AbortController>();
  #closed = false;

  constructor(handler: ApiHandler, { user = 'system:anonymous', userAgent }: InMemoryTransportOptions) {
    this.#handler = handler;
    this.#user = user;
    this.#userAgent = userAgent;
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    if (this.#closed)
      throw new TransportError('expected an open transport, found a closed one', { sent: false });
    request.signal.throwIfAborted();
    request.beforeSend?.();
    const connection = new AbortController();
    const follow = (): void => connection.abort(request.signal.reason);
    request.signal.addEventListener('abort', follow, { once: true });
    this.#open.add(connection);
    const interruption = new Interruption(connection.signal);
    const done = (whole: boolean): void => {
      request.signal.removeEventListener('abort', follow);
      this.#open.delete(connection);
      // The server side must not go on for nobody; one that has said everything has nothing to stop.
      if (!whole) connection.abort(ended);
    };
    try {
      const response = await interruption.unless(this.#handler(this.#requestOf(request, connection.signal)));
      const retryAfterMs = retryAfterOf(response.headers);
      return {
        status: response.status,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        body: bodyOf(response.body, interruption, done),
      };
    } catch (error) {
      done(false);
      throw asTransportError(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const reason = new TransportError('expected an answer, found the transport closed', { sent: true });
    for (const connection of this.#open) connection.abort(reason);
    this.#open.clear();
  }

  #requestOf({ method, path, body, contentType }: TransportRequest, signal: AbortSignal): ApiRequest {
    return {
      method,
      path,
      user: this.#user,
      signal,
      ...(this.#userAgent === undefined ? {} : { userAgent: this.#userAgent }),
      ...(body === undefined ? {} : { body, contentType: contentType ?? 'application/json' }),
    };
  }
}

function asTransportError(error: unknown): unknown {
  return error instanceof NoAnswer
    ? new TransportError(error.message, { cause: error, sent: error.sent })
    : error;
}

/** Seconds, or a date; only the former comes from this server. */
function retryAfterOf(headers: Readonly<Record<string, string>>): number | undefined {
  const text = headers['retry-after'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
}

async function* bodyOf(
  body: AsyncIterable<Uint8Array>,
  interruption: Interruption,
  done: (whole: boolean) => void,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let whole = false;
  try {
    for (;;) {
      const next = await interruption.unless(chunks.next());
      whole = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } catch (error) {
    throw asTransportError(error);
  } finally {
    done(whole);
    // Not awaited: a stream that is silent for ever would hold up whoever hangs up on it.
    if (!whole) void chunks.return?.().catch(() => {});
  }
}
