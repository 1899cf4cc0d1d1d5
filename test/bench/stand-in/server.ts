// The API server itself: TLS, a bearer token, HTTP/1.1 and HTTP/2 as a client likes. Lists and heartbeats come from kept bytes,
// everything else from the simulator's own request handler.
import {
  createSecureServer,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { systemClock } from '@liberator/core';
import type { ApiHandler } from '@liberator/simulator';
import { resources } from '@liberator/simulator';
import { decodeContinue, encodeContinue } from '../../../packages/simulator/src/http/continue-token.ts';
import { createApiHandler, failure } from '../../../packages/simulator/src/http/handler.ts';
import { readListRequest, readWatchRequest } from '../../../packages/simulator/src/http/list-options.ts';
import {
  type ResourceRoute,
  type Route,
  routeOf,
  verbOf,
} from '../../../packages/simulator/src/http/route.ts';
import { asStatusError, notFound, StatusError } from '../../../packages/simulator/src/store/status-error.ts';
import type { StandInCluster } from './cluster.ts';
import { listBytes, listedBytes } from './lists.ts';
import { type ClientTally, countUp, type Tally } from './tally.ts';

const compressed = promisify(gzip);
/** From where on a real API server compresses an answer, for whoever takes it compressed. */
const smallestCompressedBytes = 128 * 1024;
/** As a real API server allows on one connection. */
const maxConcurrentStreams = 100;
const watchTimeoutMs = 45 * 60_000;

export interface StandInServerOptions {
  readonly cluster: StandInCluster;
  readonly tally: Tally;
  readonly identity: { readonly key: string; readonly cert: string };
  /** Whoever brings it is let in. */
  readonly token: string;
  readonly port: number;
}

export interface StandInServer {
  readonly url: string;
  close(): void;
}

interface Exchange {
  readonly options: StandInServerOptions;
  readonly handler: ApiHandler;
  readonly incoming: Http2ServerRequest;
  readonly outgoing: Http2ServerResponse;
  readonly tally: ClientTally;
}

export async function startStandInServer(options: StandInServerOptions): Promise<StandInServer> {
  const handler = createApiHandler({ store: options.cluster.store, clock: systemClock });
  const server = createSecureServer(
    { ...options.identity, allowHTTP1: true, settings: { maxConcurrentStreams } },
    (incoming, outgoing) => {
      const tally = options.tally.of(incoming.headers['user-agent'] ?? 'none');
      void serve({ options, handler, incoming, outgoing, tally });
    },
  );
  const sockets = new Set<TLSSocket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    options.tally.connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    // A client that is killed resets: no news here.
    socket.on('error', () => undefined);
  });
  await listening(server, options.port);
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function listening(server: Http2SecureServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', 4_096, resolve);
  });
}

async function serve(exchange: Exchange): Promise<void> {
  const { incoming, outgoing, options, tally } = exchange;
  outgoing.on('error', () => undefined);
  try {
    const body = await readBody(incoming);
    tally.bytesIn += body.length;
    if (incoming.headers.authorization !== `Bearer ${options.token}`) {
      throw new StatusError(401, 'Unauthorized', 'Unauthorized');
    }
    const route = routeOf({ path: incoming.url });
    countUp(tally.requests, wordsFor(incoming.method, route));
    if (route.kind === 'resource' && (await serveCheaply(exchange, route))) return;
    await serveBySimulator(exchange, body.toString('utf8'));
  } catch (error) {
    const { status, headers, body } = failure(asStatusError(error));
    countUp(tally.refused, String(status));
    outgoing.writeHead(status, headers);
    for await (const chunk of body) outgoing.write(chunk);
    outgoing.end();
  }
}

function wordsFor(method: string, route: Route): string {
  if (route.kind !== 'resource') return `${method.toLowerCase()} ${route.kind}`;
  const part = route.subresource === undefined ? '' : `/${route.subresource}`;
  return `${verbOf(method, route) ?? method} ${route.type.plural}${part}`;
}

