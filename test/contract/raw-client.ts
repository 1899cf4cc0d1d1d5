// Plain HTTP to an API server, so that the contract is stated in status codes and JSON and not through some library.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';

/** JSON, read without ceremony: a wrong shape fails the expectation that reads it. */
export interface Json {
  readonly [field: string]: Json & string & number & boolean & readonly Json[] & null;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** The parsed body; an empty object when it isn't JSON. */
  readonly body: Json;
}

/** One line of a watch. */
export interface WatchLine {
  readonly type: string;
  readonly object: Json;
}

/** A watch under way. */
export interface RawWatch {
  readonly status: number;
  /** The lines so far; grows. */
  readonly lines: readonly WatchLine[];
  /** Resolves with the first line that fits, past or future; rejects after `withinMs`. */
  next(fits: (line: WatchLine) => boolean, withinMs?: number): Promise<WatchLine>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

interface RequestOptions {
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface KubeconfigFile {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  readonly users: readonly {
    user: { token?: string; 'client-certificate-data'?: string; 'client-key-data'?: string };
  }[];
}

/** No request but a watch may be silent for this long. */
const silenceMs = 10_000;

/** The client of one target. */
export class RawClient {
  readonly #server: string;
  readonly #token: string | undefined;
  readonly #agent: HttpAgent;
  readonly #request: typeof requestHttp;

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(kubeconfig) as KubeconfigFile;
    const cluster = clusters[0]?.cluster;
    const user = users[0]?.user ?? {};
    if (cluster === undefined) throw new Error('expected a kubeconfig with a cluster, found none');
    this.#server = cluster.server;
    this.#token = user.token;
    const pem = (base64: string | undefined): Buffer | undefined =>
      base64 === undefined ? undefined : Buffer.from(base64, 'base64');
    const secure = cluster.server.startsWith('https:');
    this.#request = secure ? requestHttps : requestHttp;
    this.#agent = secure
      ? new HttpsAgent({
          keepAlive: true,
          ca: pem(cluster['certificate-authority-data']),
          cert: pem(user['client-certificate-data']),
          key: pem(user['client-key-data']),
        })
      : new HttpAgent({ keepAlive: true });
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  post(path: string, body: unknown, options?: RequestOptions): Promise<Answer> {
    return this.call('POST', path, body, options);
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.call('PUT', path, body);
  }

  delete(path: string, body?: unknown): Promise<Answer> {
    return this.call('DELETE', path, body);
  }

  /** `kind` is the word before `+json` in the media type: `merge-patch`, `json-patch`, `strategic-merge-patch`. */
  patch(path: string, kind: string, body: unknown): Promise<Answer> {
    return this.call('PATCH', path, body, { contentType: `application/${kind}+json` });
  }

  /** A string goes out as it is, anything else as JSON. */
  async call(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    const response = await this.#open(method, path, body, options);
    response.setTimeout?.(silenceMs, () =>
      response.destroy(new Error(`expected ${method} ${path} to end, found silence`)),
    );
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : {},
    };
  }

  /** Opens a watch; `path` carries its own query. */
  async watch(path: string): Promise<RawWatch> {
    const response = await this.#open('GET', path, undefined, {});
    return new LineWatch(response);
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(method: string, path: string, body: unknown, options: RequestOptions): Promise<IncomingMessage> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      accept: 'application/json',
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      // Node.js doesn't say by itself that a DELETE has a body.
      ...(text === undefined
        ? {}
        : {
            'content-type': options.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(text),
          }),
      ...options.headers,
    };
    return new Promise((resolve, reject) => {
      const sent = this.#request(`${this.#server}${path}`, { method, agent: this.#agent, headers }, resolve);
      sent.once('error', reject);
      sent.end(text);
    });
  }
}

class LineWatch implements RawWatch {
  readonly status: number;
  readonly lines: WatchLine[] = [];
  readonly ended: Promise<void>;
  readonly #response: IncomingMessage;
  readonly #waiting = new Set<() => void>();

  constructor(response: IncomingMessage) {
    this.#response = response;
    this.status = response.statusCode ?? 0;
    // Closing a watch from this side is an error of the stream's, and none of a test's.
    response.on('error', () => {});
    const reader = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on('line', (line) => {
      if (line.trim() === '') return;
      this.lines.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
    this.ended = new Promise((resolve) => response.once('close', resolve));
  }

  next(fits: (line: WatchLine) => boolean, withinMs = 10_000): Promise<WatchLine> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const found = this.lines.find(fits);
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const heard = this.lines.map((line) => `${line.type} ${line.object['metadata']?.['name'] ?? ''}`);
        reject(
          new Error(
            `expected a certain line within ${withinMs} ms, heard only: ${heard.join(', ') || 'nothing'}`,
          ),
        );
      }, withinMs);
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.#response.destroy();
  }
}
