import { describe, expect, it } from 'vitest';
import { runProgram } from '../testing/run-program.ts';

describe('the example of an embedded controller', () => {
  it('pages about a death, and brings the database back on another node', async () => {
    const { exitCode, stdout, stderr } = await runProgram('embedded-controller');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const [, dead] = /guardian-\d {2}(node-\d) is dead/.exec(stdout) ?? [];
    const [, host] = /mysql-0 is Ready again, on (node-\d)/.exec(stdout) ?? [];
    expect(dead).toBeDefined();
    expect(host).toBeDefined();
    expect(host).not.toBe(dead);
    expect(stdout.match(/ leads$/gm)).toHaveLength(1);
  });
});
