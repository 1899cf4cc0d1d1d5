import { getEventListeners } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type CertificateAuthority, createAuthority } from '../testing/certificates.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, ScriptedServer } from '../testing/scripted-server.ts';
import { loadKubeConfig } from './kube-config.ts';
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts';
import { createTransport, type TransportOptions } from './undici-transport.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function serve(...args: Parameters<typeof ScriptedServer.start>): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(...args);
  cleanUps.push(() => server.close());
  return server;
}

function connectTo(config: Parameters<typeof createTransport>[0], options?: TransportOptions): Transport {
  const transport = createTransport(config, options);
  cleanUps.push(() => transport.close());
  return transport;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'transport-'));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const get = (overrides: Partial<TransportRequest> = {}): TransportRequest => ({
  method: 'GET',
  path: '/api/v1/nodes',
  signal: new AbortController().signal,
  ...overrides,
});

async function read(response: TransportResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('expected a failure'),
    (error: unknown) => error,
  );
}

describe('a request', () => {
  test('carries its method, path, body, content type, credentials and purpose', async () => {
    await using server = await ScriptedServer.start((_, response) => answer(response, 200, { ok: true }));
    const transport = connectTo(server.kubeConfig(), { purpose: 'lease' });
    const response = await transport.send(
      get({
        method: 'PATCH',
        path: '/api/v1/nodes/a%2Fb?dryRun=All',
        body: '[]',
        contentType: 'application/json-patch+json',
      }),
    );
    expect(response.status).toBe(200);
    expect(await read(response)).toBe('{"ok":true}');
    expect(server.requests[0]).toMatchObject({
      method: 'PATCH',
      url: '/api/v1/nodes/a%2Fb?dryRun=All',
      body: '[]',
      headers: {
        authorization: 'Bearer a-token',
        'content-type': 'application/json-patch+json',
        accept: 'application/json',
        'user-agent': 'liberator (lease)',
      },
    });
  });

  test('goes below the path of a server behind a gateway', async () => {
    const server = await serve((_, response) => answer(response, 200, {}));
    const config = server.kubeConfig({ token: 't' }, { server: `${server.url}/clusters/one/` });
    await read(await connectTo(config).send(get()));
    expect(server.requests[0]?.url).toBe('/clusters/one/api/v1/nodes');
  });

  test('resolves with the head whatever the status, and hands on Retry-After', async () => {
    const server = await serve((_, response) => answer(response, 429, {}, { 'retry-after': '3' }));
    const response = await connectTo(server.kubeConfig()).send(get());
    expect(response).toMatchObject({ status: 429, retryAfterMs: 3000 });
    await read(response);
  });

  test('reuses its connection for requests one after the other', async () => {
    const server = await serve((_, response) => answer(response, 200, {}));
    const transport = connectTo(server.kubeConfig());
    for (let i = 0; i < 20; i++) await read(await transport.send(get()));
    expect(server.requests).toHaveLength(20);
    // Two, since a request that follows at once finds the connection still tidying up.
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  test('is not held up by another one whose answer takes for ever', async () => {
    const server = await serve((request, response) => {
      if (request.path !== '/stuck') answer(response, 200, {});
    });
    const transport = connectTo(server.kubeConfig());
    const abort = new AbortController();
    const stuck = failureOf(transport.send(get({ path: '/stuck', signal: abort.signal })));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    expect((await transport.send(get())).status).toBe(200);
    abort.abort(new Error('enough'));
    expect(await stuck).toMatchObject({ message: 'enough' });
  });

  test('a slow reader stops the server instead of filling the memory', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    const server = await serve((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    const response = await connectTo(server.kubeConfig()).send(get());
    await vi.waitFor(() => expect(written).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(written).toBeLessThan(total / 2);
    expect((await read(response)).length).toBe(total);
  });

  test('a reader that leaves early frees the connection', async () => {
    const server = await serve((_, response) => void response.write('first'));
    const response = await connectTo(server.kubeConfig()).send(get());
    for await (const chunk of response.body) {
      expect(Buffer.from(chunk).toString()).toBe('first');
      break;
    }
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });
});

describe('without an answer', () => {
  test('a refused connection is one sentence, and certainly nothing was sent', async () => {
    const server = await serve(() => undefined);
    await server.close();
    const error = await failureOf(connectTo(server.kubeConfig()).send(get()));
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({
      message: `could not reach ${server.url}: connection refused`,
      sent: false,
    });
  });

  test('an unknown host name is one sentence, and certainly nothing was sent', async () => {
    const server = await serve(() => undefined);
    const config = server.kubeConfig({}, { server: 'https://no-such-host.invalid:6443' });
    const error = await failureOf(connectTo(config).send(get()));
    expect(error).toMatchObject({ sent: false });
    expect((error as Error).message).toMatch(
      /^could not reach https:\/\/no-such-host\.invalid:6443: its host name/,
    );
  });

  test('a server that never finishes the TLS handshake runs into the connect timeout, and nothing was sent', async () => {
    const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    cleanUps.push(() => mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    const server = await serve(() => undefined);
    const { port } = mute.address() as AddressInfo;
    const config = server.kubeConfig({}, { server: `https://127.0.0.1:${port}` });
    const error = await failureOf(connectTo(config, { connectTimeoutMs: 200 }).send(get()));
    expect(error).toMatchObject({
      message: `could not reach https://127.0.0.1:${port}: no connection in time`,
      sent: false,
    });
  });

  test('a connection that breaks after the request may have been acted on', async () => {
    const server = await serve((request) => void request.socket.resetAndDestroy());
    const error = await failureOf(connectTo(server.kubeConfig()).send(get({ method: 'DELETE' })));
    expect(error).toBeInstanceOf(TransportError);
    expect(error).toMatchObject({ sent: true });
    expect((error as Error).message).toContain('broke before the whole answer was there');
  });

  test('a connection that breaks within the body fails the body', async () => {
    const server = await serve((request, response) => {
      response.write('{"type":"ADD');
      setTimeout(() => request.socket.resetAndDestroy(), 20);
    });
    const response = await connectTo(server.kubeConfig()).send(get());
    expect(await failureOf(read(response))).toMatchObject({ name: 'TransportError', sent: true });
  });

  test('a server that speaks something else than HTTP is named as such', async () => {
    const babble = createTcpServer((socket) => void socket.end('SSH-2.0-babble\r\n')).listen(0, '127.0.0.1');
    cleanUps.push(() => babble.close());
    await new Promise((resolve) => babble.once('listening', resolve));
    const server = await serve(() => undefined);
    const { port } = babble.address() as AddressInfo;
    const config = server.kubeConfig({}, { server: `http://127.0.0.1:${port}` });
    expect(await failureOf(connectTo(config).send(get()))).toMatchObject({ name: 'TransportError' });
  });

  test('after close nothing is sent, and what was under way ends', async () => {
    const server = await serve(() => undefined);
    const transport = connectTo(server.kubeConfig());
    const underWay = failureOf(transport.send(get()));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    await transport.close();
    await transport.close();
    expect(await underWay).toMatchObject({ name: 'TransportError', sent: true });
    expect(await failureOf(transport.send(get()))).toMatchObject({ name: 'TransportError', sent: false });
    expect(server.requests).toHaveLength(1);
  });
});

describe('aborting', () => {
  test('works before anything happened', async () => {
    const server = await serve(() => undefined);
    const reason = new Error('never mind');
    const error = await failureOf(
      connectTo(server.kubeConfig()).send(get({ signal: AbortSignal.abort(reason) })),
    );
    expect(error).toBe(reason);
    expect(server.connections).toBe(0);
  });

  test('works before the connection exists, at once, and nothing is ever sent', async () => {
    const mute = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    cleanUps.push(() => mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    const server = await serve(() => undefined);
    const config = server.kubeConfig(
      {},
      { server: `https://127.0.0.1:${(mute.address() as AddressInfo).port}` },
    );
    const abort = new AbortController();
    let sent = false;
    const request = get({
      signal: abort.signal,
      beforeSend: () => {
        sent = true;
      },
    });
    const pending = failureOf(connectTo(config, { connectTimeoutMs: 60_000 }).send(request));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const reason = new Error('the term is over');
    const abortedAt = performance.now();
    abort.abort(reason);
    expect(await pending).toBe(reason);
    expect(performance.now() - abortedAt).toBeLessThan(200);
    expect(sent).toBe(false);
  });

  test('works while credentials are still being fetched', async () => {
    const server = await serve(() => undefined);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['5'] };
    const abort = new AbortController();
    const pending = failureOf(connectTo(server.kubeConfig({ exec })).send(get({ signal: abort.signal })));
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort(new Error('no time'));
    expect(await pending).toMatchObject({ message: 'no time' });
    expect(server.connections).toBe(0);
  });

  test('works between head and body, and frees the connection', async () => {
    const server = await serve((_, response) => response.flushHeaders());
    const abort = new AbortController();
    const response = await connectTo(server.kubeConfig()).send(get({ signal: abort.signal }));
    const reading = failureOf(read(response));
    abort.abort(new Error('enough'));
    expect(await reading).toMatchObject({ message: 'enough' });
    await vi.waitFor(() => expect(server.openConnections).toBe(0));
  });

  test('leaves no listener behind on a signal that outlives many requests', async () => {
    const server = await serve((_, response) => answer(response, 200, {}));
    const transport = connectTo(server.kubeConfig());
    const { signal } = new AbortController();
    for (let i = 0; i < 50; i++) await read(await transport.send(get({ signal })));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

describe('beforeSend', () => {
  test('is called once the connection is there, before the server has seen a byte', async () => {
    const server = await serve((_, response) => answer(response, 200, {}));
    const seen: number[] = [];
    const beforeSend = (): void => void seen.push(server.requests.length);
    const transport = connectTo(server.kubeConfig());
    await read(await transport.send(get({ beforeSend })));
    await read(await transport.send(get({ beforeSend })));
    expect(seen).toEqual([0, 1]);
  });

  test('what it throws is thrown on as it is, nothing is sent, and the connection stays usable', async () => {
    const server = await serve((_, response) => answer(response, 200, {}));
    const transport = connectTo(server.kubeConfig());
    await read(await transport.send(get()));
    await vi.waitFor(() => expect(server.openConnections).toBe(1));
    const reason = new Error('the term is over');
    const refused = get({
      method: 'DELETE',
      beforeSend: () => {
        throw reason;
      },
    });
    expect(await failureOf(transport.send(refused))).toBe(reason);
    await read(await transport.send(get()));
    expect(server.requests.map(({ method }) => method)).toEqual(['GET', 'GET']);
    expect(server.connections).toBeLessThanOrEqual(2);
  });
});

describe('credentials', () => {
  test('a 401 refreshes them once and repeats the request once', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'old\n');
    const server = await serve((request, response) => {
      writeFileSync(file, 'new');
      const ok = request.headers.authorization === 'Bearer new';
      answer(response, ok ? 200 : 401, { ok });
    });
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const sends: string[] = [];
    const transport = connectTo(server.kubeConfig(user));
    const response = await transport.send(get({ beforeSend: () => void sends.push('sent') }));
    expect(response.status).toBe(200);
    expect(await read(response)).toBe('{"ok":true}');
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    expect(sends).toHaveLength(2);
  });

  test('a server that refuses everything is not asked twice for every request', async () => {
    const server = await serve((_, response) => answer(response, 401, {}));
    const transport = connectTo(server.kubeConfig());
    for (let i = 0; i < 5; i++) expect((await transport.send(get())).status).toBe(401);
    expect(server.requests).toHaveLength(6);
  });

  test('a rotated token file is read again after a minute, not before', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'one');
    const clock = new ManualClock();
    const server = await serve((_, response) => answer(response, 200, {}));
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const transport = connectTo(server.kubeConfig(user), { clock });
    await read(await transport.send(get()));
    writeFileSync(file, 'two');
    await clock.advance(59_000);
    await read(await transport.send(get()));
    await clock.advance(2000);
    await read(await transport.send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer one',
      'Bearer two',
    ]);
  });

  test('a file that is missing for a moment does not stop what works', async () => {
    const file = join(temporaryFolder(), 'token');
    writeFileSync(file, 'one');
    const clock = new ManualClock();
    const server = await serve((_, response) => answer(response, 200, {}));
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile: file } } };
    const transport = connectTo(server.kubeConfig(user), { clock });
    await read(await transport.send(get()));
    rmSync(file);
    await clock.advance(61_000);
    expect((await transport.send(get())).status).toBe(200);
    writeFileSync(file, 'two');
    await clock.advance(10_000);
    await read(await transport.send(get()));
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer two');
  });

  test("a kubeconfig's own token-file is read again, too", async () => {
    const folder = temporaryFolder();
    const tokenFile = join(folder, 'token');
    const server = await serve((_, response) => answer(response, 200, {}));
    writeFileSync(tokenFile, 'one');
    writeFileSync(
      join(folder, 'config'),
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: server.url } }],
        users: [{ name: 'u', user: { 'token-file': tokenFile } }],
      }),
    );
    const clock = new ManualClock();
    const transport = connectTo(loadKubeConfig({ path: join(folder, 'config') }), { clock });
    await read(await transport.send(get()));
    writeFileSync(tokenFile, 'two');
    await clock.advance(61_000);
    await read(await transport.send(get()));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer one', 'Bearer two']);
  });

  test('an exec plugin runs once for many requests at once, and again only when refused', async () => {
    const folder = temporaryFolder();
    const log = join(folder, 'runs');
    const script =
      'import { appendFileSync, readFileSync } from "node:fs";' +
      `appendFileSync(${JSON.stringify(log)}, "x");` +
      `const run = readFileSync(${JSON.stringify(log)}, "utf8").length;` +
      'console.log(JSON.stringify({ kind: "ExecCredential", status: { token: "run-" + run } }));';
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['--input-type=module', '-e', script],
    };
    let accepted = 'Bearer run-1';
    const server = await serve((request, response) => {
      answer(response, request.headers.authorization === accepted ? 200 : 401, {});
    });
    const clock = new ManualClock();
    const transport = connectTo(server.kubeConfig({ exec }), { clock });
    const first = await Promise.all([1, 2, 3].map(() => transport.send(get())));
    expect(first.map(({ status }) => status)).toEqual([200, 200, 200]);
    await clock.advance(61_000);
    expect((await transport.send(get())).status).toBe(200);
    accepted = 'Bearer run-2';
    expect((await transport.send(get())).status).toBe(200);
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer run-2');
  });

  test('a plugin that fails or babbles is one sentence without a word of what it printed', async () => {
    const server = await serve(() => undefined);
    const plugin = (script: string): Transport =>
      connectTo(
        server.kubeConfig({
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1',
            command: process.execPath,
            args: ['-e', script],
          },
        }),
      );
    const babble = await failureOf(plugin('console.log("s3cret-token")').send(get()));
    expect(babble).toMatchObject({ name: 'TransportError', sent: false });
    expect((babble as Error).message).toContain('did not print an ExecCredential');
    expect(inspect(babble, { depth: 10 })).not.toContain('s3cret');
    const failed = await failureOf(plugin('console.error("please log in"); process.exit(1)').send(get()));
    expect(failed).toMatchObject({ name: 'TransportError', sent: false });
    expect((failed as Error).message).toBe(`could not get credentials for ${server.url}: please log in`);
  });

  test('a plugin that never answers fails the request after half a minute', async () => {
    const server = await serve(() => undefined);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sleep', args: ['3'] };
    const clock = new ManualClock();
    const pending = failureOf(connectTo(server.kubeConfig({ exec }), { clock }).send(get()));
    await clock.advance(30_000);
    expect((await pending) as Error).toMatchObject({ name: 'TransportError', sent: false });
  });

  test('neither token nor password ever shows in an error', async () => {
    const server = await serve((request) => void request.socket.destroy());
    const user = { username: 'admin', password: 'hunter2', token: 's3cret' };
    const error = await failureOf(connectTo(server.kubeConfig(user)).send(get()));
    expect(server.requests).toHaveLength(1);
    const shown = inspect(error, { depth: 10, showHidden: true });
    expect(shown).not.toContain('s3cret');
    expect(shown).not.toContain('hunter2');
    expect(shown).not.toContain(Buffer.from('admin:hunter2').toString('base64'));
  });
});

