// Of what a program has started nothing lives on, whatever it does against that.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProgramRun, runProgram } from './fence-agent-process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'program-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const script = (body: string): string => {
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\nfolder=${folder}\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
};

const run = (body: string, more: Partial<ProgramRun> = {}): ReturnType<typeof runProgram> =>
  runProgram({
    program: script(body),
    input: 'action=off\n',
    environment: {},
    signal: new AbortController().signal,
    harms: true,
    ...more,
  });

/** Starts a grandchild that ignores what it is asked, notes its number, and does harm after a while. */
const stubborn = (start = 'sh -c'): string =>
  `${start} 'trap "" TERM HUP INT; echo $$ >'$folder'/grandchild; sleep 0.8; echo done >'$folder'/harm; sleep 60' &`;

const grandchild = async (): Promise<number> => {
  const path = join(folder, 'grandchild');
  while (!existsSync(path) || readFileSync(path, 'utf8') === '') await pause(5);
  return Number(readFileSync(path, 'utf8'));
};

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a program that is called off', () => {
  it.each([
    ['its group', 'sh -c', true],
    ['its group, while it only looks', 'sh -c', false],
    ['a session of its own', 'setsid sh -c', true],
    ['a session of its own, while it only looks', 'setsid sh -c', false],
    ['a group without a parent', 'setsid -f sh -c', true],
  ])('leaves nothing behind that ignores SIGTERM, in %s', async (_, start, harms) => {
    const abort = new AbortController();
    const ending = run(`${stubborn(start)}\ntrap "" TERM\nwait\nsleep 60`, { signal: abort.signal, harms });
    const pid = await grandchild();
    expect(isAlive(pid)).toBe(true);
    abort.abort();
    expect(await ending).toEqual({ outcome: 'called-off' });
    expect(isAlive(pid)).toBe(false);
    await pause(900);
    expect(existsSync(join(folder, 'harm'))).toBe(false);
  });

  it('may tidy up when it only looks, and may not when it does harm', async () => {
    for (const harms of [false, true]) {
      rmSync(join(folder, 'tidied'), { force: true });
      rmSync(join(folder, 'grandchild'), { force: true });
      const abort = new AbortController();
      const body =
        'trap "echo yes >$folder/tidied; exit" TERM; echo $$ >$folder/grandchild; while :; do sleep 0.01; done';
      const ending = run(body, { signal: abort.signal, harms });
      await grandchild();
      abort.abort();
      expect(await ending).toEqual({ outcome: 'called-off' });
      expect(existsSync(join(folder, 'tidied'))).toBe(!harms);
    }
  });

  it('is ended when it was stopped', async () => {
    const abort = new AbortController();
    const ending = run('echo $$ >$folder/grandchild; kill -STOP $$; sleep 60', {
      signal: abort.signal,
      harms: false,
    });
    const pid = await grandchild();
    abort.abort();
    expect(await ending).toEqual({ outcome: 'called-off' });
    expect(isAlive(pid)).toBe(false);
  });

  it('is not started at all when that was before', async () => {
    expect(await run('touch $folder/harm', { signal: AbortSignal.abort() })).toEqual({
      outcome: 'called-off',
    });
    expect(existsSync(join(folder, 'harm'))).toBe(false);
  });
});

describe('a program that has ended', () => {
  it('by itself leaves nothing behind either, and its output is not waited for', async () => {
    const startedAt = performance.now();
    expect(
      await run(
        `${stubborn('setsid sh -c')}\nwhile [ ! -s $folder/grandchild ]; do sleep 0.01; done; echo said; exit 1`,
      ),
    ).toEqual({
      outcome: 'ended',
      code: 1,
      stdout: 'said\n',
      stderr: '',
    });
    expect(isAlive(await grandchild())).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('is told from one that was never started, and one that somebody killed', async () => {
    expect(await run('', { program: join(folder, 'none') })).toEqual({
      outcome: 'not-started',
      code: 'ENOENT',
    });
    expect(await run('', { program: folder })).toEqual({ outcome: 'not-started', code: 'EACCES' });
    expect(await run('', { program: '/a\0b' })).toMatchObject({ outcome: 'not-started' });
    expect(await run('kill -USR1 $$')).toMatchObject({ outcome: 'killed', by: 'SIGUSR1' });
  });

  it('has what it said kept up to a bound, in whole lines', async () => {
    const end = await run('yes 0123456789abcdef | head -c 1000000; printf tail; printf words >&2');
    if (end.outcome !== 'ended') throw new Error(end.outcome);
    expect(end.stdout.length).toBeLessThanOrEqual(256 * 1024);
    expect(end.stdout.length).toBeGreaterThan(200 * 1024);
    expect(end.stdout.endsWith('0123456789abcdef\n')).toBe(true);
    expect(end.stderr).toBe('words');
  });

  it('may never have read what it was told', async () => {
    const end = await run('exec <&-; exit 7', { input: 'x'.repeat(1_000_000) });
    expect(end).toMatchObject({ outcome: 'ended', code: 7 });
  });
});

describe('when this process ends in an orderly way', () => {
  let parent: ChildProcess | undefined;
  afterEach(() => parent?.kill('SIGKILL'));

  it('so do the programs that it runs, with all that they have started', async () => {
    const program = script(`${stubborn('setsid sh -c')}\nsleep 60`);
    const main = join(folder, 'main.ts');
    writeFileSync(
      main,
      `process.on('SIGTERM', () => process.exit(0));
const { runProgram } = await import( ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'fence-agent-process.ts')).href)});
void runProgram({ program: ${JSON.stringify(program)}, input: '', environment: {}, signal: new AbortController().signal, harms: true });
`,
    );
    parent = spawn(process.execPath, [main], { stdio: 'ignore' });
    const pid = await grandchild();
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGTERM');
    await new Promise((resolve) => parent?.once('exit', resolve));
    await pause(50);
    expect(isAlive(pid)).toBe(false);
  });
});
