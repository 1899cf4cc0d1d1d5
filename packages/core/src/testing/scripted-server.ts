// A real HTTP(S) server on loopback that answers exactly what a test tells it to, misbehaviour included.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, repeated lines included. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly socket: Socket;
}

export type Script = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export interface ServerTls {
  readonly key: string;
  readonly cert: string;
  /** Asks for client certificates signed by this authority. */
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

export class ScriptedServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly url: string;
  /** Everything received, in order. */
  readonly requests: ReceivedRequest[] = [];
  /** Connections ever accepted. */
  connections = 0;
  /** What to answer; may be replaced at any time. */
  script: Script;

  static async start(script: Script, tls?: ServerTls): Promise<ScriptedServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ScriptedServer(server, script, tls === undefined ? 'http' : 'https');
  }

  private constructor(server: Server, script: Script, scheme: string) {
    this.#server = server;
    this.script = script;
    this.url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      void this.#receive(incoming, response);
    });
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** A KubeConfig for this server. */
  kubeConfig(
    user: Partial<KubeConfig['users'][number]> = { token: 'a-token' },
    cluster: Partial<KubeConfig['clusters'][number]> = {},
  ): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'cluster', server: this.url, skipTLSVerify: false, ...cluster }, {
      name: 'user',
      ...user,
    } as KubeConfig['users'][number]);
    return config;
  }

  /** Breaks every connection at once, without a good-bye. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = incoming.url ?? '';
    const { pathname, searchParams } = new URL(url, this.url);
    const request = {
      method: incoming.method ?? '',
      url,
      path: pathname,
      query: searchParams,
      headers: incoming.headers,
      rawHeaders: incoming.rawHeaders,
      body: Buffer.concat(chunks).toString(),
      socket: incoming.socket,
    };
    this.requests.push(request);
    await this.script(request, response);
  }
}

/** Answers with JSON. */
export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** A Status as the API server sends it. */
export function statusBody(
  code: number,
  reason: string,
  message: string = reason,
  more: object = {},
): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...more };
}
