// A TLS server and a proxy that note all that a client says of itself, and a way to have two programs say it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** What arrived of one request. */
export interface Arrival {
  readonly serverName: string | false;
  readonly authorization: string | undefined;
  /** Lines of headers, sorted, repeated ones included. */
  readonly impersonation: readonly string[];
  /** Common name of the client's certificate. */
  readonly certificate: string | undefined;
  readonly path: string;
}

export interface Recorder extends AsyncDisposable {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly proxyUrl: string;
  /** What came since this was called last, proxies asked for included. */
  take(): { readonly arrivals: readonly Arrival[]; readonly tunnels: readonly string[] };
}

/** @param tls - Of the server, and whose client certificates it asks for. */
export async function startRecorder(tls: { key: string; cert: string; ca: string }): Promise<Recorder> {
  let arrivals: Arrival[] = [];
  let tunnels: string[] = [];
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket & { readonly servername?: string | false };
      const lines: string[] = [];
      for (let i = 0; i < request.rawHeaders.length; i += 2) {
        const name = request.rawHeaders[i]?.toLowerCase() ?? '';
        if (name.startsWith('impersonate-')) lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
      }
      arrivals.push({
        serverName: socket.servername ?? false,
        authorization: request.headers.authorization,
        impersonation: lines.toSorted(),
        certificate: socket.getPeerCertificate().subject?.CN as string | undefined,
        path: request.url ?? '',
      });
      response.setHeader('content-type', 'application/json');
      // Whatever else is asked for is not there, which ends a command at once.
      response.statusCode = request.url === '/version' ? 200 : 404;
      response.end('{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}');
    },
  );
  // Whatever name is asked for, the tunnel ends at the server: names of tests are in no DNS.
  const proxy = createHttpServer();
  proxy.on('connect', (request, client) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`.trim());
    const upstream = connect(portOf(server), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('error', () => upstream.destroy());
  });
  for (const one of [server, proxy]) {
    one.listen(0, '127.0.0.1');
    await once(one, 'listening');
  }
  return {
    url: `https://127.0.0.1:${portOf(server)}`,
    port: portOf(server),
    proxyUrl: `http://127.0.0.1:${portOf(proxy)}`,
    take() {
      const taken = { arrivals, tunnels };
      arrivals = [];
      tunnels = [];
      return taken;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      proxy.closeAllConnections();
      await Promise.all([server, proxy].map((one) => new Promise((resolve) => one.close(resolve))));
    },
  };
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  return (server.address() as AddressInfo).port;
}

/** Runs a program without a terminal to its end. */
export async function run(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

/** Runs a program on a terminal, types, and gives back what was to be seen there. */
export async function typing(
  text: string,
  program: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  const command = program.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    // Once it is asked for: what is typed before is lost when the terminal is set up.
    if (!seen.includes('open https://login') && (seen + chunk).includes('open https://login'))
      child.stdin.write(text);
    seen += chunk;
  });
  await once(child, 'close');
  return seen;
}
