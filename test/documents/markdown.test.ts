// What is read from a Markdown document, so that nothing in a document is skipped unseen.
import { describe, expect, it } from 'vitest';
import { readMarkdown } from './markdown.ts';

const document = `# A title, with \`code\`

See [there](other.md#part) and \`[no](link)\`.

- in a list:

  \`\`\`sh
  npm ci
    indented
  \`\`\`

## Part

| name | what | 
|------|:----:|
| \`a\` | one \\| two |

## Part

\`\`\`\`text
\`\`\`
inner
\`\`\`
\`\`\`\`
`;

describe('a document', () => {
  const { fences, links, code, tables, anchors } = readMarkdown(document);

  it('shows its fences, with the line of their text and without the indentation of a list', () => {
    expect(fences).toEqual([
      { language: 'sh', line: 8, text: 'npm ci\n  indented' },
      { language: 'text', line: 21, text: '```\ninner\n```' },
    ]);
  });

  it('shows its links, but none that is only shown as code', () => {
    expect(links).toEqual([{ target: 'other.md#part', line: 3 }]);
  });

  it('shows its words in code type', () => {
    expect(code.map(({ text }) => text)).toEqual(['code', '[no](link)', 'a']);
  });

  it('shows its tables, with bars inside of cells', () => {
    expect(tables).toEqual([{ columns: ['name', 'what'], rows: [['`a`', 'one | two']] }]);
  });

  it('has an anchor for each heading, numbered when two are alike', () => {
    expect([...anchors]).toEqual(['a-title-with-code', 'part', 'part-1']);
  });

  it('is refused when a fence does not end', () => {
    expect(() => readMarkdown('text\n```sh\nnpm ci')).toThrow('line 2');
  });
});
