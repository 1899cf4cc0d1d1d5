import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'liberator-drill-'));
const reportAt = (name: string): string => readFileSync(join(folder, name), 'utf8');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a failover drill', () => {
  it('is passed when the database is Ready elsewhere in time, and reports in three forms', async () => {
    const { exitCode, stdout, stderr } = await runProgram(
      'failover-drill',
      '--out',
      folder,
      '--within',
      '60s',
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const report = JSON.parse(reportAt('report.json'));
    expect(report).toMatchObject({
      passed: true,
      withinMs: 60_000,
      recovered: true,
      sameVolume: true,
      deletes: 1,
    });
    expect(report.fromNode).not.toBe(report.toNode);
    expect(report.steps.map(({ outcome }: { outcome: string }) => outcome)).not.toContain('unfinished');
    const text = reportAt('report.txt');
    expect(stdout).toContain(text);
    expect(text).toContain(`PASSED: Ready again on ${report.toNode}`);
    expect(reportAt('timeline.svg')).toContain(
      `<title>mysql-0 is Ready again ${(report.timeToRecoveryMs / 1_000).toFixed(1)} s after its node crashed</title>`,
    );
  });

  it('is failed when it takes longer than allowed, and reports that as well', async () => {
    const { exitCode, stderr } = await runProgram('failover-drill', '--out', folder, '--within', '5s');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: 'failover-drill: the drill was not passed\n',
    });
    expect(JSON.parse(reportAt('report.json'))).toMatchObject({ passed: false, recovered: true });
  });

  it.each([
    [['--within', '60'], 'add a unit, "60s" for seconds'],
    [['--out', '/dev/null/drill'], 'expected a folder to write to for --out'],
  ])('says what is wrong with %j before anything is crashed', async (args, words) => {
    const { exitCode, stdout, stderr } = await runProgram('failover-drill', ...args);
    expect(exitCode).toBe(2);
    expect(stdout).not.toContain('crashes');
    expect(stderr).toContain(words);
  });
});
