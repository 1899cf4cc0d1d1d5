// Stands before the simulated API server and gives its clients bad weather: late, lost, refused and outdated answers.
import { type Clock, type Random, sleep, TransportError } from '@liberator/core';
import type { ApiHandler, ApiRequest, ApiResponse } from '@liberator/simulator';
import { type Write, writeOf } from './writes.ts';

/** One kind of bad weather, while it lasts. */
export interface Trouble {
  readonly kind:
    | 'down'
    | 'slow'
    | 'late'
    | 'too-many-requests'
    | 'server-error'
    | 'conflict'
    | 'lost-request'
    | 'lost-answer'
    | 'stalled-watch'
    | 'stale-list';
  /** Whom it strikes; undefined for everybody. */
  readonly user: string | undefined;
  /** In how many of its requests, from 0 to 1. */
  readonly share: number;
  /** For `slow` and `late`: how long at most. */
  readonly delayMs: number;
  /** For `stale-list`: the state that lists show. */
  readonly staleAt: number;
}

/** A write that reached the server, and what it said. */
export interface AppliedWrite {
  readonly user: string;
  readonly write: Write;
  readonly status: number;
}

export class Front {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onApplied: (applied: AppliedWrite) => void;
  readonly #troubles = new Set<Trouble>();

  constructor(options: { clock: Clock; random: Random; onApplied: (applied: AppliedWrite) => void }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onApplied = options.onApplied;
  }

  begin(trouble: Trouble): void {
    this.#troubles.add(trouble);
  }

  end(trouble: Trouble): void {
    this.#troubles.delete(trouble);
  }

  clear(): void {
    this.#troubles.clear();
  }

  /** To be put before the server. */
  before(server: ApiHandler): ApiHandler {
    return (request) => this.#handle(server, request);
  }

  async #handle(server: ApiHandler, request: ApiRequest): Promise<ApiResponse> {
    const write = writeOf(request);
    const isWatch = /[?&]watch=(true|1)/.test(request.path);
    if (this.#strikes('down', request)) throw new TransportError('connection refused', { sent: false });
    if (this.#strikes('too-many-requests', request)) {
      return failure(429, 'TooManyRequests', { 'retry-after': '1' });
    }
    if (this.#strikes('server-error', request)) return failure(503, 'ServiceUnavailable');
    if (this.#strikes('lost-request', request))
      throw new TransportError('the connection broke', { sent: true });
    if (write !== undefined && write.kind !== 'election' && this.#strikes('conflict', request)) {
      return failure(409, 'Conflict');
    }
    const slow = this.#strikes('slow', request);
    if (slow !== undefined) await sleep(this.#clock, this.#random.next() * slow.delayMs, request.signal);
    // On its way when its sender gives up, and it arrives all the same.
    const late = write === undefined ? undefined : this.#strikes('late', request);
    if (late !== undefined) await sleep(this.#clock, this.#random.next() * late.delayMs);
    const stale = isWatch || write !== undefined ? undefined : this.#strikes('stale-list', request);

    const arrived = late === undefined ? request : { ...request, signal: new AbortController().signal };
    const response = await server(stale === undefined ? arrived : { ...arrived, staleAt: stale.staleAt });
    if (write !== undefined) this.#onApplied({ user: request.user, write, status: response.status });

    if (this.#strikes('lost-answer', request))
      throw new TransportError('the connection broke', { sent: true });
    if (slow !== undefined) await sleep(this.#clock, this.#random.next() * slow.delayMs, request.signal);
    return isWatch ? { ...response, body: this.#stalling(response.body, request) } : response;
  }

  /** A stalled watch stays stalled: only a new one sees what it missed. */
  async *#stalling(body: AsyncIterable<Uint8Array>, request: ApiRequest): AsyncGenerator<Uint8Array> {
    let stalled = false;
    for await (const chunk of body) {
      stalled ||= this.#strikes('stalled-watch', request) !== undefined;
      if (!stalled) yield chunk;
    }
  }

  #strikes(kind: Trouble['kind'], { user }: ApiRequest): Trouble | undefined {
    for (const trouble of this.#troubles) {
      const meant = trouble.kind === kind && (trouble.user === undefined || trouble.user === user);
      if (meant && this.#random.next() < trouble.share) return trouble;
    }
    return undefined;
  }
}

function failure(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): ApiResponse {
  const text = JSON.stringify({
    kind: 'Status',
    status: 'Failure',
    code,
    reason,
    message: `simulated ${reason}`,
  });
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text);
  };
  return { status: code, headers: { 'content-type': 'application/json', ...headers }, body: body() };
}
