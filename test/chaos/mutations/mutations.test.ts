// A defect that is not built in is never caught: its text must be where it says.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { oneNodesTrouble } from '../encore.ts';
import { allInvariants } from '../invariants/all-invariants.ts';
import { recovery } from '../invariants/recovery.ts';
import { allMutations } from './all-mutations.ts';
import { edited } from './edits.ts';

const core = new URL('../../../packages/core/src/', import.meta.url);

const edits = allMutations.flatMap(({ name, defect }) =>
  (defect.edits ?? []).map((edit) => ({ name, file: edit.file, edit })),
);

describe('a deliberate defect', () => {
  it.each(edits)('$name finds its place in $file', async ({ file, edit }) => {
    const text = await readFile(new URL(file, core), 'utf8');
    expect(edited(text, edit)).not.toBe(text);
  });

  it('names invariants that there are', () => {
    const names = [...allInvariants.map(({ name }) => name), recovery.name, oneNodesTrouble.name];
    for (const { seenBy } of allMutations) expect(names).toEqual(expect.arrayContaining([...seenBy]));
  });

  it('has a name of its own', () => {
    const names = allMutations.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('an edit', () => {
  const edit = { file: 'a.ts', find: 'return a;', replace: 'return $&;' };

  it('replaces its text, whatever it says', () => {
    expect(edited('if (b) return a;', edit)).toBe('if (b) return $&;');
  });

  it.each(['nothing', 'return a; return a;'])(
    'refuses a file in which its text is not exactly once: %s',
    (text) => {
      expect(() => edited(text, edit)).toThrow(/expected this exactly once/);
    },
  );
});
