// The three pages that the surroundings of the agent ask for: /healthz, /readyz and /metrics.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { exitCode } from '../exit-code.ts';
import { FatalError, sentenceOf } from '../failure.ts';
import type { AgentHealth, HealthReport } from './health.ts';

export interface HttpServerOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly health: Pick<AgentHealth, 'liveness' | 'readiness'>;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
}

export interface RunningHttpServer extends AsyncDisposable {
  /** The port that it really listens on. */
  readonly port: number;
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

const plainText = 'text/plain; charset=utf-8';

/** @throws {@link FatalError} when the address can't be listened on. */
export async function startHttpServer(options: HttpServerOptions): Promise<RunningHttpServer> {
  const pages: Readonly<Record<string, () => Page | Promise<Page>>> = {
    '/healthz': () => healthPage(options.health.liveness()),
    '/readyz': () => healthPage(options.health.readiness()),
    '/metrics': async () => ({
      status: 200,
      contentType: options.registry.contentType,
      body: await options.registry.metrics(),
    }),
  };
  const server = createServer((request, response) => void answer(pages, request, response));
  await listen(server, options.address, options.port);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why =
        'code' in error && error.code === 'EADDRINUSE' ? 'the port is already in use' : sentenceOf(error);
      const message = `could not listen on ${address}:${port} for /healthz, /readyz and /metrics: ${why}; set http.port`;
      reject(new FatalError(message, { code: 'LIBERATOR_LISTEN', exitCode: exitCode.failed, cause: error }));
    });
    server.listen(port, address, () => resolve());
  });
}

async function answer(
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, contentType, body } = await pageFor(pages, request);
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function pageFor(
  pages: Readonly<Record<string, () => Page | Promise<Page>>>,
  { method, url = '' }: IncomingMessage,
): Promise<Page> {
  const path = url.split('?', 1)[0] ?? '';
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  if (page === undefined) {
    const body = `There is nothing here; there are ${Object.keys(pages).join(', ')}.\n`;
    return { status: 404, contentType: plainText, body };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, contentType: plainText, body: 'This page can only be read.\n' };
  }
  try {
    return await page();
  } catch (error) {
    return { status: 500, contentType: plainText, body: `${sentenceOf(error)}\n` };
  }
}

function healthPage({ ok, lines }: HealthReport): Page {
  return { status: ok ? 200 : 503, contentType: plainText, body: `${lines.join('\n')}\n` };
}
