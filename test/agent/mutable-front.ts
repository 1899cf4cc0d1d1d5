// A front before an API server that can be silenced: connections stay open, and nothing comes through any more.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface MutableFront extends AsyncDisposable {
  /** Where it is, in the place of the server behind it. */
  readonly url: string;
  /** From now on whatever is said to it goes nowhere. */
  mute(): void;
}

/** @param target the URL of the server behind it */
export async function openMutableFront(target: string): Promise<MutableFront> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let muted = false;
  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    if (muted) return;
    const behind = connect(Number(port), hostname);
    sockets.add(behind);
    behind.on('error', () => undefined);
    client.pipe(behind).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mute() {
      muted = true;
      for (const socket of sockets) socket.unpipe();
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
