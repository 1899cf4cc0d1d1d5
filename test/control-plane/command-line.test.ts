// What a person types wrongly is answered in one sentence, and nothing is started for it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeProcess, writeRecord } from './cluster-directory.ts';
import { runCommandLine } from './command-line.ts';
import { identify } from './process-guard.ts';
import { PROGRAMS, type Programs } from './programs.ts';

let dir: string;
let printed: string[];
let complained: string[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'command-line-'));
  printed = [];
  complained = [];
  vi.spyOn(console, 'log').mockImplementation((text: string) => printed.push(text));
  vi.spyOn(console, 'error').mockImplementation((text: string) => complained.push(text));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => complained.push(String(text)) > 0);
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

const run = async (...args: string[]): Promise<number> =>
  runCommandLine(args, { LIBERATOR_CLUSTER_DIR: dir });

/** A cluster that looks as if it were up: its only process is this one. */
function pretendUp(nodes: number): void {
  const self = identify(process.pid);
  if (self === undefined) {
    throw new Error('expected to run');
  }
  writeRecord(dir, {
    name: 'default',
    phase: 'up',
    slot: 255,
    nodes,
    zones: ['zone-a'],
    timings: {},
    programs: Object.fromEntries(PROGRAMS.map((name) => [name, `/no/${name}`])) as unknown as Programs,
    version: 'v1.2.3',
  });
  writeProcess(dir, 'etcd', self);
}

describe('the command line', () => {
  it.each([
    [['up', 'three'], /^Expected a number of nodes, such as 3, found "three"\.$/],
    [['up', '101'], /^Expected a number of nodes from 0 to 100, found 101\.$/],
    [['up', '--node-monitor-grace-period', '1s'], /^The node monitor grace period .* must be longer/],
    [['up', '--zones', 'a,,b'], /^Expected at least one zone/],
    [['crash', 'node-1'], /^No cluster is up in .*: start one with npm run cluster -- up 3$/],
    [['status'], /^No cluster is up in /],
  ])('answers %j with one sentence and exit code 1', async (args, expected) => {
    expect(await run(...args)).toBe(1);
    expect(complained).toHaveLength(1);
    expect(complained[0]).toMatch(expected);
  });

  it.each([
    [['up', '--node-monitor-grace-period', 'soon'], /Expected a duration such as 20s/],
    [['dance'], /unknown command 'dance'/],
    [['crash'], /missing required argument 'node'/],
    [['down', '--now'], /unknown option '--now'/],
  ])('answers %j without a stack trace and exit code 1', async (args, expected) => {
    expect(await run(...args)).toBe(1);
    expect(complained.join('')).toMatch(expected);
    expect(complained.join('')).not.toContain('    at ');
  });

  it('names the nodes that there are when it is asked for another', async () => {
    pretendUp(2);
    expect(await run('crash', 'node-9')).toBe(1);
    expect(complained).toEqual(['There is no node "node-9"; there is: node-1, node-2.']);
  });

  it('says what a node is when a verb makes no sense for it', async () => {
    pretendUp(1);
    expect(await run('heal', 'node-1')).toBe(1);
    expect(complained).toEqual(['Cannot heal node-1: it is crashed. Possible now: start.']);
  });

  it('says so, and is content, when the cluster is up already', async () => {
    pretendUp(2);
    expect(await run('up', '2')).toBe(0);
    expect(printed.join('\n')).toContain('The cluster is up already.');
    expect(printed.join('\n')).toContain(join(dir, 'kubeconfig'));
  });

  it('does not pass off a cluster as one of another size', async () => {
    pretendUp(2);
    expect(await run('up', '3')).toBe(1);
    expect(complained).toEqual(['A cluster with 2 nodes is up already, not with 3: take it down first.']);
  });

  it.each([[[]], [['--help']], [['up', '--help']], [['crash', '--help']]])(
    'explains itself in 80 columns: %j',
    async (args) => {
      await run(...args);
      const lines = [...printed, ...complained].join('').split('\n');
      expect(lines.length).toBeGreaterThan(3);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    },
  );
});
