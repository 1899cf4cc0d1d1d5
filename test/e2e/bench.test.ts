// The bench's crashes on a real control plane, once: for being able to, never for a time.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import type { Row } from '../bench/rows.ts';

it('the bench crashes a node of a real control plane and tells how long each phase took', async () => {
  const program = ['--conditions=@liberator/source', 'test/bench/main.ts'];
  const args = [...program, 'recovery', '--case', 'default', '--crashes', '1', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { rows } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { readonly rows: readonly Row[] };
  expect(rows.map(({ case: name, figure, n }) => [name, figure, n])).toEqual([
    ['default', 'crashToDead', 1],
    ['default', 'deadToFree', 1],
    ['default', 'crashToReady', 1],
    ['default', 'neverReady', 1],
  ]);
  expect(rows.at(-1)?.max).toBe(0);
});
