// The hosts of all nodes, each at an address of its own on the loopback device: whoever connects is answered, until a host dies.
// Then a SYN to it stays without any answer, as one to a machine without power does.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { firstLineOf, startChild } from '../child.ts';

/** More than the shortest queue holds. Linux drops a SYN for a listener whose queue is full. */
const callers = 4;

/** All addresses lead here as long as no more precise listener has one. TLS, as a kubelet's port: probes count that as an answer. */
const answering = `
const { readFileSync, writeSync } = require('node:fs');
const { key, cert } = JSON.parse(readFileSync(0, 'utf8'));
const server = require('node:tls').createServer({ key, cert }, (socket) => socket.on('error', () => {}).end());
server.on('tlsClientError', () => {});
server.listen({ host: '0.0.0.0', port: 0, reusePort: true }, () => writeSync(1, server.address().port + '\\n'));`;

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
  readonly #children: ChildProcess[] = [];
  readonly #waiting: Socket[] = [];

  private constructor(answering: ChildProcess, port: number) {
    this.#children.push(answering);
    this.port = port;
  }

  static async open(identity: { readonly key: string; readonly cert: string }): Promise<Hosts> {
    const child = startChild(process.execPath, ['--eval', answering]);
    child.stdin?.end(JSON.stringify(identity));
    return new Hosts(child, Number(await firstLineOf(child)));
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
