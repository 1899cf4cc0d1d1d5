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

export class Front {
  readonly #onApplied: (applied: AppliedWrite) => void;
  #doorkeeper: Doorkeeper = (_request, _write, serve) => serve();

  constructor(onApplied: (applied: AppliedWrite) => void) {
    this.#onApplied = onApplied;
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
      const response = await server(request);
      this.#onApplied({ user: request.user, write, status: response.status });
      return response;
    });
  }
}
