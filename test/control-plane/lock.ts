// A lock between processes that needs no clean-up: whoever listens on a name holds it, and the kernel frees it when the
// holder ends, however it ends.
import { createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What to do while somebody else holds the lock. */
export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once, before the first wait. */
  onWait?: (() => void) | undefined;
}

/** Waits for the lock of that name, runs the work, and lets go. Not re-entrant. */
export async function withLock<T>(
  name: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const release = await acquire(name, options);
  try {
    return await work();
  } finally {
    await release();
  }
}

type Release = () => Promise<void>;

async function acquire(name: string, { signal, onWait }: LockOptions): Promise<Release> {
  // A leading NUL makes the address abstract: it exists in the kernel only, not as a file.
  const path = `\0liberator/${createHash('sha256').update(name).digest('hex')}`;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    const release = await tryListen(path);
    if (release !== undefined) {
      return release;
    }
    if (attempt === 0) {
      onWait?.();
    }
    await untilReleased(path, signal);
  }
}

/** Undefined when somebody else listens there. */
async function tryListen(path: string): Promise<Release | undefined> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    // Kept open on purpose: its end tells the one who waits that the lock is free.
    waiting.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => waiting.delete(socket));
  });
  return await new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(undefined);
      } else {
        reject(error);
      }
    });
    server.listen(path, () => {
      resolve(async () => {
        await new Promise<void>((closed) => {
          server.close(() => {
            closed();
          });
          for (const socket of waiting) {
            socket.destroy();
          }
        });
      });
    });
  });
}

async function untilReleased(path: string, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connect(path);
    const stop = (): void => {
      socket.destroy();
    };
    signal?.addEventListener('abort', stop, { once: true });
    socket.on('error', () => {});
    socket.once('close', () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    socket.resume();
  });
  // A moment of one's own keeps many that wait from trying in the same instant.
  await sleep(10 + Math.random() * 40);
}
