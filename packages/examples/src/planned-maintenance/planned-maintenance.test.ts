import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';

describe('the example of planned maintenance', () => {
  it('takes every node in turn, and at most one replica of the database is away at any moment', async () => {
    const { exitCode, stdout, stderr } = await runProgram('planned-maintenance');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.match(/ node-\d +is empty, \d pods moved: switching it off/g)).toHaveLength(3);
    expect(stdout.match(/ node-\d +has booted again, and takes pods/g)).toHaveLength(3);
    expect(stdout).toMatch(/database-\d: Ready on node-\d with volume/);
    expect(stdout.trimEnd()).toMatch(/never fewer than [23] of 3 replicas were Ready$/);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
