import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';

describe('the command line of an example', () => {
  it('explains itself within 80 columns', async () => {
    const { exitCode, stdout } = await runProgram('borrowed-election', '--help');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('npm run example:borrowed-election');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    [['--kubeconfg', 'x'], "Unknown option '--kubeconfg'"],
    [['--kubeconfig', '/nowhere/kubeconfig'], 'there is no file /nowhere/kubeconfig'],
  ])('says what is wrong with %j', async (args, words) => {
    const { exitCode, stdout, stderr } = await runProgram('borrowed-election', ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
  });
});
