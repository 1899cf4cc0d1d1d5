// Processes of which none may outlive the one that starts them: whatever ends us ends them, kill -9 included where they heed it.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * As `spawn`, and ended with this process.
 *
 * @param endSignal SIGTERM for one that has children of its own to end
 */
export function startChild(
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
  endSignal: NodeJS.Signals = 'SIGKILL',
): ChildProcess {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options });
  const endWithUs = (): void => void child.kill(endSignal);
  process.once('exit', endWithUs);
  child.once('close', () => process.off('exit', endWithUs));
  return child;
}

/** The next line that it prints. @throws Error when it ends without one */
export async function firstLineOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('expected a pipe for output, found none');
  const lines = createInterface({ input: child.stdout });
  try {
    return await new Promise((resolve, reject) => {
      lines.once('line', resolve);
      child.once('close', (code, signal) => {
        reject(new Error(`expected a line of output, found the end of the process: ${code ?? signal}`));
      });
    });
  } finally {
    lines.close();
  }
}

/** Asks it to end, and makes it when it doesn't. */
export async function endChild(child: ChildProcess, patienceMs = 5_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'close');
  child.kill('SIGTERM');
  // A stopped process hears nothing but this and a kill.
  child.kill('SIGCONT');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await gone;
  clearTimeout(timer);
}
