import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';

describe('the example of a borrowed election', () => {
  it('does the job once, though its first leader is stopped in the middle', async () => {
    const { exitCode, stdout, stderr } = await runProgram('borrowed-election');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.match(/leaves the job to the next/g)).toHaveLength(1);
    expect(stdout.match(/has done the job/g)).toHaveLength(1);
    expect(stdout.match(/is done already/g)).toHaveLength(1);
  });
});
