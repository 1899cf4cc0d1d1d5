// The way to one Redfish service, for one answer of the driver: credentials as they are now, and nothing sent anywhere else.

import { Pool } from 'undici';
import type { Clock } from '../../time/clock.ts';
import { SecretError, type Secrets } from '../secrets.ts';
import { trustIn } from './ca-file.ts';
import { Trouble } from './device-trouble.ts';
import { exchange, type Headers, type RawAnswer } from './http-exchange.ts';
import { jsonOf, type Posted, redirectOf, wrongOf } from './redfish-answer.ts';

const mostRedirects = 5;
/** Controllers are small computers: more at once makes each answer slower. */
const mostConnections = 4;

export interface DoorOptions {
  readonly origin: string;
  /** Files. */
  readonly username: string;
  readonly password: string;
  readonly ca: string | undefined;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly requestTimeoutMs: number;
}

/** A resource that was read. */
export interface Resource {
  /** Where it was found in the end, after redirects. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export class Door implements AsyncDisposable {
  readonly origin: string;
  /** The account's name as it was last read. */
  account = '';
  readonly #options: DoorOptions;
  readonly #pool: Pool;
  #authorization = '';

  private constructor(options: DoorOptions, pool: Pool) {
    this.#options = options;
    this.#pool = pool;
    this.origin = options.origin;
  }

  /** @throws {@link Trouble} when a file can't be used. */
  static async open(options: DoorOptions): Promise<Door> {
    const secureContext = options.ca === undefined ? undefined : await trustIn(options.ca);
    const pool = new Pool(options.origin, {
      connections: mostConnections,
      allowH2: false,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {
        timeout: options.requestTimeoutMs,
        ...(secureContext !== undefined && { secureContext }),
      },
    });
    const door = new Door(options, pool);
    try {
      await door.#readCredentials();
    } catch (error) {
      await door[Symbol.asyncDispose]();
      throw error;
    }
    return door;
  }

  /** Ends every request that is still under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.destroy();
  }

  /** @throws {@link Trouble} for everything but a JSON object with a status of success. */
  async get(path: string): Promise<Resource> {
    let at = path;
    for (let redirects = 0; redirects <= mostRedirects; ) {
      const answer = await this.#authorized('GET', at);
      const to = redirectOf(answer, [301, 302, 303, 307, 308]);
      if (to === undefined) {
        const { headers } = answer;
        const wrong = wrongOf(answer, `${at} with`);
        if (wrong !== undefined) throw wrong;
        const body = await jsonOf(answer);
        if (body === undefined) throw new Trouble(`answered ${at} with what is no JSON object`);
        return { path: at, headers, body };
      }
      at = this.redirected(at, to);
      redirects++;
    }
    throw new Trouble(`redirects ${path} again and again`, { permanent: true });
  }

  /** Reads it once, whatever the status. Rejects with a {@link Trouble} when there is no answer, or one to strangers. */
  async look(path: string): Promise<Posted> {
    const answer = await this.#authorized('GET', path);
    const { status, headers } = answer;
    const wrong = wrongOf(answer, `${path} with`);
    if (wrong?.kind === 'access') throw wrong;
    return { status, headers, body: await jsonOf(answer) };
  }

  /**
   * Sends it once, follows nothing. Rejects with a {@link Trouble} when there is no answer, or with what `beforeSend` threw, which is
   * called at the moment at which the first byte would leave.
   */
  async post(
    path: string,
    body: object,
    more: { readonly ifMatch?: string | undefined; readonly beforeSend: () => void },
  ): Promise<Posted> {
    const answer = await this.#send('POST', path, {
      body: JSON.stringify(body),
      beforeSend: more.beforeSend,
      ...(more.ifMatch !== undefined && { ifMatch: more.ifMatch }),
    });
    const { status, headers } = answer;
    // An answer that breaks off after its status has still said what it was about.
    return { status, headers, body: await jsonOf(answer).catch(() => undefined) };
  }

  /** Reads the credentials again; true when they are others now. */
  async renewed(): Promise<boolean> {
    const before = this.#authorization;
    await this.#readCredentials();
    return this.#authorization !== before;
  }

  /** @throws {@link Trouble} when it leads to another host: our credentials go nowhere else. */
  redirected(from: string, to: string | undefined): string {
    const path = this.within(from, to);
    if (path !== undefined) return path;
    throw new Trouble(
      to === undefined
        ? `redirects ${from} to nowhere`
        : `redirects ${from} to another host, which is not followed`,
      { permanent: true },
    );
  }

  /** The path of a link that this service gave; undefined when it leads elsewhere, or nowhere. */
  within(base: string, link: unknown): string | undefined {
    if (typeof link !== 'string' || link === '') return undefined;
    const url = URL.parse(link, `${this.origin}${base}`);
    if (url === null || url.origin !== this.origin || url.username !== '' || url.password !== '')
      return undefined;
    return `${url.pathname}${url.search}`;
  }

  /** A 401 while a Secret is renewed is no refusal: with other credentials it is tried once more. */
  async #authorized(method: 'GET', path: string): Promise<RawAnswer> {
    const answer = await this.#send(method, path);
    return answer.status === 401 && (await this.renewed()) ? this.#send(method, path) : answer;
  }

  #send(
    method: 'GET' | 'POST',
    path: string,
    more: { readonly body?: string; readonly ifMatch?: string; readonly beforeSend?: () => void } = {},
  ): Promise<RawAnswer> {
    const { origin, clock, signal, requestTimeoutMs: timeoutMs } = this.#options;
    const { body, ifMatch, beforeSend } = more;
    return exchange({
      dispatcher: this.#pool,
      clock,
      signal,
      timeoutMs,
      request: {
        origin,
        path,
        method,
        headers: {
          authorization: this.#authorization,
          accept: 'application/json',
          'accept-encoding': 'identity',
          'odata-version': '4.0',
          'user-agent': 'liberator',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        },
        ...(body !== undefined && { body }),
      },
      ...(beforeSend !== undefined && { beforeSend }),
    });
  }

  async #readCredentials(): Promise<void> {
    const { secrets, username, password } = this.#options;
    try {
      const [name, word] = [await secrets.read(username), await secrets.read(password)];
      if (name.includes(':'))
        throw new SecretError(`${username} holds a name with a colon, which basic auth cannot carry`);
      const pair = `${name}:${word}`;
      // With it in all its encodings: base64 is how it appears in the header.
      secrets.remember(pair);
      this.account = name;
      this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      // Kubernetes replaces files of a Secret while it is renewed, and mounts late what is optional.
      throw new Trouble(error.message, { kind: 'access' });
    }
  }
}
