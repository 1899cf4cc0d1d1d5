// Builds programs from Go modules into the cache. A program appears there whole or not at all.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from './cluster-error.ts';

/** What to build a program from, and the name that it has in the cache. */
export interface ProgramSource<Name extends string = string> {
  readonly name: Name;
  readonly package: string;
  readonly fileName: string;
}

/** One line to show to whoever waits. */
export interface BuildProgress {
  program: string;
  detail: string;
}

/** What to build, from where, and to where. */
export interface BuildRequest {
  sources: readonly ProgramSource[];
  sourceDir: string;
  cache: string;
  /** What the linker sets, such as the version that a program shall say it is. */
  variables: Readonly<Record<string, string>>;
  /** How long it takes, for whoever waits: `up to ten minutes`. */
  lasts: string;
  /** What else than installing Go would help, for whoever has none. */
  otherwise?: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal | undefined;
  onProgress: ((progress: BuildProgress) => void) | undefined;
}

const SCRATCH = '.building-';

/** Builds one program after the other, each taken into the cache as soon as it is whole. Call it under a lock. */
export async function buildPrograms(request: BuildRequest): Promise<void> {
  const { sources, cache, onProgress } = request;
  mkdirSync(cache, { recursive: true });
  for (const leftover of readdirSync(cache).filter((name) => name.startsWith(SCRATCH))) {
    rmSync(join(cache, leftover), { recursive: true, force: true });
  }
  if (sources.length > 0) {
    onProgress?.({ program: 'programs', detail: `built from source, once; ${request.lasts}` });
  }
  const scratch = mkdtempSync(join(cache, SCRATCH));
  try {
    for (const [index, source] of sources.entries()) {
      onProgress?.({ program: source.name, detail: `building (${index + 1} of ${sources.length})` });
      const built = join(scratch, source.fileName);
      await runGo(request, source, built);
      renameSync(built, join(cache, source.fileName));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function runGo(request: BuildRequest, source: ProgramSource, output: string): Promise<void> {
  const { sourceDir, env, signal } = request;
  signal?.throwIfAborted();
  const args = [
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-mod=readonly',
    `-ldflags=${linkerFlags(request.variables)}`,
    `-o=${output}`,
    source.package,
  ];
  const child = spawn('go', args, {
    cwd: sourceDir,
    // CGO off: no C compiler needed. A process group of its own: Ctrl-C reaches us first, and we end it whole.
    env: { ...env, CGO_ENABLED: '0', GOFLAGS: '', GOWORK: 'off' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  const stop = (): void => {
    endGroup(child);
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const { code, said } = await outcome(child, request);
    signal?.throwIfAborted();
    if (code !== 0) {
      throw new ClusterError(
        'build-failed',
        `go build of ${source.package} failed in ${sourceDir}:\n${said}`,
      );
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

async function outcome(
  child: ChildProcess,
  { sources, otherwise }: BuildRequest,
): Promise<{ code: number | null; said: string }> {
  const lines: string[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    lines.push(chunk);
  });
  return await new Promise((resolve, reject) => {
    child.once('spawn', () => {
      lowerPriority(child);
    });
    child.once('error', (cause) => {
      const names = sources.map((source) => source.name).join(', ');
      const hint = otherwise === undefined ? '' : `, or ${otherwise}`;
      reject(
        new ClusterError(
          'missing-requirement',
          `Not there yet: ${names}. Install Go 1.26 or newer to have them built once${hint}.`,
          { cause },
        ),
      );
    });
    child.once('close', (code) => {
      // Downloads are announced line by line; what went wrong comes last.
      const said = lines
        .join('')
        .split('\n')
        .filter((line) => !line.startsWith('go: downloading'));
      resolve({ code, said: said.slice(-20).join('\n').trim() });
    });
  });
}

/** A build of ten minutes leaves the machine usable, and what else runs meanwhile as fast as ever. */
function lowerPriority(child: ChildProcess): void {
  if (child.pid !== undefined) {
    setPriority(child.pid, constants.priority.PRIORITY_LOW);
  }
}

function endGroup(child: ChildProcess): void {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, 'SIGKILL');
  }
}

function linkerFlags(variables: BuildRequest['variables']): string {
  return ['-s', '-w', ...Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}
