// The narrow waist between this library and an API server: real HTTP and the simulator's in-memory one both fit it.

/** One HTTP request to an API server, already addressed but not yet bound to a host or to credentials. */
export interface TransportRequest {
  /** The HTTP method. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path with its query string, percent-encoded: `/api/v1/nodes?limit=100`. */
  readonly path: string;
  /** JSON text. Absent for GET, and for a DELETE without options. */
  readonly body?: string;
  /** Default `application/json`; patches name their own. */
  readonly contentType?: string;
  /** Aborting works at any moment, before the connection exists included: the promise rejects, the body ends in error. */
  readonly signal: AbortSignal;
  /**
   * Called synchronously right before the first byte may leave. A transport that throws out of it sends nothing: that
   * is where a leader's term is checked for the last time.
   */
  readonly beforeSend?: () => void;
  /**
   * Called with what a person is waited for, such as a login: time limits do not count until it settles. Returns what it
   * was given.
   */
  readonly untimed?: <T>(work: Promise<T>) => Promise<T>;
  /**
   * Called with the wait for a connection, where a transport lets only so many requests go at once: the time limit for
   * the server's answer begins when it settles, the one for the whole call goes on. Returns what it was given.
   */
  readonly queued?: <T>(work: Promise<T>) => Promise<T>;
  /**
   * Waits behind nothing, on a connection that others don't share meanwhile: for watches, which last, and for the
   * election's renewals, which must not wait. Default false.
   */
  readonly direct?: boolean;
  /**
   * Once the answer has no more to read for the moment, none of it is read for so many milliseconds: what comes in many
   * small pieces then costs a waking for each rest and not for each piece. Default: no rests.
   */
  readonly restMs?: number;
}

/** The head of the answer; the body streams. */
export interface TransportResponse {
  /** The HTTP status. */
  readonly status: number;
  /** `Retry-After`, in milliseconds, when the server sent one. */
  readonly retryAfterMs?: number;
  /** Raw bytes as they arrive. Must be read to its end or cancelled by aborting the request's signal. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Sends requests to one API server with one identity. It knows nothing of Kubernetes beyond credentials, and it sets
 * no timeouts of its own but the one for connecting: those belong to the client, on the injected clock.
 */
export interface Transport {
  /** How many requests go at once, those that are `direct` not counted; others wait their turn. Absent: as many as there are. */
  readonly maxConnections?: number;
  /**
   * Resolves as soon as the response head is there, whatever its status.
   *
   * @throws {@link TransportError} when there is no answer: refused, reset, TLS, name resolution, connect timeout.
   */
  send(request: TransportRequest): Promise<TransportResponse>;
  /** Ends every request under way and frees all connections. Idempotent. */
  close(): Promise<void>;
}

/** Thrown when a request got no answer at all. Whether the server acted on it is unknown unless `sent` is false. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code = 'LIBERATOR_NO_ANSWER';
  /** False only when it is certain that no byte of the request reached the server. */
  readonly sent: boolean;

  constructor(message: string, options: { cause?: unknown; sent: boolean }) {
    super(message, { cause: options.cause });
    this.sent = options.sent;
  }
}
