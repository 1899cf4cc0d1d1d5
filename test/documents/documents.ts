// Every document that people read, and where the repository's root is.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Fence, type Markdown, readMarkdown } from './markdown.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

export interface Document extends Markdown {
  /** From the root. */
  readonly path: string;
  readonly source: string;
}

/** Written by tools, from what is checked elsewhere. */
const generated = /(^|\/)(node_modules|dist|coverage|\.changeset|docs\/api)\/|(^|\/)CHANGELOG\.md$/;

export const documents: readonly Document[] = globSync('**/*.md', {
  cwd: root,
  exclude: (path) => generated.test(`${path}/`) || generated.test(path),
})
  .toSorted()
  .map((path) => {
    const source = readFileSync(join(root, path), 'utf8');
    return { path, source, ...readMarkdown(source) };
  });

/** @throws Error when there is none of that path. */
export function documentAt(path: string): Document {
  const document = documents.find((one) => one.path === path);
  if (document === undefined) throw new Error(`expected a document at ${path}, found none`);
  return document;
}

export interface PlacedFence extends Fence {
  /** Where it is, as editors take it: `docs/safety.md:12`. */
  readonly at: string;
}

export function fencesIn(...languages: readonly string[]): readonly PlacedFence[] {
  return documents.flatMap(({ path, fences }) =>
    fences
      .filter(({ language }) => languages.includes(language))
      .map((fence) => ({ ...fence, at: `${path}:${fence.line}` })),
  );
}
