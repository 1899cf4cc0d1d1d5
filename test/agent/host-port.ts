// The kubelet's port of one machine, as a probe meets it: it answers or, like that of a machine without power, is silent.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HostPort extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** How many have connected so far. */
  readonly callers: () => number;
  /** From now on connecting gets no answer at all. */
  silence(): Promise<void>;
  /** Ends the silence. */
  answer(): void;
}

const address = '127.0.0.1';

/** Says something to whoever connects, with the shortest queue that there is for those who wait. */
const program = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => undefined);
  require('node:fs').writeSync(1, '.');
  socket.end('HTTP/1.0 400 Bad Request\\r\\n\\r\\n');
});
server.listen({ host: '${address}', port: 0, backlog: 1 }, () => {
  require('node:fs').writeSync(1, String(server.address().port) + '\\n');
});`;

/** More than the queue holds, and than a process accepts between being told to stop and stopping. */
const callers = 8;

/** A process of its own listens. Linux drops a SYN for a listener whose queue is full, and a stopped one empties none. */
export async function openHostPort(): Promise<HostPort> {
  const child = spawn(process.execPath, ['--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const [told] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(told.toString());
  let connected = 0;
  child.stdout.on('data', (dots: Buffer) => {
    connected += dots.length;
  });
  let waiting: readonly Socket[] = [];
  const hangUp = (): void => {
    for (const socket of waiting) socket.destroy();
    waiting = [];
  };
  return {
    address,
    port,
    callers: () => connected,
    async silence() {
      child.kill('SIGSTOP');
      hangUp();
      waiting = Array.from({ length: callers }, () => connect({ host: address, port }));
      for (const socket of waiting) socket.on('error', () => undefined);
      // The kernel lets them in one after another: with the first, all have been at the door.
      await Promise.race(waiting.map((socket) => once(socket, 'connect')));
    },
    answer() {
      hangUp();
      child.kill('SIGCONT');
    },
    async [Symbol.asyncDispose]() {
      process.off('exit', endWithUs);
      hangUp();
      const gone = once(child, 'close');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
