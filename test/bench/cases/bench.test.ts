// A small bench, for being able to run one and never for a time: the command, what it prints, and what it leaves behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { Row } from '../rows.ts';

const program = ['--conditions=@liberator/source', 'test/bench/main.ts'];

interface Run {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function bench(...args: readonly string[]): Promise<Run> {
  const child = start(...args);
  if (child.stdout === null || child.stderr === null) throw new Error('expected pipes, found none');
  const ended = once(child, 'close');
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await ended) as [number];
  return { code, output, errors };
}

describe('npm run bench', () => {
  it.concurrent('measures an agent beside polling, and ends with one JSON object', async () => {
    const args = ['--nodes', '20', '--seconds', '6', '--warm-up', '1', '--starts', '1'];
    const { code, output, errors } = await bench('scale', ...args, '--json');
    expect(code, errors).toBe(0);
    const lines = output.trimEnd().split('\n');
    for (const line of lines.slice(0, -1)) expect(line.length).toBeLessThanOrEqual(80);
    const report = JSON.parse(lines.at(-1) ?? '') as { readonly rows: readonly Row[] };
    expect(Object.keys(report)).toEqual(['bench', 'machine', 'versions', 'rows']);
    expect(report).toMatchObject({ bench: 'scale', versions: { node: process.version } });
    expect(Object.keys(report.rows[0] ?? {})).toEqual([
      'case',
      'figure',
      'unit',
      'n',
      'min',
      'median',
      'p95',
      'max',
    ]);
    for (const name of ['agent-20', 'polling-20']) {
      const figures = report.rows.filter((row) => row.case === name).map(({ figure }) => figure);
      expect(figures).toEqual(
        expect.arrayContaining(['cpuPercent', 'rssMiB', 'megabytesPerMinute', 'readyMs']),
      );
    }
    for (const { case: name, figure, n, max } of report.rows) {
      expect(n, figure).toBeGreaterThan(0);
      // Whoever watches and whoever polls takes bytes: zero would be a counter that lost its client.
      if (figure === 'megabytesPerMinute') expect(max, name).toBeGreaterThan(0);
    }
    expect(report.rows.map(({ figure }) => figure)).toContain('stallMs');
  });

  it.concurrent('recovers nodes that die at once, and tells how long that took', async () => {
    const { code, output, errors } = await bench('storm', '--case', '2-of-16', '--limit', '60', '--json');
    expect(code, errors).toBe(0);
    const { rows } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as {
      readonly rows: readonly Row[];
    };
    const row = (figure: string): Row | undefined =>
      rows.find((one) => one.case === '2-of-16' && one.figure === figure);
    expect(row('recovered')).toMatchObject({ n: 1, max: 2 });
    expect(row('leaderChanges')).toMatchObject({ n: 1, max: 0 });
    for (const figure of ['decisionToClosed', 'deathToClosed', 'deathToReady', 'knownToFirstWrite']) {
      expect(row(figure), figure).toMatchObject({ n: 2 });
    }
    expect(row('requestsPerTakeover')?.max).toBeGreaterThan(5);
    expect(row('perSecond')?.max).toBeGreaterThan(0);
  });

  it.concurrent('measures the simulation', async () => {
    const { code, output, errors } = await bench('simulation', '--seeds', '1', '--json');
    expect(code, errors).toBe(0);
    const { rows } = JSON.parse(output.trimEnd().split('\n').at(-1) ?? '') as {
      readonly rows: readonly Row[];
    };
    expect(rows.map(({ figure }) => figure)).toEqual([
      'clusterHoursPerCpuSecond',
      'clusterHoursPerCpuSecond',
    ]);
    expect(rows[0]?.median).toBeGreaterThan(0);
  });

  it.concurrent('refuses what it does not know with one sentence and exit code 2', async () => {
    for (const args of [['nonsense'], ['--speed', '3']]) {
      const { code, output, errors } = await bench(...args);
      expect(code).toBe(2);
      expect(output).toBe('');
      expect(errors.trimEnd()).toMatch(/^[^\n]+\.$/);
    }
  });

  it.concurrent.for([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('leaves no process behind when it is ended by %s', async ([signal, expected], { expect }) => {
    const child = start('scale', '--nodes', '20', '--starts', '1', '--seconds', '600');
    const ended = once(child, 'close');
    if (child.stderr === null) throw new Error('expected a pipe, found none');
    createInterface({ input: child.stderr }).resume();
    child.stdout?.resume();
    // The stand-in, its hosts, and the agent.
    await expect
      .poll(() => descendantsOf(child.pid ?? 0).length, { timeout: 60_000 })
      .toBeGreaterThanOrEqual(3);
    const descendants = descendantsOf(child.pid ?? 0);
    child.kill(signal);
    const [code] = (await ended) as [number | null];
    expect(code).toBe(expected);
    await expect.poll(() => descendants.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  });
});

function descendantsOf(pid: number): readonly number[] {
  const children = processes().filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child.pid, ...descendantsOf(child.pid)]);
}

function processes(): readonly { readonly pid: number; readonly parent: number }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const parent = /\) \S (\d+)/.exec(statOf(name))?.[1];
    return parent === undefined ? [] : [{ pid: Number(name), parent: Number(parent) }];
  });
}

function isAlive(pid: number): boolean {
  return /\) [^ZX]/.test(statOf(String(pid)));
}

/** Empty when there is no such process any more. */
function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return '';
  }
}
