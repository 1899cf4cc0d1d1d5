// Rows as a table that fits a terminal of 80 columns.
import type { Row } from './rows.ts';

const headings = ['case', 'figure', 'unit', 'n', 'min', 'median', 'p95', 'max'] as const;
const width = 80;
/** Between two columns. */
const gap = 1;

export function tableOf(rows: readonly Row[]): readonly string[] {
  const cells = rows.map((row) => headings.map((heading) => textOf(row[heading])));
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const excess = widths.reduce((sum, one) => sum + one, 0) + gap * (widths.length - 1) - width;
  // Names of cases and figures give way; numbers never do.
  if (excess > 0) widths[0] = Math.max(8, (widths[0] ?? 0) - excess);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, at) => {
        const room = widths[at] ?? 0;
        return at < 3 ? shortened(text, room).padEnd(room) : text.padStart(room);
      })
      .join(' '.repeat(gap))
      .trimEnd();
  return [line(headings), ...cells.map(line)];
}

function textOf(value: string | number): string {
  if (typeof value === 'string') return value;
  return Math.abs(value) >= 1_000 ? String(Math.round(value)) : String(value);
}

function shortened(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}~`;
}
