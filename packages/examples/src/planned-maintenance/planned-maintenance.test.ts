// The example as somebody types it, in a process of its own.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { runCommandLine } from './command-line.ts';

const program = fileURLToPath(new URL('main.ts', import.meta.url));

async function run(
  args: readonly string[],
  interruptAfter?: RegExp,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ['--conditions=@liberator/source', program, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    if (interruptAfter?.test(stdout)) child.kill('SIGINT');
    if (interruptAfter?.test(stdout)) interruptAfter = undefined;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const stderr = await text(child.stderr);
  return { code: await ended, stdout, stderr };
}

describe('the example planned-maintenance', () => {
  it('takes every node in turn, and at most one replica of the database is away at any moment', async () => {
    const { code, stdout, stderr } = await run([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(/^ *\d+\.\d s {2}node-\d +has booted again/gm)).toHaveLength(3);
    expect(stdout).toMatch(/database-\d: Ready on node-\d with volume/);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
      /3 nodes done; never fewer than [23] of 3 replicas were Ready$/,
    );
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  }, 90_000);

  it('gives back the node that it is at when it is interrupted', async () => {
    const { code, stderr } = await run([], /node-1 +is cordoned/);
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted; no node is left cordoned.');
  }, 90_000);

  it.each([
    [['--frobnicate'], /^planned-maintenance: Unknown option '--frobnicate'; ".+ -- --help" shows/],
    [['--kubeconfig', '/nowhere'], /^planned-maintenance: there is no file \/nowhere$/],
    [['--kubeconfig', program], /^planned-maintenance: expected the kubeconfig of a cluster that "npm run/],
  ])('refuses %j', async (args, sentence) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    expect(await runCommandLine(args)).toBe(2);
    expect(said.mock.lastCall?.[0]).toMatch(sentence);
    said.mockRestore();
  });

  it('explains itself in 80 columns', async () => {
    const said = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    expect(await runCommandLine(['--help'])).toBe(0);
    const lines = String(said.mock.lastCall?.[0]).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    said.mockRestore();
  });
});
