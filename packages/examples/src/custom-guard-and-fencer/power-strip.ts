// The device on the other side, so that the example needs no rack: it listens on loopback, and its relays take a moment.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A strip that is switched on; disposing of it unplugs its network. */
export interface PowerStrip extends AsyncDisposable {
  readonly url: string;
}

/** @param cutPower - What an outlet does to its machine. */
export async function startPowerStrip(cutPower: (outlet: string) => Promise<void>): Promise<PowerStrip> {
  const outlets = new Map<string, 'going off' | 'off'>();
  const server = createServer((request, response) => {
    const [, name = '', order] = /^\/outlets\/([^/]+)(\/off)?$/.exec(request.url ?? '') ?? [];
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (name === '') return answer(404, {});
    if (order === undefined) return answer(200, { power: outlets.get(name) === 'off' ? 'off' : 'on' });
    if (!outlets.has(name)) {
      outlets.set(name, 'going off');
      cutPower(name).then(
        () => outlets.set(name, 'off'),
        () => outlets.delete(name),
      );
    }
    answer(202, {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
