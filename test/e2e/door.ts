// A door before the API server through which all that agents say passes, so that a test can stop them at any one write.
//
// To watch what a write leaves behind would be too late: by then its sender has gone on. At the door the sender still
// waits for its answer, so it can be killed before the write is handed on, or before the answer is.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ControlPlane } from '../control-plane/cluster.ts';
import { readCredentials } from '../control-plane/credentials.ts';

/** A request that may change something. */
export interface DoorWrite {
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
  /** Empty when there is none. */
  readonly body: string;
}

/** Calls `serve`, which returns once the API server has done it, or doesn't; false leaves the sender without an answer. */
export type Doorkeeper = (write: DoorWrite, serve: () => Promise<void>) => Promise<boolean>;

export interface Door extends AsyncDisposable {
  /** Takes the place of the API server's own, under the same certificate. */
  readonly url: string;
}

export async function openDoor(cluster: ControlPlane, keeper: Doorkeeper): Promise<Door> {
  const { ca, cert, key } = readCredentials(join(cluster.dir, 'pki'), 'kube-apiserver');
  const agent = new HttpsAgent({ ca, keepAlive: true });

  /** Resolves with the head of the answer. */
  const ask = (incoming: IncomingMessage, body: Buffer | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = incoming;
      const { host: _door, ...others } = headers;
      const outgoing = requestHttps(`${cluster.url}${url}`, { method, headers: others, agent });
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
      outgoing.end(body);
    });

  const read = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await ask(incoming, undefined);
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    // Whoever watches goes away without a word, and so does this watch then.
    pipeline(answer, response, () => undefined);
  };

  const write = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(incoming);
    let answer: { head: IncomingMessage; body: Buffer } | undefined;
    const { method = '', url: path = '', headers } = incoming;
    const arrived = { method, path, userAgent: headers['user-agent'] ?? '', body: body.toString('utf8') };
    const answered = await keeper(arrived, async () => {
      const head = await ask(incoming, body);
      answer = { head, body: await buffer(head) };
    });
    if (!answered || answer === undefined) {
      response.destroy();
      return;
    }
    response.writeHead(answer.head.statusCode ?? 502, answer.head.headers);
    response.end(answer.body);
  };

  const server = createServer({ cert, key }, (incoming, response) => {
    const pass = incoming.method === 'GET' ? read : write;
    pass(incoming, response).catch(() => response.destroy());
  });
  const { hostname } = new URL(cluster.url);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, hostname, resolve);
  });
  return {
    url: `https://${hostname}:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agent.destroy();
      await closed;
    },
  };
}
