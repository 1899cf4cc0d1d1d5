import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { askForName } from './ask.ts';

async function answer(typed: string | undefined): Promise<string> {
  const input = new PassThrough();
  const output = new PassThrough();
  const asked = askForName('node-1', { input, output });
  if (typed === undefined) input.end();
  else input.write(typed);
  return asked;
}

describe('whoever is asked for the name of the node', () => {
  it.each([
    ['node-1\n', 'confirmed'],
    [' node-1 \n', 'confirmed'],
    ['y\n', 'declined'],
    ['node-2\n', 'declined'],
    ['\n', 'declined'],
    [undefined, 'declined'],
  ])('and types %j has %s', async (typed, outcome) => {
    expect(await answer(typed)).toBe(outcome);
  });
});
