// The stand-in's own page, for whoever measures: figures to read, and nodes to kill. Plain HTTP on the loopback device.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Death, StandInCluster } from './cluster.ts';
import type { Hosts } from './hosts.ts';
import { nodeAddress } from './objects.ts';
import type { StandInFigures, Tally } from './tally.ts';

export interface DeskOptions {
  readonly cluster: StandInCluster;
  readonly hosts: Hosts;
  readonly tally: Tally;
  readonly port: number;
}

/** What the desk answers to `GET /election`. */
export interface ElectionFigures {
  readonly holder: string;
  readonly transitions: number;
}

/** What it answers to `GET /deaths`. */
export type DeathFigures = readonly Death[];

export type { StandInFigures };

export async function startDesk(options: DeskOptions): Promise<{ readonly url: string; close(): void }> {
  const { cluster, tally } = options;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://desk');
    const asked = `${request.method} ${pathname}`;
    answerTo(asked)
      .then(
        (answer) => ({
          status: answer === undefined ? 404 : 200,
          answer: answer ?? `no such thing: ${asked}`,
        }),
        (error: unknown) => ({ status: 400, answer: String(error) }),
      )
      .then(({ status, answer }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(answer)}\n`);
      });

    async function answerTo(what: string): Promise<unknown> {
      switch (what) {
        case 'GET /figures':
          return tally.figures(cluster.leases.renewals);
        case 'POST /reset':
          tally.reset(cluster.leases.renewals);
          return {};
        case 'GET /election':
          return cluster.election();
        case 'GET /deaths':
          return [...cluster.deaths.values()];
        case 'GET /asked':
          return { hosts: await options.hosts.asked(Number(searchParams.get('times') ?? 1)) };
        case 'POST /die':
          return { died: await die(options, Number(searchParams.get('count'))) };
        default:
          return undefined;
      }
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Spread over the fleet, as machines that share a rack or a switch are in the order of their names. */
async function die({ cluster, hosts }: DeskOptions, count: number): Promise<readonly string[]> {
  const living = cluster.living();
  if (!Number.isInteger(count) || count < 1 || count > living.length) {
    throw new RangeError(`expected a count from 1 to ${living.length}, found ${count}`);
  }
  const step = living.length / count;
  const names = Array.from({ length: count }, (_, at) => living[Math.floor(at * step)] ?? '');
  await hosts.silence(names.map((name) => nodeAddress(Number(name.split('-')[1]))));
  cluster.die(names);
  return names;
}
