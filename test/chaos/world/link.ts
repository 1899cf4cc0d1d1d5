// The way from one replica to the API server: it can be cut so that nothing comes back, or so that connecting is refused.
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from '@liberator/core';
import type { ProcessGate } from './process-gate.ts';

/** Shared by all connections of a replica, and by all of its lives. */
export class Link {
  #state: 'up' | 'silent' | 'refusing' = 'up';
  /** Grows with each cut: no connection survives one. */
  #cuts = 0;
  readonly #healed: (() => void)[] = [];

  get state(): 'up' | 'silent' | 'refusing' {
    return this.#state;
  }

  get cuts(): number {
    return this.#cuts;
  }

  cut(how: 'silent' | 'refusing'): void {
    this.#state = how;
    this.#cuts++;
  }

  heal(): void {
    this.#state = 'up';
    for (const resolve of this.#healed.splice(0)) resolve();
  }

  /** Passes when nothing was cut since `cuts`; else hangs as packets that are dropped do, and breaks after the cut. */
  async pass(cuts: number, signal: AbortSignal): Promise<void> {
    if (this.#cuts === cuts) return;
    if (this.#state === 'silent') await this.#heal(signal);
    throw new TransportError('the connection broke', { sent: true });
  }

  /** Lets a new connection through, or not. */
  async open(signal: AbortSignal): Promise<void> {
    if (this.#state === 'refusing') throw new TransportError('connection refused', { sent: false });
    if (this.#state === 'silent') {
      await this.#heal(signal);
      throw new TransportError('the connection timed out', { sent: false });
    }
  }

  #heal(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      this.#healed.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }
}

export interface LinkedTransportOptions {
  readonly inner: Transport;
  readonly link: Link;
  readonly gate: ProcessGate;
}

/** A transport over a {@link Link}, whose deliveries wait while the process doesn't run. */
export class LinkedTransport implements Transport {
  readonly #options: LinkedTransportOptions;

  constructor(options: LinkedTransportOptions) {
    this.#options = options;
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const { inner, link, gate } = this.#options;
    try {
      await link.open(request.signal);
      const cuts = link.cuts;
      const response = await inner.send(request);
      await link.pass(cuts, request.signal);
      await gate.passage();
      return { ...response, body: this.#body(response.body, cuts, request.signal) };
    } catch (error) {
      await gate.passage();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#options.inner.close();
  }

  async *#body(
    body: AsyncIterable<Uint8Array>,
    cuts: number,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const { link, gate } = this.#options;
    try {
      for await (const chunk of body) {
        await link.pass(cuts, signal);
        await gate.passage();
        yield chunk;
      }
      await link.pass(cuts, signal);
    } finally {
      await gate.passage();
    }
  }
}

/** A transport that tells which requests leave, at the moment at which they do. */
export function recording(inner: Transport, onSend: (request: TransportRequest) => void): Transport {
  return {
    send: (request) =>
      inner.send({
        ...request,
        beforeSend: () => {
          request.beforeSend?.();
          onSend(request);
        },
      }),
    close: () => inner.close(),
  };
}
