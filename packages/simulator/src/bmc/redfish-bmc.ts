// A management controller on a real socket: what switches simulated machines, over the protocol of real ones.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Clock, sleep, systemClock } from '@liberator/core';
import type { BmcFaults } from './bmc-faults.ts';
import { BmcMachine, type BmcMachineOptions } from './bmc-machine.ts';
import { appliesTo, BmcService, type BmcUser, type ServiceAnswer } from './bmc-service.ts';

/** A certificate and its key, as PEM. */
export interface BmcCertificate {
  /** The certificate. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
}

/** Options of {@link startRedfishBmc}. */
export interface RedfishBmcOptions {
  /** At least one: a server's own controller has one, a chassis has several. */
  readonly machines: readonly BmcMachineOptions[];
  /** Default: `admin` with the password `password`. */
  readonly users?: readonly BmcUser[];
  /** Default: plain HTTP. */
  readonly certificate?: BmcCertificate;
  /** Default 0: any free port. It listens on 127.0.0.1 only. */
  readonly port?: number;
  /** Times how long machines take to switch, and slow answers. Default: real time. */
  readonly clock?: Clock;
  /** How many systems a page of the list has. Default: all. */
  readonly pageSize?: number;
}

/** One request that a controller got. */
export interface BmcRequest {
  /** When it arrived whole, as the controller's clock has it. */
  readonly at: number;
  /** As it came. */
  readonly method: string;
  /** As it came. */
  readonly path: string;
  /** Of a POST: `ForceOff`. */
  readonly resetType?: string;
  /** Whose credentials came with it; absent for those of nobody. */
  readonly user?: string;
  /** What it was answered with; absent when it wasn't, or not yet. */
  status?: number;
}

/** A running controller. */
export interface RedfishBmc extends AsyncDisposable {
  /** `http://127.0.0.1:40123`. */
  readonly url: string;
  /** All requests so far, in the order in which they came. */
  readonly requests: readonly BmcRequest[];
  /** What goes wrong with the whole controller now; `{}` ends all of it. What is wrong with one machine is at that machine. */
  faults: BmcFaults;
  /**
   * One machine: its true power, and what is wrong with it.
   *
   * @throws RangeError when there is no machine of that name.
   */
  machine(name: string): BmcMachine;
  /** Ends all faults, those of machines included. */
  heal(): void;
  /**
   * Shows another certificate to new connections, and ends those that there are.
   *
   * @throws Error when it speaks plain HTTP.
   */
  showCertificate(certificate: BmcCertificate): void;
  /** Ends all connections and everything that is under way. Idempotent. */
  close(): Promise<void>;
}

/** Longer is no request to a controller. */
const longestBodyBytes = 65_536;

/**
 * Starts a Redfish service with the machines behind it: enough of one for a fencer, with the faults of real ones.
 *
 * Not imitated: sessions, updates, events, and all resources but systems, tasks and accounts.
 *
 * @example A simulated node dies when its power is cut
 * ```ts
 * const node = cluster.machine('node-2');
 * await using bmc = await startRedfishBmc({
 *   machines: [{ name: node.name, uuid, onPower: (power) => (power === 'Off' ? node.crash() : node.powerOn()) }],
 * });
 * bmc.machine('node-2').faults = { stuck: true };
 * ```
 */
export async function startRedfishBmc(options: RedfishBmcOptions): Promise<RedfishBmc> {
  const { clock = systemClock, users = [{ username: 'admin', password: 'password' }] } = options;
  const machines = new Map(options.machines.map((one) => [one.name, new BmcMachine(one, clock)]));
  if (machines.size < options.machines.length)
    throw new RangeError('expected machines with names of their own');
  const bmc = new Bmc(options, machines, users, clock);
  await bmc.listen(options.port ?? 0);
  return bmc;
}

class Bmc implements RedfishBmc {
  readonly requests: BmcRequest[] = [];
  faults: BmcFaults = {};
  url = '';
  readonly #machines: ReadonlyMap<string, BmcMachine>;
  readonly #service: BmcService;
  readonly #server: Server | TlsServer;
  readonly #clock: Clock;
  readonly #closing = new AbortController();

  constructor(
    { certificate, pageSize }: RedfishBmcOptions,
    machines: ReadonlyMap<string, BmcMachine>,
    users: readonly BmcUser[],
    clock: Clock,
  ) {
    this.#machines = machines;
    this.#clock = clock;
    this.#service = new BmcService({
      machines,
      users,
      pageSize: pageSize ?? Number.POSITIVE_INFINITY,
      faults: () => this.faults,
    });
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    };
    this.#server =
      certificate === undefined ? createServer(listener) : createTlsServer(certificate, listener);
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const scheme = 'setSecureContext' in this.#server ? 'https' : 'http';
    this.url = `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  machine(name: string): BmcMachine {
    const machine = this.#machines.get(name);
    if (machine !== undefined) return machine;
    const known = [...this.#machines.keys()].join(', ');
    throw new RangeError(`expected the name of a machine (${known}), found "${name}"`);
  }

  heal(): void {
    this.faults = {};
    for (const machine of this.#machines.values()) machine.faults = {};
  }

  showCertificate(certificate: BmcCertificate): void {
    if (!('setSecureContext' in this.#server))
      throw new Error('expected a controller with TLS, found plain HTTP');
    this.#server.setSecureContext(certificate);
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const machine of this.#machines.values()) machine.dispose();
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = incoming;
    const request = { method, path, headers, body: await bodyOf(incoming) };
    const noted = this.#note(request);
    const faults = appliesTo(this.faults, request) ? this.faults : {};
    if (faults.reset === true) incoming.socket.resetAndDestroy();
    if (faults.reset === true || faults.hang === true) return;
    const answer = this.#service.answer(request);
    if (faults.slowMs !== undefined) await sleep(this.#clock, faults.slowMs, this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    noted.status = answer.status;
    send(answer, faults, outgoing);
  }

  #note(request: {
    method: string;
    path: string;
    body: string;
    headers: IncomingMessage['headers'];
  }): BmcRequest {
    const { method, path, body } = request;
    const user = this.#service.userOf(request)?.username;
    const [, resetType] = /"ResetType"\s*:\s*"(\w+)"/.exec(body) ?? [];
    const noted: BmcRequest = {
      at: this.#clock.now(),
      method,
      path,
      ...(resetType !== undefined && { resetType }),
      ...(user !== undefined && { user }),
    };
    this.requests.push(noted);
    return noted;
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBodyBytes) throw new RangeError('expected a short request');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send({ status, headers, body }: ServiceAnswer, faults: BmcFaults, outgoing: ServerResponse): void {
  const json = body === undefined ? '' : JSON.stringify(body);
  const text =
    faults.notJson === true ? '<html><body>It works!</body></html>' : json.padEnd(faults.bytes ?? 0);
  if (status === 204) {
    outgoing.writeHead(204, { ...headers }).end();
    return;
  }
  outgoing.writeHead(status, {
    'content-type': faults.notJson === true ? 'text/html' : 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  if (faults.truncated === true) {
    outgoing.write(text.slice(0, text.length / 2), () => outgoing.socket?.destroy());
  } else outgoing.end(text);
}
