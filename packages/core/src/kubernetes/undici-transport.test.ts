import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { answer, ScriptedServer } from '../testing/scripted-server.ts';
import { connectTo, failureOf, get, read, serve } from '../testing/wire.ts';
import { TransportError } from './transport.ts';

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
    onTestFinished(() => void mute.close());
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
    onTestFinished(() => void babble.close());
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
    onTestFinished(() => void mute.close());
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
