// Runs an example as its reader would, in a process of its own, for the tests of examples.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param program - The folder of an example beside this one. */
export function runProgram(program: string, ...args: readonly string[]): Promise<Ended> {
  const main = fileURLToPath(new URL(`../${program}/main.ts`, import.meta.url));
  return new Promise((resolve) => {
    const runtime = ['--conditions=@liberator/source', main, ...args];
    execFile(process.execPath, runtime, (error, stdout, stderr) => {
      resolve({ exitCode: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr });
    });
  });
}
