import { Agent, type IncomingMessage, request } from 'node:http';
import { systemClock, systemRandom } from '@liberator/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import type { ServerStore } from '../store/store.ts';
import type { AuditEvent } from './audit.ts';
import { createApiHandler } from './handler.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './http-server.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { type ApiHandler, NoAnswer } from './request.ts';

let store: ServerStore;
let audit: AuditEvent[];
let handler: ApiHandler;
let agent: Agent;
const servers: HttpServer[] = [];

beforeEach(() => {
  store = createStore({ clock: systemClock, random: systemRandom });
  audit = [];
  handler = createApiHandler({ store, clock: systemClock, onAudit: (event) => audit.push(event) });
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});

afterEach(async () => {
  agent.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await startHttpServer({ handler, ...options });
  servers.push(server);
  return server;
}

interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function open(server: HttpServer, path: string, options: SendOptions = {}): Promise<IncomingMessage> {
  const { method = 'GET', headers = {}, body = '' } = options;
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request(
      `${server.url}${path}`,
      { method, agent, headers: { ...headers, ...length } },
      resolve,
    );
    sent.once('error', reject);
    sent.end(body);
  });
}

async function fetchJson(
  server: HttpServer,
  path: string,
  options: SendOptions = {},
): Promise<{ status: number | undefined; body: Record<string, unknown>; socket: unknown }> {
  const response = await open(server, path, options);
  const { socket } = response;
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()), socket };
}

const post = (name: string): SendOptions => ({
  method: 'POST',
  body: JSON.stringify({ metadata: { name } }),
});

describe('the HTTP server', () => {
  it('serves one request after the other on one connection', async () => {
    const server = await start();
    const made = await fetchJson(server, '/api/v1/nodes', post('a'));
    const list = await fetchJson(server, '/api/v1/nodes');
    expect([made.status, list.status]).toEqual([201, 200]);
    expect(list.socket).toBe(made.socket);
  });

  it('knows its clients by their tokens, and takes strangers for anonymous', async () => {
    const server = await start({ tokens: new Map([['secret', 'agent']]) });
    const agentHeaders = { authorization: 'Bearer secret', 'user-agent': 'liberator/1.0' };
    await fetchJson(server, '/api/v1/nodes', { headers: agentHeaders });
    await fetchJson(server, '/api/v1/nodes', { headers: { authorization: 'Bearer other' } });
    await fetchJson(server, '/api/v1/nodes');
    expect(audit.map((event) => event.user)).toEqual(['agent', 'system:anonymous', 'system:anonymous']);
    expect(audit[0]).toMatchObject({
      verb: 'list',
      resource: 'nodes',
      code: 200,
      userAgent: 'liberator/1.0',
    });
  });

  it('turns strangers away when told to', async () => {
    const server = await start({ tokens: new Map([['secret', 'agent']]), anonymous: false });
    expect(await fetchJson(server, '/api/v1/nodes')).toMatchObject({
      status: 401,
      body: { reason: 'Unauthorized' },
    });
    expect(
      (await fetchJson(server, '/api/v1/nodes', { headers: { authorization: 'bearer secret' } })).status,
    ).toBe(200);
  });

  it('answers 413 to more than three megabytes', async () => {
    const server = await start();
    const body = JSON.stringify({ metadata: { name: 'a' }, data: { x: 'x'.repeat(3 * 1024 * 1024) } });
    const answer = await fetchJson(server, '/api/v1/namespaces/default/configmaps', { method: 'POST', body });
    expect(answer).toMatchObject({ status: 413, body: { reason: 'RequestEntityTooLarge' } });
  });

  it('sends the head of a watch at once, and its lines as they come', async () => {
    const server = await start();
    const response = await open(server, '/api/v1/nodes?watch=true');
    expect(response.statusCode).toBe(200);
    const first = new Promise<string>((resolve) =>
      response.once('data', (chunk: Buffer) => resolve(chunk.toString())),
    );
    store.create(resources.nodes, { metadata: { name: 'a' } }, { user: 'test' });
    expect(JSON.parse(await first)).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } });
    response.destroy();
  });

  it('resets the connection where there shall be no answer', async () => {
    handler = async () => {
      throw new NoAnswer('gone', { sent: true });
    };
    const server = await start();
    await expect(open(server, '/healthz')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('can stop listening, as if it had crashed, and listen again', async () => {
    const server = await start();
    const watch = await open(server, '/api/v1/nodes?watch=true');
    const broken = new Promise((resolve) => watch.once('error', resolve));
    await server.stopListening();
    expect(await broken).toBeInstanceOf(Error);
    await expect(open(server, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.listenAgain();
    expect((await fetchJson(server, '/api/v1/nodes')).status).toBe(200);
  });

  it('ends watches cleanly when it closes, and closes twice as well as once', async () => {
    const server = await start();
    const watch = await open(server, '/api/v1/nodes?watch=true');
    const ended = new Promise((resolve) => watch.once('end', () => resolve('end')).once('error', resolve));
    watch.resume();
    await Promise.all([server.close(), server.close()]);
    expect(await ended).toBe('end');
  });

  it('waits for a reader that is slow', async () => {
    for (let count = 0; count < 300; count++) {
      const metadata = { name: `n${count}`, annotations: { filler: 'x'.repeat(10_000) } };
      store.create(resources.nodes, { metadata }, { user: 'test' });
    }
    const server = await start();
    const response = await open(server, '/api/v1/nodes?watch=true&timeoutSeconds=1');
    let bytes = 0;
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(bytes).toBeGreaterThan(3_000_000);
  });
});

describe('somebody who asks to be taken for somebody else', () => {
  const account = 'system:serviceaccount:apps:agent';
  const tokens = new Map([
    ['t-admin', 'admin'],
    ['t-guest', 'guest'],
  ]);
  const as = (token: string, whom: string): SendOptions => ({
    headers: { authorization: `Bearer ${token}`, 'impersonate-user': whom },
  });
  const asked: object[] = [];

  beforeEach(() => {
    asked.splice(0);
    handler = createApiHandler({
      store,
      clock: systemClock,
      onAudit: (event) => audit.push(event),
      authorize: (access) => {
        asked.push(access);
        return access.user !== 'guest';
      },
    });
  });

  it('counts as that one where it is allowed', async () => {
    const server = await start({ tokens });
    expect(await fetchJson(server, '/api/v1/nodes', as('t-admin', account))).toMatchObject({ status: 200 });
    expect(asked).toEqual([
      {
        user: 'admin',
        verb: 'impersonate',
        group: '',
        resource: 'serviceaccounts',
        namespace: 'apps',
        name: 'agent',
      },
      { user: account, verb: 'list', group: '', resource: 'nodes' },
    ]);
    expect(audit.map(({ user }) => user)).toEqual([account]);
  });

  it('is refused in the words of the real server where it is not', async () => {
    const server = await start({ tokens });
    expect(await fetchJson(server, '/api/v1/nodes', as('t-guest', 'alice'))).toMatchObject({
      status: 403,
      body: {
        reason: 'Forbidden',
        message:
          'users "alice" is forbidden: User "guest" cannot impersonate resource "users" in API group "" at the cluster scope',
      },
    });
  });
});

describe('a kubeconfig', () => {
  it('names server and token, and is JSON, which is YAML', () => {
    expect(JSON.parse(kubeconfigFor('http://127.0.0.1:1', 'secret'))).toMatchObject({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'liberator-simulator',
      clusters: [{ cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ user: { token: 'secret' } }],
    });
    expect(JSON.parse(kubeconfigFor('http://127.0.0.1:1')).users[0].user).toEqual({});
  });
});
