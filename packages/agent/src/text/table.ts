// Rows as aligned columns, as people read them on a terminal.

/** Names and messages come from the cluster: none of them may move the cursor of a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** However narrow a terminal is, a column of words is not narrower than this. */
const narrowest = 20;

/**
 * One text for each line. All columns but the last are as wide as they need to be; the last is broken at words to fit.
 *
 * @param columns - How wide a line may be; undefined where nobody counts, as in a pipe.
 */
export function table(
  rows: readonly (readonly string[])[],
  columns: number | undefined,
  indent: string = '',
): readonly string[] {
  const clean = rows.map((row) => row.map(printable));
  const last = Math.max(0, ...clean.map((row) => row.length - 1));
  const widths = Array.from({ length: last }, (_, i) => Math.max(...clean.map((row) => row[i]?.length ?? 0)));
  const before = widths.reduce((sum, width) => sum + width + 2, indent.length);
  const room = columns === undefined ? undefined : Math.max(narrowest, columns - before);
  return clean.flatMap((row) => {
    const lead = widths.map((width, i) => `${(row[i] ?? '').padEnd(width)}  `).join('');
    const [first = '', ...more] = wrap(row[last] ?? '', room);
    return [`${indent}${lead}${first}`, ...more.map((line) => `${' '.repeat(before)}${line}`)].map((line) =>
      line.trimEnd(),
    );
  });
}

/** Broken at spaces; a word that is longer than a line stays whole, since it may have to be copied. */
export function wrap(text: string, columns: number | undefined): readonly string[] {
  if (columns === undefined) return [text];
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
