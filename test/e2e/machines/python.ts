// A Python of our own with the packages that a test needs: made once, below the cache, and nothing is installed on the machine.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../control-plane/lock.ts';

const run = promisify(execFile);

const requirements = join(import.meta.dirname, 'requirements.txt');

/** The interpreter. Takes some seconds, and the network, the first time. */
export async function findPython(): Promise<string> {
  const { stdout } = await run('python3', ['--version']).catch((error: unknown) => {
    throw new Error("expected python3 with venv, found none: install Debian's python3-venv", {
      cause: error,
    });
  });
  const digest = createHash('sha256')
    .update(stdout)
    .update(readFileSync(requirements))
    .digest('hex')
    .slice(0, 16);
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'liberator', 'python');
  const folder = join(cache, `redfish-${digest}`);
  await mkdir(cache, { recursive: true });
  await withLock(`python:${folder}`, async () => {
    if (existsSync(folder)) return;
    const scratch = mkdtempSync(join(cache, '.making-'));
    try {
      await run('python3', ['-m', 'venv', scratch]);
      const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps'];
      await run(join(scratch, 'bin/python'), ['-m', 'pip', 'install', ...quiet, '-r', requirements]);
      // Where it is found is whole: its programs find their packages beside themselves, wherever that is.
      renameSync(scratch, folder);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
  return join(folder, 'bin/python');
}
