// Runs one program of the fence agents' protocol: what it is told goes by its standard input, what it says is bounded, and of
// whatever it started nothing lives on.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { sleep, systemClock } from '../../time/clock.ts';
import { endNow, forget, lives, type ProgramFamily, remember, signalGroup } from './program-family.ts';

/** One run. */
export interface ProgramRun {
  /** An absolute path; no shell sees it. */
  readonly program: string;
  /** Never anything secret: every user of the machine may read them. Default: none. */
  readonly args?: readonly string[];
  /** For its standard input. */
  readonly input: string;
  /** Variables that it gets beside the few that every program gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** What may do harm gets no time to do more of it: once called off it is killed at once. */
  readonly harms: boolean;
}

/** How it went. */
export type ProgramEnd =
  | { readonly outcome: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** By a signal that wasn't ours. */
  | { readonly outcome: 'killed'; readonly by: string; readonly stdout: string; readonly stderr: string }
  | { readonly outcome: 'not-started'; readonly code: string }
  | { readonly outcome: 'called-off' };

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** More than the metadata of any agent; one that prints for ever must not fill the memory. */
const longestOutputBytes = 256 * 1024;

/** For what a program that only looks has to tidy up. */
const graceMs = 500;

/** A process that a driver of the kernel holds can't be ended at all. */
const endWithinMs = 5_000;

const markName = 'LIBERATOR_FENCE_RUN';

const always = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  HOME: '/nonexistent',
  PYTHONDONTWRITEBYTECODE: '1',
};

/** Never rejects. Once it has resolved, nothing lives any more of what the program has started. */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const { signal } = run;
  if (signal.aborted) return { outcome: 'called-off' };
  const mark = randomUUID();
  const env = { ...run.environment, ...always, [markName]: mark };
  const child = started(run, env);
  if (typeof child === 'string') return { outcome: 'not-started', code: child };
  const exited = exitOf(child);
  const { pid } = child;
  if (pid === undefined) return { outcome: 'not-started', code: await notStarted(exited) };
  const family: ProgramFamily = { leader: pid, mark: `${markName}=${mark}` };
  remember(family);
  const stdout = keptOf(child.stdout);
  const stderr = keptOf(child.stderr);
  // It may end without having read all of it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(run.input);
  const over = new AbortController();
  const onAbort = (): void => {
    if (run.harms) endNow(family);
    else void endWithGrace(family, over.signal);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const end = await exited;
    if (signal.aborted && !run.harms) await settled(family, graceMs);
    await endAll(family);
    await closed(child);
    if (signal.aborted) return { outcome: 'called-off' };
    const said = { stdout: stdout(), stderr: stderr() };
    if (end.code !== null) return { outcome: 'ended', code: end.code, ...said };
    return { outcome: 'killed', by: end.by ?? 'an unknown signal', ...said };
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
    forget(family);
  }
}

interface Exit {
  readonly code: number | null;
  readonly by: string | null;
  readonly error?: string;
}

/** What can't even be tried, such as a path with a zero in it, is thrown; the rest is told later. */
function started({ program, args = [] }: ProgramRun, env: NodeJS.ProcessEnv): Child | string {
  try {
    // A group of its own: what it starts is ended with it.
    return spawn(program, args, { cwd: '/', env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    return codeOf(error);
  }
}

/** Not `close`: what it left behind may hold its output open for ever. */
function exitOf(child: Child): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, by: null, error: codeOf(error) }));
    child.once('exit', (code, by) => resolve({ code, by }));
  });
}

async function notStarted(exited: Promise<Exit>): Promise<string> {
  return (await exited).error ?? 'unknown';
}

/** Processes live in real time, whatever clock their caller has. */
async function endWithGrace(family: ProgramFamily, over: AbortSignal): Promise<void> {
  signalGroup(family, 'SIGTERM');
  if (await sleep(systemClock, graceMs, over)) endNow(family);
}

/** Resolves once nothing of it lives, or after so long. */
async function settled(family: ProgramFamily, withinMs: number): Promise<void> {
  const until = systemClock.now() + withinMs;
  while (lives(family) && systemClock.now() < until) await sleep(systemClock, 10);
}

async function endAll(family: ProgramFamily): Promise<void> {
  const until = systemClock.now() + endWithinMs;
  while (endNow(family) && systemClock.now() < until) await sleep(systemClock, 5);
}

async function closed(child: Child): Promise<void> {
  const all = [child.stdout, child.stderr].filter((stream) => !stream.closed);
  const closing = all.map((stream) => new Promise<void>((resolve) => stream.once('close', () => resolve())));
  await Promise.race([Promise.all(closing), sleep(systemClock, 1_000)]);
  for (const stream of [child.stdin, ...all]) stream.destroy();
}

/** Reads to the end, since a program whose output nobody takes waits for ever, and keeps as much as is worth it. */
function keptOf(stream: Readable): () => string {
  const kept: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  stream.on('error', () => undefined);
  stream.on('data', (chunk: Buffer) => {
    const room = longestOutputBytes - bytes;
    cut ||= chunk.byteLength > room;
    if (room > 0) kept.push(chunk.subarray(0, room));
    bytes += Math.min(room, chunk.byteLength);
  });
  return () => {
    const text = Buffer.concat(kept).toString('utf8');
    // Half a line may hold half a secret, which nobody would know.
    return cut ? text.slice(0, text.lastIndexOf('\n') + 1) : text;
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
