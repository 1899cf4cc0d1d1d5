// On what a bench ran: figures of two machines are not compared without knowing that they are two.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** How many processes wanted a core just before: more than nothing, and others were measured as well. */
  readonly load: number;
}

export interface Versions {
  readonly node: string;
  readonly liberator: string;
  /** The commit, with a plus sign when files differ from it; absent where git isn't there. */
  readonly commit?: string;
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    load: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}

export function versions(): Versions {
  const { version } = JSON.parse(readFileSync('packages/agent/package.json', 'utf8')) as {
    readonly version: string;
  };
  const commit = commitOf();
  return { node: process.version, liberator: version, ...(commit !== undefined && { commit }) };
}

function commitOf(): string | undefined {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+';
    return git('rev-parse', '--short', 'HEAD') + changed;
  } catch {
    return undefined;
  }
}
