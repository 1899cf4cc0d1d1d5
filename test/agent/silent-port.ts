// A port on this machine that is as silent as that of a machine without power: connecting to it gets no answer at all.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface SilentPort extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

const address = '127.0.0.1';

/** Listens with the shortest queue that there is, tells its port, and stops for good: nobody ever accepts. */
const program = `
const server = require('node:net').createServer();
server.listen({ host: '${address}', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port) + '\\n');
  process.kill(process.pid, 'SIGSTOP');
});`;

/** Longer than it takes to connect to oneself, however busy this machine is. */
const patienceMs = 1_000;

/**
 * Linux drops a SYN for a listener whose queue is full. So a stopped process listens, and connections of our own fill
 * its queue.
 */
export async function openSilentPort(): Promise<SilentPort> {
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(told.toString());
  const sockets: Socket[] = [];
  for (let queued = true; queued; ) {
    const socket = connect({ host: address, port });
    socket.on('error', () => undefined);
    sockets.push(socket);
    queued = await connects(socket);
  }
  return {
    address,
    port,
    async [Symbol.asyncDispose]() {
      process.off('exit', endWithUs);
      for (const socket of sockets) socket.destroy();
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function connects(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
