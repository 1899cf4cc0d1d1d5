// Each guarantee of the safety page can be seen broken, and what is said to check it is there.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutationNames } from '../chaos/mutations/all-mutations.ts';
import { selfFencingDefects } from '../chaos/self-fencing/defects.ts';
import { documentAt, root } from '../documents/documents.ts';

/** Those of whole clusters, and those of one machine that guards itself. */
const allDefects = [...mutationNames, ...selfFencingDefects.map(({ name }) => name)];

const [table] = documentAt('docs/safety.md').tables;

const rows = (table?.rows ?? []).map(([guarantee = '', checkedBy = '', brokenBy = '']) => ({
  title: /^\*\*(.+?)\.\*\*/.exec(guarantee)?.[1] ?? guarantee,
  checks: namesIn(checkedBy).filter((name) => name.includes('/') || name.endsWith('.ts')),
  defects: namesIn(brokenBy),
}));

function namesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

describe('the guarantees', () => {
  it('are a table of what is guaranteed, what checks it and what breaks it', () => {
    expect(table?.columns).toEqual(['guarantee', 'checked by', 'broken by']);
    expect(rows.length).toBeGreaterThan(10);
  });

  it.each(rows)('$title: is broken by a defect that there is', ({ defects }) => {
    expect(defects).not.toEqual([]);
    expect(defects.filter((name) => !allDefects.includes(name))).toEqual([]);
  });

  it.each(rows)('$title: is checked by a test that there is', ({ checks }) => {
    expect(checks).not.toEqual([]);
    const isThere = (path: string): boolean =>
      [root, join(root, 'packages/core/src')].some((from) => existsSync(join(from, path)));
    expect(checks.filter((path) => !path.endsWith('.test.ts') || !isThere(path))).toEqual([]);
  });

  it('have every defect in one row and no other', () => {
    expect(rows.flatMap(({ defects }) => defects).toSorted()).toEqual(allDefects.toSorted());
  });
});
