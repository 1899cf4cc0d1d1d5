// Links within the repository: the file is there, and the heading in it.
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documents, root } from '../documents/documents.ts';

const isElsewhere = /^[a-z]+:/;

describe.each(documents.filter(({ links }) => links.length > 0))('$path', (document) => {
  it('has no dead link', () => {
    const dead = document.links
      .filter(({ target }) => !isElsewhere.test(target))
      .flatMap(({ target, line }) => {
        const reason = whyDead(document.path, target);
        return reason === undefined ? [] : [`line ${line}: ${target}: ${reason}`];
      });
    expect(dead).toEqual([]);
  });
});

it('finds a link dead whose file, or whose heading, is not there', () => {
  expect(whyDead('docs/safety.md', 'no-such-file.md')).toContain('no such file');
  expect(whyDead('docs/safety.md', '../README.md#no-such-heading')).toContain('no such heading');
  expect(whyDead('docs/safety.md', '../README.md#see-it')).toBeUndefined();
  expect(whyDead('docs/safety.md', '#what-happens-if-')).toBeUndefined();
});

function whyDead(from: string, target: string): string | undefined {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? from : normalize(join(dirname(from), file));
  if (!existsSync(join(root, path))) return 'there is no such file';
  if (anchor === undefined) return undefined;
  const linked = documents.find((one) => one.path === path);
  return linked?.anchors.has(anchor) ? undefined : 'there is no such heading';
}
