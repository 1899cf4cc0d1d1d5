// Serves a few pages that can only be read, and streams that go on until somebody hangs up.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';

export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** By path. Each is asked anew for every request, synchronously once the request's head is here. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>;

/** By path. Each writes head and body itself, for as long as it likes. */
type Streams = Readonly<Record<string, (response: ServerResponse) => void>>;

export interface PageServerOptions {
  /** Empty: every address of this machine, of both families where it has both. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly pages: Pages;
  readonly streams?: Streams;
  /** Where to set another address, should this one be taken: `http.port`. */
  readonly setting: string;
}

export interface RunningHttpServer extends AsyncDisposable {
  /** The port that it really listens on. */
  readonly port: number;
}

const plainText = 'text/plain; charset=utf-8';

/** @throws {@link FatalError} when the address can't be listened on. */
export async function servePages(options: PageServerOptions): Promise<RunningHttpServer> {
  const server = createServer((request, response) => void answer(options, request, response));
  await listen(server, options);
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

/** A page that says in one line each what was looked at: 200 when all is well, else 503. */
export function reportPage({ ok, lines }: { readonly ok: boolean; readonly lines: readonly string[] }): Page {
  return { status: ok ? 200 : 503, contentType: plainText, body: `${lines.join('\n')}\n` };
}

function listen(server: Server, options: PageServerOptions): Promise<void> {
  const { address, port, setting } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const why =
        'code' in error && error.code === 'EADDRINUSE' ? 'the port is already in use' : sentenceOf(error);
      const message = `could not listen on ${address}:${port} for ${paths(options, ' and ')}: ${why}; set ${setting}`;
      reject(new FatalError(message, { code: 'LIBERATOR_LISTEN', exitCode: exitCode.failed, cause: error }));
    });
    server.listen({ port, ...(address !== '' && { host: address }) }, () => resolve());
  });
}

async function answer(
  { pages, streams = {}, ...options }: PageServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const stream = Object.hasOwn(streams, path) ? streams[path] : undefined;
  if (stream !== undefined && request.method === 'GET') return stream(response);
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  const found =
    page === undefined && stream === undefined
      ? { status: 404, body: `There is nothing here; there are ${paths({ pages, streams, ...options })}.\n` }
      : await read(page, request.method);
  const { status, body, contentType } = { contentType: plainText, ...found };
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function read(
  page: Pages[string] | undefined,
  method: string | undefined,
): Promise<Pick<Page, 'status' | 'body'> & Partial<Page>> {
  if (page === undefined) return { status: 405, body: 'This stream can only be followed, with GET.\n' };
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'This page can only be read.\n' };
  try {
    return await page();
  } catch (error) {
    return { status: 500, body: `${sentenceOf(error)}\n` };
  }
}

function paths({ pages, streams = {} }: PageServerOptions, beforeLast: string = ', '): string {
  const all = [...Object.keys(pages), ...Object.keys(streams)];
  return [all.slice(0, -1).join(', '), ...all.slice(-1)].filter((part) => part !== '').join(beforeLast);
}
