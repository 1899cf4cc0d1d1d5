// Looks at the command line and the environment of every process of this machine, as often as a processor can, for secrets in them.
import { Worker } from 'node:worker_threads';

/** What was seen. */
export interface Seen {
  /** Names of programs that ran meanwhile: without those that are meant, nothing was proven. */
  readonly programs: readonly string[];
  /** Command lines and environments with a secret in them, the secret taken out. */
  readonly leaks: readonly string[];
}

const watcher = `
const { readdirSync, readFileSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const { secrets, stop, own } = workerData;
const stopped = new Int32Array(stop);
const programs = new Set();
const leaks = new Set();
const read = (path) => { try { return readFileSync(path, 'latin1'); } catch { return ''; } };
parentPort.postMessage('watching');
while (Atomics.load(stopped, 0) === 0) {
  for (const pid of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(pid) || pid === own) continue;
    const command = read('/proc/' + pid + '/cmdline');
    if (command === '') continue;
    const words = command.split('\\0');
    for (const word of words.slice(0, 3)) programs.add(word.split('/').at(-1));
    for (const [what, text] of [['argv', command], ['environ', read('/proc/' + pid + '/environ')]]) {
      for (const secret of secrets) {
        if (text.includes(secret)) leaks.add(what + ' of ' + words.join(' ').replaceAll(secret, '***'));
      }
    }
  }
}
parentPort.postMessage({ programs: [...programs], leaks: [...leaks] });
`;

/** Watches for as long as something goes on. */
export async function watching(secrets: readonly string[], during: () => Promise<unknown>): Promise<Seen> {
  const stop = new SharedArrayBuffer(4);
  const worker = new Worker(watcher, {
    eval: true,
    workerData: { secrets, stop, own: String(process.pid) },
  });
  try {
    await new Promise((resolve) => worker.once('message', resolve));
    await during();
    const seen = new Promise<Seen>((resolve) => worker.once('message', resolve));
    Atomics.store(new Int32Array(stop), 0, 1);
    return await seen;
  } finally {
    Atomics.store(new Int32Array(stop), 0, 1);
    await worker.terminate();
  }
}
