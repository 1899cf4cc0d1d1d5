import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type CertificateAuthority, createAuthority } from '../testing/certificates.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer } from '../testing/scripted-server.ts';
import { connectTo, failureOf, get, read, serve, temporaryFolder } from '../testing/wire.ts';
import type { Transport, TransportRequest } from './transport.ts';

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
        const peer = (request.socket as TLSSocket).getPeerCertificate();
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

  test('a request aborted while its connection was still being made is not sent when it is there at last', async () => {
    const server = await serve((_, response) => answer(response, 200, {}), ours.issue('server'));
    const release = Promise.withResolvers<void>();
    const relay = createTcpServer(async (client) => {
      client.on('error', () => undefined);
      await release.promise;
      const upstream = connect(Number(new URL(server.url).port), '127.0.0.1');
      client.pipe(upstream).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    onTestFinished(() => void relay.close());
    const { port } = relay.address() as AddressInfo;
    const config = server.kubeConfig(
      { token: 't' },
      { caData: base64(ours.cert), server: `https://127.0.0.1:${port}` },
    );
    const transport = connectTo(config, { connectTimeoutMs: 60_000 });
    const abort = new AbortController();
    const sent: string[] = [];
    const aborted = failureOf(
      transport.send(
        get({ method: 'DELETE', signal: abort.signal, beforeSend: () => void sent.push('DELETE') }),
      ),
    );
    await vi.waitFor(async () => expect(await connectionsOf(relay)).toBe(1));
    abort.abort(new Error('the term is over'));
    await aborted;
    release.resolve();
    await vi.waitFor(() => expect(server.connections).toBe(1));
    await read(await transport.send(get({ beforeSend: () => void sent.push('GET') })));
    expect(sent).toEqual(['GET']);
    expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
    expect(server.connections).toBe(1);
  });

  test('a rotation does not end what is under way', async () => {
    const folder = temporaryFolder();
    const caFile = join(folder, 'ca.crt');
    writeFileSync(caFile, ours.cert);
    const held: ServerResponse[] = [];
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

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}

describe('through a proxy', () => {
  /** Records where it was told to connect, and connects there. */
  function tunnel(client: Duplex, host: string, port: number, connected: () => void): void {
    const upstream = connect(port, host, () => {
      connected();
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  }

  async function httpProxy(tunnels: string[]): Promise<string> {
    const proxy = createServer();
    proxy.on('connect', (request, client) => {
      const [host = '', port = ''] = (request.url ?? '').split(':');
      tunnels.push(`${host}:${port}`);
      tunnel(client, host, Number(port), () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'));
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  async function socksProxy(tunnels: string[]): Promise<string> {
    const proxy = createTcpServer((client) => {
      client.once('data', () => {
        client.write(Buffer.of(5, 0));
        client.once('data', (request: Buffer) => {
          // Version, command, reserved, address type 1 (IPv4), four bytes of address, two of port.
          const host = [...request.subarray(4, 8)].join('.');
          const port = request.readUInt16BE(8);
          tunnels.push(`${host}:${port}`);
          tunnel(client, host, port, () => client.write(Buffer.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
        });
      });
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => void proxy.close());
    return `socks5://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  }

  test.each([
    ['http', httpProxy],
    ['socks5', socksProxy],
  ])('a proxy-url of type %s is where connections go, and beforeSend still comes last', async (_, start) => {
    const authority = createAuthority('proxied');
    const server = await serve(
      (_request, response) => answer(response, 200, { via: 'proxy' }),
      authority.issue('server'),
    );
    const tunnels: string[] = [];
    const proxyUrl = await start(tunnels);
    const caData = Buffer.from(authority.cert).toString('base64');
    const transport = connectTo(server.kubeConfig({ token: 't' }, { caData, proxyUrl }));
    const seen: number[] = [];
    const response = await transport.send(get({ beforeSend: () => void seen.push(tunnels.length) }));
    expect(await read(response)).toBe('{"via":"proxy"}');
    expect(tunnels).toEqual([new URL(server.url).host]);
    expect(seen).toEqual([1]);
  });

  test('a proxy that is not there is one sentence, and certainly nothing was sent', async () => {
    const server = await serve(() => undefined);
    const config = server.kubeConfig(
      { token: 't' },
      { server: 'https://10.0.0.1:6443', proxyUrl: 'http://me:s3cret@127.0.0.1:1' },
    );
    const error = await failureOf(connectTo(config).send(get()));
    expect(error).toMatchObject({
      name: 'TransportError',
      sent: false,
      message: 'could not reach https://10.0.0.1:6443 through proxy 127.0.0.1:1: connection refused',
    });
  });
});

describe('many requests at once', () => {
  const storm = (transport: Transport, count: number, more: Partial<TransportRequest> = {}) =>
    Promise.all(
      Array.from({ length: count }, async (_, i) =>
        read(await transport.send(get({ path: `/${i}`, ...more }))),
      ),
    );

  test('share a capped number of connections, in the order in which they came', async () => {
    const authority = createAuthority('capped');
    let underWay = 0;
    let most = 0;
    const server = await serve((_, response) => {
      most = Math.max(most, ++underWay);
      setTimeout(() => {
        underWay--;
        answer(response, 200, {});
      }, 2);
    }, authority.issue('server'));
    const caData = Buffer.from(authority.cert).toString('base64');
    const transport = connectTo(server.kubeConfig({ token: 't' }, { caData }));
    await storm(transport, 740);
    expect(server.requests).toHaveLength(740);
    expect(most).toBeLessThanOrEqual(32);
    // A few more than a cap's worth of them ever, if any: one that ended at the wrong moment is replaced.
    expect(server.connections).toBeLessThanOrEqual(36);
  });

  test('keep neither a watch nor a renewal waiting', async () => {
    const held: ServerResponse[] = [];
    const server = await serve((request, response) => {
      if (request.path === '/direct') answer(response, 200, {});
      else held.push(response);
    });
    const transport = connectTo(server.kubeConfig(), { maxConnections: 2 });
    const bulk = storm(transport, 5);
    await vi.waitFor(() => expect(held).toHaveLength(2));
    await read(await transport.send(get({ path: '/direct', direct: true })));
    expect(held).toHaveLength(2);
    while (server.requests.length < 6 || held.length > 0) {
      for (const response of held.splice(0)) answer(response, 200, {});
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await bulk;
  });

  test('are let go by those that time out, break or are left unread', async () => {
    let script: 'break' | 'hang' | 'serve' = 'hang';
    const server = await serve((request, response) => {
      if (script === 'serve') answer(response, 200, {});
      else if (script === 'break') request.socket.resetAndDestroy();
      else response.write('first');
    });
    const transport = connectTo(server.kubeConfig(), { maxConnections: 1 });
    for await (const _ of (await transport.send(get())).body) break;
    const abort = new AbortController();
    const reading = failureOf(read(await transport.send(get({ signal: abort.signal }))));
    abort.abort(new Error('too slow'));
    await reading;
    script = 'break';
    await failureOf(transport.send(get()));
    script = 'serve';
    expect(await read(await transport.send(get()))).toBe('{}');
  });

  test('that wait when the transport is closed end at once, and were never sent', async () => {
    const server = await serve(() => undefined);
    const transport = connectTo(server.kubeConfig(), { maxConnections: 1 });
    const first = failureOf(transport.send(get()));
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    const waiting = failureOf(transport.send(get()));
    await transport.close();
    expect(await waiting).toMatchObject({ name: 'TransportError', sent: false });
    await first;
  });

  test('need a cap that is one', async () => {
    const server = await serve(() => undefined);
    for (const maxConnections of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => connectTo(server.kubeConfig(), { maxConnections })).toThrow(/maxConnections/);
    }
  });
});
