// What a request and its answer are to the embedded API server, whether they came through a socket or not.

/** A request whose sender is known. */
export interface ApiRequest {
  /** The HTTP method. */
  readonly method: string;
  /** Path and query, percent-encoded. */
  readonly path: string;
  /** Who asks. */
  readonly user: string;
  /** Whom the sender asks to be taken for, as `kubectl --as` does. */
  readonly impersonates?: string;
  /** With which program. */
  readonly userAgent?: string;
  /** Of the body. */
  readonly contentType?: string;
  /** JSON text. */
  readonly body?: string;
  /** Aborts when the sender has gone: ends watches. */
  readonly signal: AbortSignal;
  /** Answers a list from the state at this resourceVersion, whatever the request asks for. Faults use it. */
  readonly staleAt?: number;
}

/** The answer: its head at once, its body as it comes. */
export interface ApiResponse {
  /** The HTTP status. */
  readonly status: number;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Its bytes as they come. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The embedded API server, or something in front of it.
 *
 * @throws {@link NoAnswer} when the connection breaks instead. Nothing else is thrown.
 */
export type ApiHandler = (request: ApiRequest) => Promise<ApiResponse>;

/** Thrown by a handler, or by the body of its answer, where the sender sees a broken connection. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  readonly code = 'LIBERATOR_SIMULATED_NO_ANSWER';
  /** False when the request itself did not reach the server. */
  readonly sent: boolean;

  constructor(message: string, options: { sent: boolean }) {
    super(message);
    this.sent = options.sent;
  }
}

const encoder = new TextEncoder();

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** An answer of JSON. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  return textResponse(status, `${JSON.stringify(value)}\n`, {
    'content-type': 'application/json',
    ...headers,
  });
}

/** An answer whose body is known as a whole. */
export function textResponse(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): ApiResponse {
  const bytes = bytesOf(text);
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(bytes.length),
      ...headers,
    },
    body: once(bytes),
  };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
