// The API server on a real socket, for programs that run in another process and for tests of real transports.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@liberator/core';
import { StatusError } from '../store/status-error.ts';
import { failure } from './handler.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, NoAnswer } from './request.ts';

/** Options of {@link startHttpServer}. */
export interface HttpServerOptions {
  readonly handler: ApiHandler;
  /** Default 0: any free port. The server listens on 127.0.0.1 only. */
  readonly port?: number;
  /**
   * Who a bearer token stands for. Requests without a token, or with one that isn't here, are `system:anonymous`
   * unless `anonymous` is false.
   */
  readonly tokens?: ReadonlyMap<string, string>;
  /** Whether strangers are let in; default true. If not, they get 401. */
  readonly anonymous?: boolean;
}

/** A running server. */
export interface HttpServer {
  /** `http://127.0.0.1:40123`. */
  readonly url: string;
  /** On which it listens. */
  readonly port: number;
  /** Refuses new connections and breaks those that there are, as a crashed server would. */
  stopListening(): Promise<void>;
  /** Listens again, on the same port. */
  listenAgain(): Promise<void>;
  /** Ends all watches, lets the other requests finish for a moment, then frees everything. Idempotent. */
  close(): Promise<void>;
}

/** A watcher that takes nothing for this long is cut off. */
const stuckClientMs = 60_000;
/** How long requests under way may still take when the server closes. */
const closeGraceMs = 2_000;
/** What the real server takes. */
const longestBodyBytes = 3 * 1024 * 1024;

/** Serves `handler` on 127.0.0.1. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const exchanges = new Set<AbortController>();
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const exchange = new AbortController();
    exchanges.add(exchange);
    response.once('close', () => {
      exchange.abort();
      exchanges.delete(exchange);
    });
    void serve(options, request, response, exchange.signal);
  });
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async stopListening() {
      const stopped = stop(server);
      server.closeAllConnections();
      await stopped;
    },
    listenAgain: () => listen(server, port),
    close() {
      closing ??= closeGracefully(server, exchanges);
      return closing;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function stop(server: Server): Promise<void> {
  return server.listening ? new Promise((resolve) => server.close(() => resolve())) : Promise.resolve();
}

async function closeGracefully(server: Server, exchanges: ReadonlySet<AbortController>): Promise<void> {
  const stopped = stop(server);
  for (const exchange of exchanges) exchange.abort();
  server.closeIdleConnections();
  const grace = systemClock.setTimeout(() => server.closeAllConnections(), closeGraceMs);
  await stopped;
  systemClock.clearTimeout(grace);
}

async function serve(
  options: HttpServerOptions,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  try {
    const request = await readRequest(options, incoming, signal);
    const response = request instanceof StatusError ? failure(request) : await options.handler(request);
    await send(response, outgoing, signal);
  } catch (error) {
    // A reset is what a client sees of a crash, of a cut cable's firewall, and of a bug in here.
    incoming.socket.resetAndDestroy();
    if (!(error instanceof NoAnswer) && !signal.aborted) throw error;
  }
}

async function readRequest(
  { tokens = new Map(), anonymous = true }: HttpServerOptions,
  incoming: IncomingMessage,
  signal: AbortSignal,
): Promise<ApiRequest | StatusError> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= longestBodyBytes) chunks.push(chunk);
  }
  if (length > longestBodyBytes) {
    return new StatusError(
      413,
      'RequestEntityTooLarge',
      `Request entity too large: limit is ${longestBodyBytes}`,
    );
  }
  const token = /^Bearer (.+)$/i.exec(incoming.headers.authorization ?? '')?.[1];
  const user = token === undefined ? undefined : tokens.get(token);
  if (user === undefined && !anonymous) return new StatusError(401, 'Unauthorized', 'Unauthorized');
  const { 'content-type': contentType, 'user-agent': userAgent } = incoming.headers;
  const impersonates = incoming.headers['impersonate-user'];
  return {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    user: user ?? 'system:anonymous',
    signal,
    ...(typeof impersonates === 'string' ? { impersonates } : {}),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(length === 0 ? {} : { body: Buffer.concat(chunks).toString('utf8') }),
  };
}

async function send(
  { status, headers, body }: ApiResponse,
  outgoing: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  outgoing.writeHead(status, headers);
  // A watch is open from its head on, whether anything happens or not.
  outgoing.flushHeaders();
  for await (const chunk of body) {
    if (signal.aborted) break;
    if (!outgoing.write(chunk)) await drained(outgoing);
  }
  outgoing.end();
}

/** Waits until the client has taken what was sent. @throws NoAnswer when it takes nothing for too long. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      systemClock.clearTimeout(timer);
      outgoing.off('drain', onDrain);
      outgoing.off('close', onDrain);
      act();
    };
    const onDrain = (): void => settle(resolve);
    const timer = systemClock.setTimeout(
      () =>
        settle(() => reject(new NoAnswer('expected the client to read on, found it stuck', { sent: true }))),
      stuckClientMs,
    );
    outgoing.once('drain', onDrain);
    outgoing.once('close', onDrain);
  });
}
