// Every piece of TypeScript in a document compiles against the packages as they are.
import { expect, it } from 'vitest';
import { fencesIn } from '../documents/documents.ts';
import { compile } from './compile.ts';

const wrong = {
  at: 'wrong.md:1',
  text: [
    `import { LeaderElector, LeaderSelector } from '@liberator/core';`,
    `import { Simulator } from '@liberator/simulator';`,
    `const a: typeof LeaderElector = LeaderSelector;`,
    `await Simulator.start({ nodez: 3 });`,
  ].join('\n'),
};

it('compiles whatever TypeScript the documents show, and nothing that is wrong', { timeout: 60_000 }, () => {
  const pieces = fencesIn('ts');
  expect(pieces.length).toBeGreaterThan(2);
  const found = compile([...pieces, wrong]);
  expect(found.filter((line) => !line.startsWith(wrong.at))).toEqual([]);
  expect(found.filter((line) => line.startsWith(wrong.at))).toEqual([
    expect.stringMatching(/line 1: .*LeaderSelector/),
    expect.stringMatching(/line 4: .*nodez/),
  ]);
});
