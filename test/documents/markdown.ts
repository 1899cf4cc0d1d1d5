// Reads a Markdown document for what can be checked in it: fences, headings, links, tables and words in code type.

export interface Fence {
  /** The first word after the fence; empty when there is none. */
  readonly language: string;
  readonly text: string;
  /** Of its first line of text, counted from 1. */
  readonly line: number;
}

interface Link {
  readonly target: string;
  readonly line: number;
}

interface Span {
  readonly text: string;
  readonly line: number;
}

export interface Table {
  /** Lower case, as in the table's first row. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Markdown {
  readonly fences: readonly Fence[];
  readonly links: readonly Link[];
  /** What stands between single backticks. */
  readonly code: readonly Span[];
  readonly tables: readonly Table[];
  /** What a link may name after "#", as GitHub makes it of each heading. */
  readonly anchors: ReadonlySet<string>;
}

export function readMarkdown(source: string): Markdown {
  const { fences, prose } = splitFences(source.split('\n'));
  return {
    fences,
    links: prose.flatMap(linksOf),
    code: prose.flatMap(codeOf),
    tables: tablesOf(prose),
    anchors: anchorsOf(prose),
  };
}

/** A line outside of fences, without the indentation of lists. */
interface ProseLine {
  readonly text: string;
  readonly line: number;
}

function splitFences(lines: readonly string[]): { fences: Fence[]; prose: ProseLine[] } {
  const fences: Fence[] = [];
  const prose: ProseLine[] = [];
  let open: { marker: string; indent: number; language: string; line: number; text: string[] } | undefined;
  for (const [index, text] of lines.entries()) {
    const [, indent = '', marker, info = ''] = /^(\s*)(`{3,})(.*)$/.exec(text) ?? [];
    if (open === undefined && marker !== undefined) {
      const [language = ''] = info.trim().split(' ');
      open = { marker, indent: indent.length, language, line: index + 2, text: [] };
    } else if (open !== undefined && marker !== undefined && marker.length >= open.marker.length) {
      fences.push({ language: open.language, line: open.line, text: open.text.join('\n') });
      open = undefined;
    } else if (open !== undefined) {
      open.text.push(text.slice(open.indent));
    } else {
      prose.push({ text: text.trim(), line: index + 1 });
    }
  }
  if (open !== undefined)
    throw new Error(`expected an end of the fence at line ${open.line - 1}, found none`);
  return { fences, prose };
}

function linksOf({ text, line }: ProseLine): readonly Link[] {
  const links = withoutCode(text).matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g);
  return [...links].map(([, target = '']) => ({ target, line }));
}

function codeOf({ text, line }: ProseLine): readonly Span[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => ({ text: span, line }));
}

function withoutCode(text: string): string {
  return text.replaceAll(/`[^`]*`/g, '');
}

function tablesOf(prose: readonly ProseLine[]): readonly Table[] {
  const tables: { columns: readonly string[]; rows: (readonly string[])[] }[] = [];
  let table: (typeof tables)[number] | undefined;
  for (const { text } of prose) {
    if (!text.startsWith('|')) {
      table = undefined;
    } else if (table === undefined) {
      table = { columns: cellsOf(text).map((cell) => cell.toLowerCase()), rows: [] };
      tables.push(table);
    } else if (!/^[|\s:-]+$/.test(text)) {
      table.rows.push(cellsOf(text));
    }
  }
  return tables;
}

function cellsOf(row: string): readonly string[] {
  return row
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function anchorsOf(prose: readonly ProseLine[]): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const { text } of prose) {
    const [, heading] = /^#{1,6} (.*)$/.exec(text) ?? [];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

function slugOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
    .replaceAll(' ', '-');
}
