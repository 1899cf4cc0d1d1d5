// The hosts of all nodes, each at an address of its own on the loopback device: whoever connects is answered, until a host dies.
// Then a SYN to it stays without any answer, as one to a machine without power does.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { firstLineOf, startChild } from '../../processes/child.ts';

/** More than the shortest queue holds. Linux drops a SYN for a listener whose queue is full. */
const callers = 4;

/**
 * All addresses lead here as long as no more precise listener has one. TLS, as a kubelet's port: probes count that as an answer.
 * The first line that it reads is its identity, each further one a number: how many hosts were asked at least so often?
 */
const answering = `
const asked = new Map();
let server;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  if (server !== undefined) {
    console.log([...asked.values()].filter((times) => times >= Number(line)).length);
    return;
  }
  server = require('node:tls').createServer(JSON.parse(line), (socket) => socket.on('error', () => {}).end());
  server.on('connection', ({ localAddress }) => asked.set(localAddress, (asked.get(localAddress) ?? 0) + 1));
  server.on('tlsClientError', () => {});
  server.listen({ host: '0.0.0.0', port: 0, reusePort: true }, () => console.log(server.address().port));
}).on('close', () => process.exit());`;

/** Listens at each address that it is told and then stands still: its queues fill up, and nobody empties them. */
const silent = `
const { writeSync } = require('node:fs');
const [port, ...addresses] = process.argv.slice(1);
let left = addresses.length;
for (const host of addresses) {
  require('node:net').createServer().listen({ host, port: Number(port), backlog: 1, reusePort: true }, () => {
    left -= 1;
    if (left === 0) writeSync(1, 'listening\\n');
  });
}`;

export class Hosts implements AsyncDisposable {
  /** The kubelets' port, the same on all hosts. */
  readonly port: number;
  readonly #answering: ChildProcess;
  readonly #children: ChildProcess[] = [];
  readonly #waiting: Socket[] = [];

  private constructor(answering: ChildProcess, port: number) {
    this.#answering = answering;
    this.#children.push(answering);
    this.port = port;
  }

  static async open(identity: { readonly key: string; readonly cert: string }): Promise<Hosts> {
    const child = startChild(process.execPath, ['--eval', answering]);
    child.stdin?.write(`${JSON.stringify(identity)}\n`);
    return new Hosts(child, Number(await firstLineOf(child)));
  }

  /** How many hosts somebody has connected to at least so often. */
  async asked(times: number): Promise<number> {
    const answer = firstLineOf(this.#answering);
    this.#answering.stdin?.write(`${times}\n`);
    return Number(await answer);
  }

  /** From now on these hosts say nothing; resolves when they are silent for certain. */
  async silence(addresses: readonly string[]): Promise<void> {
    const child = startChild(process.execPath, ['--eval', silent, String(this.port), ...addresses]);
    this.#children.push(child);
    await firstLineOf(child);
    child.kill('SIGSTOP');
    // A few hundred at a time: each takes a socket on both sides.
    for (let at = 0; at < addresses.length; at += 100) {
      await Promise.all(addresses.slice(at, at + 100).map((host) => this.#fillQueue(host)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#waiting) socket.destroy();
    const ended = this.#children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'close'));
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.all(ended);
  }

  async #fillQueue(host: string): Promise<void> {
    const sockets = Array.from({ length: callers }, () => connect({ host, port: this.port }));
    for (const socket of sockets) socket.on('error', () => undefined);
    this.#waiting.push(...sockets);
    // The kernel lets them in one after another: with the first, all have been at the door.
    await Promise.race(sockets.map((socket) => once(socket, 'connect')));
  }
}
