// How the demo's lines look: a column for the time, one for who, and text that wraps within 80 columns.
import { styleText } from 'node:util';

export type Tone = 'plain' | 'quiet' | 'good' | 'warn' | 'bad' | 'strong';

/** One line of the timeline, before it is laid out. */
export interface Line {
  /** Milliseconds for the time column; absent leaves it empty. */
  readonly atMs?: number;
  /** Who or what this is about, at most 10 characters; empty continues the line above. */
  readonly who: string;
  readonly text: string;
  readonly tone?: Tone;
}

/** Gives text the look of a tone. */
export type Paint = (tone: Tone, text: string) => string;

const width = 80;
const timeWidth = 7;
const whoWidth = 10;
const gap = '  ';
const textWidth = width - timeWidth - whoWidth - 2 * gap.length;

const styles: Readonly<Record<Tone, Parameters<typeof styleText>[0] | undefined>> = {
  plain: undefined,
  quiet: 'dim',
  good: 'green',
  warn: 'yellow',
  bad: ['bold', 'red'],
  strong: 'bold',
};

export const plain: Paint = (_tone, text) => text;

export const coloured: Paint = (tone, text) => {
  const style = styles[tone];
  return style === undefined || text.trim() === '' ? text : styleText(style, text, { validateStream: false });
};

/** Colours only where a person looks on, and only unless they asked for none (no-color.org). */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  return stream.isTTY === true && !env['NO_COLOR'] ? coloured : plain;
}

/** Lays out one line, in as many rows as its text needs. No row is wider than 80 columns. */
export function formatLine({ atMs, who, text, tone = 'plain' }: Line, paint: Paint): string {
  const time = atMs === undefined ? '' : seconds(atMs);
  const rows = wrap(printable(text), textWidth);
  const head = paint('quiet', time.padStart(timeWidth)) + gap;
  const name = paint(nameTone(tone), printable(who).slice(0, whoWidth).padEnd(whoWidth));
  const indent = ' '.repeat(timeWidth + whoWidth + 2 * gap.length);
  return rows
    .map((row, index) => (index === 0 ? `${head}${name}${gap}` : indent) + paint(tone, row))
    .map((row) => row.trimEnd())
    .join('\n');
}

/** `12.3 s` */
export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

/** For steps, most of which take but a few milliseconds: `31 ms`, `1.42 s`. */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

/** The first eight characters, enough for eyes to tell two uids apart. */
export function shortUid(uid: string): string {
  return uid.slice(0, 8);
}

/** Long generated names keep their beginning: `pvc-5f3a9c2e..` */
export function shortName(name: string): string {
  return name.length <= 24 ? name : `${name.slice(0, 12)}..`;
}

/** Breaks at spaces; a word that is wider than a row is cut. */
export function wrap(text: string, columns: number): readonly string[] {
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ').flatMap((long) => pieces(long, columns))) {
    if (row !== '' && row.length + 1 + word.length > columns) {
      rows.push(row);
      row = word;
    } else {
      row = row === '' ? word : `${row} ${word}`;
    }
  }
  return [...rows, row];
}

function pieces(word: string, columns: number): readonly string[] {
  const parts: string[] = [];
  for (let from = 0; from === 0 || from < word.length; from += columns) {
    parts.push(word.slice(from, from + columns));
  }
  return parts;
}

/** A name that alarms would alarm twice: only what is said carries the tone, unless it is strong. */
function nameTone(tone: Tone): Tone {
  return tone === 'quiet' ? 'quiet' : tone === 'bad' ? 'bad' : 'strong';
}

/** Names and messages come from the cluster: none of them may move the cursor of a terminal. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
