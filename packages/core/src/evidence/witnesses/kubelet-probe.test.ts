import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Node } from '../../kubernetes/objects.ts';
import { createAuthority } from '../../testing/certificates.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import { probeKubelet, probeTcp } from './kubelet-probe.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, host);
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/**
 * A process that listens and is stopped: its kernel completes handshakes until the short queue is full, and answers no
 * SYN at all from then on.
 */
async function stoppedListener(): Promise<number> {
  const script =
    'const s = require("node:net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port));';
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanUps.push(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  return Number(line.toString());
}

const probe = (port: number, timeoutMs = 300, clock: Clock = systemClock): ReturnType<typeof probeTcp> =>
  probeTcp('127.0.0.1', port, { clock, timeoutMs });

describe('probeTcp', () => {
  test('answered: something completes a TLS handshake, whoever signed its certificate', async () => {
    const port = await listen(createTlsServer(createAuthority('kubelet').issue('node-1')));
    expect(await probe(port, 3000)).toEqual({ result: 'answered', because: 'answered the TLS handshake' });
  });

  test('answered: something speaks, though not TLS', async () => {
    const port = await listen(createServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    expect(await probe(port, 3000)).toMatchObject({ result: 'answered' });
  });

  test('refused: nothing listens there', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    await once(server, 'close');
    expect(await probe(port)).toEqual({ result: 'refused', because: 'refused the connection' });
  });

  test('mute: accepted, and then nothing within the time', async () => {
    const port = await listen(createServer(() => undefined));
    expect(await probe(port)).toEqual({
      result: 'mute',
      because: 'accepted the connection, but said nothing within 300 ms',
    });
  });

  test('mute: a kubelet that is stopped, whose kernel still accepts', async () => {
    expect(await probe(await stoppedListener())).toMatchObject({ result: 'mute' });
  });

  test('mute: accepted, and then closed without a word', async () => {
    const port = await listen(createServer((socket) => void socket.end()));
    expect(await probe(port, 3000)).toMatchObject({ result: 'mute' });
  });

  test('mute or refused, both of them life: accepted, and then reset, which can overtake the accepting', async () => {
    const port = await listen(createServer((socket) => void socket.resetAndDestroy()));
    expect(['mute', 'refused']).toContain((await probe(port, 3000)).result);
  });

  test('mute at once, as far as the host is asked for alone: the kernel accepted, and no handshake begins', async () => {
    let bytes = 0;
    const server = createServer((socket) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
    });
    const port = await listen(server);
    const outcome = await probeTcp('127.0.0.1', port, {
      clock: systemClock,
      timeoutMs: 60_000,
      until: 'host',
    });
    expect(outcome.result).toBe('mute');
    await new Promise((resolve) => server.close(resolve));
    expect(bytes).toBe(0);
  });

  test('silent: no answer to a SYN within the time', async () => {
    const port = await stoppedListener();
    const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    cleanUps.push(() => {
      for (const filler of fillers) filler.destroy();
    });
    await vi.waitFor(() => expect(fillers.filter((filler) => !filler.connecting).length).toBeGreaterThan(1));
    expect(await probe(port)).toEqual({ result: 'silent', because: 'no answer within 300 ms' });
  });

  test('failed: an address that is not one, since that says nothing about any host', async () => {
    const outcome = await probeTcp('no-such-host.invalid', 10250, { clock: systemClock, timeoutMs: 5000 });
    expect(outcome).toMatchObject({
      result: 'failed',
      because: expect.stringContaining('could not even try'),
    });
  });

  test('failed: an address to which this machine itself has no way', async () => {
    const outcome = await probeTcp('255.255.255.255', 10250, { clock: systemClock, timeoutMs: 1000 });
    expect(outcome).toMatchObject({ result: 'failed', because: expect.stringContaining('no route') });
  });

  test('failed: the probe was ended, before or within', async () => {
    const port = await listen(createServer(() => undefined));
    const abort = new AbortController();
    const pending = probeTcp('127.0.0.1', port, {
      clock: systemClock,
      timeoutMs: 60_000,
      signal: abort.signal,
    });
    abort.abort();
    expect(await pending).toEqual({ result: 'failed', because: 'the probe was ended' });
    const never = probeTcp('127.0.0.1', port, {
      clock: systemClock,
      timeoutMs: 60_000,
      signal: abort.signal,
    });
    expect(await never).toMatchObject({ result: 'failed' });
  });

  test('failed: this process stood still, and so may have missed the answer', async () => {
    const port = await stoppedListener();
    const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    cleanUps.push(() => {
      for (const filler of fillers) filler.destroy();
    });
    await vi.waitFor(() => expect(fillers.filter((filler) => !filler.connecting).length).toBeGreaterThan(1));
    const clock = new ManualClock();
    const late: Clock = {
      now: () => clock.now() + (clock.pendingTimers === 0 ? 60_000 : 0),
      wallTime: () => clock.wallTime(),
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    };
    const startedAt = clock.setTimeout(() => undefined, 1);
    const pending = probe(port, 3000, late);
    clock.clearTimeout(startedAt);
    await clock.advance(3000);
    expect(await pending).toMatchObject({
      result: 'failed',
      because: expect.stringContaining('stood still'),
    });
  });

  test('an answer that came while this process was busy is heard, though its time is over', async () => {
    const port = await listen(createServer(() => undefined));
    const pending = probe(port, 50);
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(await pending).toMatchObject({ result: 'mute' });
  });

  test('closes its connection and leaves no listener and no timer', async () => {
    let closed = false;
    const server = createServer((socket) => {
      socket.resume().on('close', () => {
        closed = true;
      });
    });
    const port = await listen(server);
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const add = vi.spyOn(signal, 'addEventListener');
    const remove = vi.spyOn(signal, 'removeEventListener');
    const pending = probeTcp('127.0.0.1', port, { clock, timeoutMs: 1000, signal });
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect(clock.pendingTimers).toBe(0);
    });
    await pending;
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove).toHaveBeenCalledTimes(1);
    await vi.waitFor(() => expect(closed).toBe(true));
  });
});

describe('probeKubelet', () => {
  const node = (addresses: readonly string[], port?: number): Node => ({
    metadata: { name: 'node-1', uid: 'u', resourceVersion: '1' },
    status: {
      addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
      ...(port === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: port } } }),
    },
  });
  const options = { clock: systemClock, timeoutMs: 300 };

  test('asks the port that the node names', async () => {
    const port = await listen(createServer(() => undefined));
    expect(await probeKubelet(node(['127.0.0.1'], port), options)).toMatchObject({ result: 'mute' });
  });

  test('one address that lives is enough', async () => {
    const port = await listen(createServer(() => undefined));
    expect(await probeKubelet(node(['127.0.0.2', '127.0.0.1'], port), options)).toMatchObject({
      result: 'mute',
    });
  });

  test('without an address, nothing is known', async () => {
    expect(await probeKubelet(node([], 10_250), options)).toMatchObject({ result: 'failed' });
    const bare: Node = { metadata: { name: 'node-1', uid: 'u', resourceVersion: '1' } };
    expect(await probeKubelet(bare, options)).toMatchObject({ result: 'failed' });
  });
});
