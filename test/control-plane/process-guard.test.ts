// A process number is given out again; the guard must never signal its next owner.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  holdProcess,
  identify,
  killProcesses,
  type ProcessRecord,
  parseProcStat,
  processState,
  signalProcess,
  startDaemon,
  stateOf,
} from './process-guard.ts';

/** A line as the kernel writes it; only the fields that are read differ. */
function statLine(name: string, state: string, threads: number, startTicks: number): string {
  const before = `1 1 1 0 -1 4194304 5 0 0 0 1 2 0 0 20 0 ${threads} 0`;
  return `4711 (${name}) ${state} ${before} ${startTicks} 1000 20 18446744073709551615`;
}

describe('/proc/PID/stat', () => {
  it.each(['node', 'a b', 'evil) S 1 2 3', '((('])('is read whatever the program is called: %s', (name) => {
    expect(parseProcStat(statLine(name, 'T', 9, 123_456))).toEqual({
      state: 'T',
      threads: 9,
      startTicks: 123_456,
    });
  });

  it.each(['', 'nonsense', '12 (short) S 1 2'])('is not guessed at when it reads "%s"', (text) => {
    expect(parseProcStat(text)).toBeUndefined();
  });

  it.each([
    ['S', 4, 'running'],
    ['R', 4, 'running'],
    ['D', 4, 'running'],
    ['T', 4, 'stopped'],
    ['Z', 1, 'gone'],
    // Its ports still take connections.
    ['Z', 3, 'running'],
  ] as const)('in state %s with %d threads means %s', (state, threads, expected) => {
    expect(stateOf({ state, threads, startTicks: 1 })).toBe(expected);
  });
});

describe.runIf(process.platform === 'linux')('a guarded process', () => {
  let directory: string;
  let started: ProcessRecord[];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'process-guard-'));
    started = [];
  });

  afterEach(() => {
    killProcesses(started);
    rmSync(directory, { recursive: true });
  });

  const start = async (script: string): Promise<ProcessRecord> => {
    const args = ['-e', script];
    const record = await startDaemon({ command: process.execPath, args, logPath: join(directory, 'log') });
    started.push(record);
    return record;
  };

  it('is running, then held, then running again, then gone', async () => {
    const record = await start('setInterval(() => {}, 1000)');
    expect(processState(record)).toBe('running');
    holdProcess(record);
    expect(processState(record)).toBe('stopped');
    expect(signalProcess(record, 'SIGCONT')).toBe(true);
    await expect.poll(() => processState(record)).toBe('running');
    killProcesses([record]);
    expect(processState(record)).toBe('gone');
    expect(signalProcess(record, 'SIGKILL')).toBe(false);
  });

  it('can be killed while it is held', async () => {
    const record = await start('setInterval(() => {}, 1000)');
    holdProcess(record);
    killProcesses([record]);
    expect(processState(record)).toBe('gone');
  });

  it('is not mistaken for another one with the same number', async () => {
    const record = await start('setInterval(() => {}, 1000)');
    for (const other of [
      { ...record, startTicks: record.startTicks - 1 },
      { ...record, hostBootId: '00000000-0000-0000-0000-000000000000' },
    ]) {
      expect(processState(other)).toBe('gone');
      expect(signalProcess(other, 'SIGKILL')).toBe(false);
    }
    expect(processState(record)).toBe('running');
  });

  it('appends what it prints to its log', async () => {
    await start('console.log("one"); console.error("two")');
    await expect.poll(() => readFileSync(join(directory, 'log'), 'utf8')).toBe('one\ntwo\n');
  });

  it('that cannot be started is an error with the name of the program', async () => {
    const logPath = join(directory, 'log');
    await expect(startDaemon({ command: '/no/such/program', args: [], logPath })).rejects.toThrow(
      '/no/such/program',
    );
  });

  it('is known by this process too', () => {
    const self = identify(process.pid);
    expect(self).toMatchObject({ pid: process.pid });
    expect(self && processState(self)).toBe('running');
  });
});