describe('over TLS', () => {
  let ours: CertificateAuthority;
  let theirs: CertificateAuthority;
  beforeAll(() => {
    ours = createAuthority('ours');
    theirs = createAuthority('theirs');
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');

  test('trusts the authority that the kubeconfig names and no other', async () => {
    const server = await serve((_, response) => answer(response, 200, {}), ours.issue('server'));
    const good = connectTo(server.kubeConfig({ token: 't' }, { caData: base64(ours.cert) }));
    expect((await good.send(get())).status).toBe(200);
    const bad = connectTo(server.kubeConfig({ token: 't' }, { caData: base64(theirs.cert) }));
    const error = await failureOf(bad.send(get()));
    expect(error).toMatchObject({ name: 'TransportError', sent: false });
    expect((error as Error).message).toMatch(/^could not reach https:\S+: its certificate is signed by/);
    expect(server.requests).toHaveLength(1);
  });

  test('presents its client certificate, and after a rotation the new one on new connections', async () => {
    const folder = temporaryFolder();
    const certFile = join(folder, 'client.crt');
    const keyFile = join(folder, 'client.key');
    const install = (name: string): void => {
      const { cert, key } = ours.issue(name);
      writeFileSync(certFile, cert);
      writeFileSync(keyFile, key);
    };
    const seen: string[] = [];
    const server = await serve(
      (request, response) => {
        const peer = (request.socket as import('node:tls').TLSSocket).getPeerCertificate();
        seen.push(String(peer.subject?.CN));
        answer(response, 200, {});
      },
      { ...ours.issue('server'), ca: ours.cert, requestCert: true, rejectUnauthorized: true },
    );
    const clock = new ManualClock();
    install('one');
    const transport = connectTo(server.kubeConfig({ certFile, keyFile }, { caData: base64(ours.cert) }), {
      clock,
    });
    await read(await transport.send(get()));
    install('two');
    await read(await transport.send(get()));
    await clock.advance(61_000);
    await read(await transport.send(get()));
    await read(await transport.send(get()));
    expect(seen).toEqual(['one', 'one', 'two', 'two']);
    // Those of the old identity close once nothing runs on them.
    await vi.waitFor(() => {
      for (const [index, { socket }] of server.requests.entries()) expect(socket.destroyed).toBe(index < 2);
    });
  });

  test('a rotation does not end what is under way', async () => {
    const folder = temporaryFolder();
    const caFile = join(folder, 'ca.crt');
    writeFileSync(caFile, ours.cert);
    const held: import('node:http').ServerResponse[] = [];
    const server = await serve((_, response) => {
      response.write('begun,');
      held.push(response);
    }, ours.issue('server'));
    const clock = new ManualClock();
    const transport = connectTo(server.kubeConfig({ token: 't' }, { caFile }), { clock });
    const before = read(await transport.send(get()));
    writeFileSync(caFile, `${theirs.cert}${ours.cert}`);
    await clock.advance(61_000);
    const after = read(await transport.send(get()));
    for (const response of held) response.end('done');
    expect(await Promise.all([before, after])).toEqual(['begun,done', 'begun,done']);
    expect(server.connections).toBe(2);
  });
});

describe('through a proxy', () => {
  test("a kubeconfig's proxy-url is where connections go, and beforeSend still comes last", async () => {
    const authority = createAuthority('proxied');
    const server = await serve(
      (_, response) => answer(response, 200, { via: 'proxy' }),
      authority.issue('server'),
    );
    const { createServer } = await import('node:http');
    const { connect } = await import('node:net');
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (request, socket, head) => {
      tunnels.push(request.url ?? '');
      const [host = '', port = ''] = (request.url ?? '').split(':');
      const upstream = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.write(head);
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => proxy.close());
    const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const caData = Buffer.from(authority.cert).toString('base64');
    const transport = connectTo(server.kubeConfig({ token: 't' }, { caData, proxyUrl }));
    const seen: number[] = [];
    const response = await transport.send(get({ beforeSend: () => void seen.push(tunnels.length) }));
    expect(await read(response)).toBe('{"via":"proxy"}');
    expect(tunnels).toEqual([new URL(server.url).host]);
    expect(seen).toEqual([1]);
    await transport.close();
  });
});
