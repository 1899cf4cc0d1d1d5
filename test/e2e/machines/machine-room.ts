// The power of a cluster's hollow nodes, behind an HTTP page that fence devices switch: it knows what is true, and when it was.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ControlPlane } from '../../control-plane/cluster.ts';

/** What a device of this machine gets wrong. */
export interface MachineFault {
  /** Takes an order and does nothing. */
  readonly stuck?: boolean;
  /** Each answer takes so long, in milliseconds. */
  readonly slowMs?: number;
}

/** A machine's power as it changed. */
export interface PowerChange {
  /** Wall clock in milliseconds, as the audit log has it: both are of this machine. */
  readonly at: number;
  readonly node: string;
  readonly power: 'on' | 'off';
}

export class MachineRoom implements AsyncDisposable {
  /** Every change that a device made, oldest first. */
  readonly log: PowerChange[] = [];
  /** Every order that arrived, carried out or not. */
  readonly orders: string[] = [];
  readonly faults: Map<string, MachineFault> = new Map();
  /** Called with each order before it is carried out, and again after it was, before the device knows. */
  onOrder: (node: string, moment: 'before' | 'after') => Promise<void> = async () => {};
  readonly url: string;
  readonly #cluster: ControlPlane;
  readonly #close: () => Promise<void>;

  private constructor(cluster: ControlPlane, url: string, close: () => Promise<void>) {
    this.#cluster = cluster;
    this.url = url;
    this.#close = close;
  }

  static async open(cluster: ControlPlane): Promise<MachineRoom> {
    let room: MachineRoom | undefined;
    const server = createServer((request, response) => {
      room?.serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    room = new MachineRoom(cluster, `http://127.0.0.1:${port}`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return room;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  /** What is so. A machine whose kubelet was stopped, or whose cable is out, has power. */
  powerOf(node: string): 'on' | 'off' {
    return this.#cluster.node(node).condition === 'crashed' ? 'off' : 'on';
  }

  /** When a device switched it off, last. */
  switchedOffAt(node: string): number | undefined {
    return this.log.findLast((change) => change.node === node && change.power === 'off')?.at;
  }

  /** Another device of the same machine switches it off. */
  crash(node: string): void {
    this.#cluster.crash(node);
    this.log.push({ at: Date.now(), node, power: 'off' });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [node = '', wanted] = (request.url ?? '').slice(1).split('/');
    const { slowMs = 0, stuck = false } = this.faults.get(node) ?? {};
    if (slowMs > 0) await new Promise((resolve) => setTimeout(resolve, slowMs));
    if (request.method === 'POST') {
      this.orders.push(`${node} ${wanted}`);
      await this.onOrder(node, 'before');
      if (!stuck) await this.#switch(node, wanted === 'on' ? 'on' : 'off');
      await this.onOrder(node, 'after');
    }
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ power: this.powerOf(node) }));
  }

  async #switch(node: string, power: 'on' | 'off'): Promise<void> {
    if (this.powerOf(node) === power) return;
    if (power === 'off') return this.crash(node);
    await this.#cluster.start(node);
    this.log.push({ at: Date.now(), node, power });
  }
}
