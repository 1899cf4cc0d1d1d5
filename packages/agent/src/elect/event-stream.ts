// Server-sent events to any number of readers, but no more than fit: the slow are dropped, never waited for.
import type { ServerResponse } from 'node:http';
import { type Clock, systemClock, type TimerHandle } from '@liberator/core';

export interface EventStreamOptions {
  /** What a reader is told at once. */
  readonly current: () => string;
  /** Default 5,000 ms: what a reader hears when nothing changes, so that silence means something. */
  readonly heartbeatMs?: number;
  /** Default 64. Whoever comes later is refused. */
  readonly mostReaders?: number;
  /** How many bytes may wait for one reader, beyond what the kernel holds. Default 16,384. */
  readonly longestBacklogBytes?: number;
  readonly clock?: Clock;
}

/** How soon a reader that lost its connection is to try again. */
const reconnectMs = 1_000;

export class EventStream implements Disposable {
  readonly #current: () => string;
  readonly #heartbeatMs: number;
  readonly #mostReaders: number;
  readonly #longestBacklogBytes: number;
  readonly #clock: Clock;
  readonly #readers = new Set<ServerResponse>();
  #heartbeat: TimerHandle | undefined;

  constructor(options: EventStreamOptions) {
    this.#current = options.current;
    this.#heartbeatMs = options.heartbeatMs ?? 5_000;
    this.#mostReaders = options.mostReaders ?? 64;
    this.#longestBacklogBytes = options.longestBacklogBytes ?? 16_384;
    this.#clock = options.clock ?? systemClock;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Takes a new reader in. */
  open(response: ServerResponse): void {
    if (this.#readers.size >= this.#mostReaders) {
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' });
      response.end(`There are ${this.#mostReaders} readers already, which is all that fit.\n`);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.once('close', () => this.#readers.delete(response));
    // It has hung up, and "close" says so too.
    response.on('error', () => undefined);
    this.#readers.add(response);
    this.#send(response, `retry: ${reconnectMs}\n${eventOf(this.#current())}`);
    this.#heartbeat ??= this.#beatLater();
  }

  /** @param data one line */
  publish(data: string): void {
    this.#sendAll(eventOf(data));
  }

  /** Says good-bye to everybody who listens. */
  [Symbol.dispose](): void {
    this.#clock.clearTimeout(this.#heartbeat);
    for (const reader of this.#readers) reader.end();
  }

  #beatLater(): TimerHandle {
    return this.#clock.setTimeout(() => {
      this.#sendAll(': still here\n\n');
      this.#heartbeat = this.#readers.size > 0 ? this.#beatLater() : undefined;
    }, this.#heartbeatMs);
  }

  #sendAll(text: string): void {
    for (const reader of this.#readers) this.#send(reader, text);
  }

  #send(reader: ServerResponse, text: string): void {
    reader.write(text);
    if (reader.writableLength <= this.#longestBacklogBytes) return;
    this.#readers.delete(reader);
    reader.destroy();
  }
}

function eventOf(data: string): string {
  return `data: ${data}\n\n`;
}