async function readBody(incoming: Http2ServerRequest): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Lists, and node Leases altogether; false for everything else. */
async function serveCheaply(exchange: Exchange, route: ResourceRoute): Promise<boolean> {
  const { cluster } = exchange.options;
  const verb = verbOf(exchange.incoming.method, route);
  if (route.type === resources.leases && route.namespace === 'kube-node-lease') {
    if (verb === 'get') {
      const lease = cluster.leases.get(route.name ?? '');
      if (lease === undefined) throw notFound(route.type, route.name ?? '');
      await answer(exchange, lease);
      return true;
    }
    if (verb === 'list') return listNodeLeases(exchange, route);
    if (verb === 'watch') return watchNodeLeases(exchange, route);
    return false;
  }
  if (verb !== 'list') return false;
  await answer(exchange, listedBytes(cluster, route));
  return true;
}

async function listNodeLeases(exchange: Exchange, { query }: ResourceRoute): Promise<boolean> {
  const { limit, continueToken, version: asked } = readListRequest(query);
  const token = continueToken === undefined ? undefined : decodeContinue(continueToken);
  const { parts, last, rest, version } = exchange.options.cluster.leases.list({
    limit: asked === 0 ? 0 : limit,
    after: token?.after ?? '',
    version: token?.resourceVersion,
  });
  const page = listBytes('LeaseList', 'coordination.k8s.io/v1', {
    version: String(version),
    rest,
    items: parts,
    ...(last !== undefined && { next: encodeContinue({ resourceVersion: version, after: last }) }),
  });
  await answer(exchange, page);
  return true;
}

function watchNodeLeases({ options, outgoing, tally }: Exchange, { query }: ResourceRoute): true {
  const { from, bookmarks, timeoutMs = watchTimeoutMs } = readWatchRequest(query);
  const { leases } = options.cluster;
  if (typeof from === 'number' && leases.isForgotten(from)) {
    throw new StatusError(410, 'Expired', `too old resource version: ${from}`);
  }
  outgoing.writeHead(200, { 'content-type': 'application/json' });
  flushHead(outgoing);
  const sink = {
    write(chunk: Buffer) {
      tally.bytesOut += chunk.length;
      outgoing.write(chunk);
    },
    end: () => outgoing.end(),
    get writableLength() {
      return outgoing.writableLength;
    },
  };
  const end = leases.watch(sink, { from: from === 'now' ? leases.version : from, bookmarks, timeoutMs });
  outgoing.once('close', end);
  return true;
}

async function answer({ incoming, outgoing, tally }: Exchange, body: Buffer): Promise<void> {
  const takesGzip = /\bgzip\b/.test(String(incoming.headers['accept-encoding'] ?? ''));
  const gzips = takesGzip && body.length >= smallestCompressedBytes;
  // The level that a real API server compresses with.
  const bytes = gzips ? await compressed(body, { level: constants.Z_BEST_SPEED }) : body;
  tally.bytesOut += bytes.length;
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...(gzips && { 'content-encoding': 'gzip' }),
  });
  outgoing.end(bytes);
}

async function serveBySimulator(
  { handler, incoming, outgoing, tally }: Exchange,
  body: string,
): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const { 'user-agent': userAgent, 'content-type': contentType } = incoming.headers;
  const response = await handler({
    method: incoming.method,
    path: incoming.url,
    user: 'system:serviceaccount:liberator:liberator',
    signal: gone.signal,
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(body === '' ? {} : { body }),
  });
  if (response.status >= 400) countUp(tally.refused, String(response.status));
  outgoing.writeHead(response.status, response.headers);
  flushHead(outgoing);
  for await (const chunk of response.body) {
    if (gone.signal.aborted) break;
    tally.bytesOut += chunk.length;
    outgoing.write(chunk);
  }
  outgoing.end();
}

/** A watch is open from its head on, whether anything happens or not. Both kinds of answers can; the types know only of one. */
function flushHead(outgoing: Http2ServerResponse): void {
  (outgoing as unknown as { flushHeaders(): void }).flushHeaders();
}
