// Does to a real test cluster what only its own command can: crash a machine, and power it on again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { DemoFailure } from '../failure.ts';

const program = fileURLToPath(new URL('../../../../../test/control-plane/main.ts', import.meta.url));

/** What to type for the same. */
export function commandFor(verb: 'crash' | 'start' | 'up', what: string, directory: string): string {
  return `npm run cluster -- ${verb} ${what} --dir ${directory}`;
}

/** @throws DemoFailure with what the command said. */
export async function runClusterCommand(
  verb: 'crash' | 'start',
  node: string,
  directory: string,
): Promise<void> {
  const child = spawn(process.execPath, [...process.execArgv, program, verb, node, '--dir', directory], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // A machine half crashed is no good: Ctrl-C waits until it is done.
    detached: true,
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<unknown[]>]);
  if (code !== 0) {
    throw new DemoFailure(
      `"${commandFor(verb, node, directory)}" failed: ${said.trim() || `exit code ${code}`}`,
    );
  }
}
