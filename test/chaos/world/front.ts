// Stands right before the simulated API server: sees which writes are applied, and lets somebody interfere.
import type { ApiHandler, ApiRequest, ApiResponse } from '@liberator/simulator';
import { type Write, writeOf } from './writes.ts';

/** A write that reached the server, and what it said. */
export interface AppliedWrite {
  readonly user: string;
  readonly write: Write;
  readonly status: number;
}

/**
 * Decides at the server's door what becomes of a write: whether it is served, and whether the answer goes back. Throwing
 * `NoAnswer` leaves the sender without one.
 */
export type Doorkeeper = (
  request: ApiRequest,
  write: Write,
  serve: () => Promise<ApiResponse>,
) => Promise<ApiResponse>;

/** The server's own admission: why it refuses a write; undefined when it does not. */
export type Admission = (write: Write, body: string | undefined) => string | undefined;

export class Front {
  readonly #onApplied: (applied: AppliedWrite) => void;
  readonly #admit: Admission;
  #doorkeeper: Doorkeeper = (_request, _write, serve) => serve();

  constructor(onApplied: (applied: AppliedWrite) => void, admit: Admission = () => undefined) {
    this.#onApplied = onApplied;
    this.#admit = admit;
  }

  /** Replaces whoever stood there before. */
  guard(doorkeeper: Doorkeeper): void {
    this.#doorkeeper = doorkeeper;
  }

  /** To be put before the server. */
  before(server: ApiHandler): ApiHandler {
    return (request) => this.#handle(server, request);
  }

  async #handle(server: ApiHandler, request: ApiRequest): Promise<ApiResponse> {
    const write = writeOf(request);
    if (write === undefined) return server(request);
    return this.#doorkeeper(request, write, async () => {
      const refusal = this.#admit(write, request.body);
      const response = refusal === undefined ? await server(request) : forbidden(refusal);
      this.#onApplied({ user: request.user, write, status: response.status });
      return response;
    });
  }
}

function forbidden(message: string): ApiResponse {
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'Forbidden',
    code: 403,
    message,
  };
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(JSON.stringify(status));
  }
  return { status: 403, headers: { 'content-type': 'application/json' }, body: body() };
}
