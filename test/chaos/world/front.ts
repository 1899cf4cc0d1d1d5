// Stands right before the simulated API server: sees which writes are applied, and brings some of them late.
import { type Clock, type Random, sleep } from '@liberator/core';
import type { ApiHandler, ApiRequest, ApiResponse } from '@liberator/simulator';
import { type Write, writeOf } from './writes.ts';

/** A write that reached the server, and what it said. */
export interface AppliedWrite {
  readonly user: string;
  readonly write: Write;
  readonly status: number;
}

/** Writes stay on their way for a while, and arrive even when their sender has given up. */
export interface Lateness {
  /** Whose writes; undefined for everybody's. */
  readonly user: string | undefined;
  /** How many of them, from 0 to 1. */
  readonly share: number;
  readonly atMostMs: number;
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
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onApplied: (applied: AppliedWrite) => void;
  #lateness: Lateness | undefined;
  #doorkeeper: Doorkeeper = (_request, _write, serve) => serve();

  constructor(options: { clock: Clock; random: Random; onApplied: (applied: AppliedWrite) => void }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onApplied = options.onApplied;
  }

  /** Undefined ends it. */
  delayWrites(lateness: Lateness | undefined): void {
    this.#lateness = lateness;
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
    const { user } = request;
    const late = this.#lateness;
    const meant = late !== undefined && (late.user === undefined || late.user === user);
    const isLate = meant && this.#random.next() < late.share;
    if (isLate) await sleep(this.#clock, this.#random.next() * late.atMostMs);
    const arriving = isLate ? { ...request, signal: new AbortController().signal } : request;
    return this.#doorkeeper(request, write, async () => {
      const response = await server(arriving);
      this.#onApplied({ user, write, status: response.status });
      return response;
    });
  }
}
