// Starts programs that outlive us and finds them again: a process is known by its number *and* the moment it started,
// so that a number that was given to somebody else is never signalled.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { ClusterError } from './cluster-error.ts';

/** Enough to know a process again, also from another process and after a reboot. */
export interface ProcessRecord {
  readonly pid: number;
  /** Clock ticks between the boot of this machine and the start of the process. */
  readonly startTicks: number;
  /** The boot in which it started. */
  readonly hostBootId: string;
}

/** `stopped` is held by SIGSTOP. A process that has ended and waits for its parent to notice counts as `gone`. */
export type ProcessState = 'running' | 'stopped' | 'gone';

/** What /proc/PID/stat says, as far as it matters here. */
export interface ProcStat {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: number;
}

/** Reads /proc/PID/stat, where the program's name may hold spaces and brackets. */
export function parseProcStat(text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const threads = Number(fields[17]);
  const startTicks = Number(fields[19]);
  if (
    !text.includes(')') ||
    state === undefined ||
    !/^[A-Za-z]$/.test(state) ||
    !Number.isInteger(startTicks)
  ) {
    return undefined;
  }
  return { state, threads, startTicks };
}

function readProcStat(pid: number): ProcStat | undefined {
  try {
    return parseProcStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

function readHostBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Undefined once the process has ended. */
export function identify(pid: number): ProcessRecord | undefined {
  const stat = readProcStat(pid);
  return stat && { pid, startTicks: stat.startTicks, hostBootId: readHostBootId() };
}

export function processState(record: ProcessRecord): ProcessState {
  const stat = readProcStat(record.pid);
  if (stat === undefined || stat.startTicks !== record.startTicks || readHostBootId() !== record.hostBootId) {
    return 'gone';
  }
  return stateOf(stat);
}

/** The first thread ends before the others do, and until the last has ended, the process still has its sockets. */
export function stateOf({ state, threads }: ProcStat): ProcessState {
  if (state === 'Z' || state === 'X') {
    return threads > 1 ? 'running' : 'gone';
  }
  return state === 'T' ? 'stopped' : 'running';
}

/** Sends a signal to that very process; false when it has ended. */
export function signalProcess(record: ProcessRecord, signal: NodeJS.Signals): boolean {
  if (processState(record) === 'gone') {
    return false;
  }
  try {
    return process.kill(record.pid, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') {
      return false;
    }
    throw error;
  }
}

/**
 * Kills the processes and returns when all have ended. Blocks the thread, for a few milliseconds as a rule, so that it
 * can be the last thing that a process does.
 */
export function killProcesses(records: readonly ProcessRecord[]): void {
  for (const record of records) {
    signalProcess(record, 'SIGKILL');
  }
  for (const record of records) {
    awaitState(record, 'gone', 'SIGKILL');
  }
}

/** Holds the process until it is signalled SIGCONT; returns when it is held. Blocks, like {@link killProcesses}. */
export function holdProcess(record: ProcessRecord): void {
  if (signalProcess(record, 'SIGSTOP')) {
    awaitState(record, 'stopped', 'SIGSTOP');
  }
}

function awaitState(record: ProcessRecord, wanted: ProcessState, signal: string): void {
  const deadline = performance.now() + 10_000;
  for (let state = processState(record); state !== wanted && state !== 'gone'; state = processState(record)) {
    if (performance.now() > deadline) {
      throw new ClusterError(
        'component-failed',
        `Process ${record.pid} is still ${state} 10 s after ${signal}.`,
      );
    }
    sleepBlocking(5);
  }
}

function sleepBlocking(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/** A program to run on its own, with everything it prints appended to a file. */
export interface Daemon {
  readonly command: string;
  readonly args: readonly string[];
  readonly logPath: string;
}

/** Starts a program in a process group of its own: neither Ctrl-C here nor our end reaches it. */
export async function startDaemon({ command, args, logPath }: Daemon): Promise<ProcessRecord> {
  const log = openSync(logPath, 'a');
  let child: ChildProcess;
  try {
    child = spawn(command, args, { detached: true, stdio: ['ignore', log, log] });
  } finally {
    closeSync(log);
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(
        new ClusterError('component-failed', `${command} could not be started: ${cause.message}`, { cause }),
      );
    });
  });
  child.unref();
  const record = child.pid === undefined ? undefined : identify(child.pid);
  if (record === undefined) {
    throw new ClusterError('component-failed', `${command} ended at once; see ${logPath}`);
  }
  return record;
}
