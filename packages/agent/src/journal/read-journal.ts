// Reads journals from files, line by line: what is wrong in one is told with its file and line.
import { createReadStream } from 'node:fs';
import {
  type JournalEntry,
  type JournalHead,
  JournalLineError,
  readJournalHead,
  readJournalLine,
} from '@liberator/core';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';

/** One file of a journal. */
export interface JournalFile {
  readonly path: string;
  readonly head: JournalHead;
}

/**
 * The files in the order in which they were written: those of one life by their number, lives by when they began.
 *
 * @throws {@link FatalError} for a file that can't be read or is no journal.
 */
export async function openJournals(paths: readonly string[]): Promise<readonly JournalFile[]> {
  const files = await Promise.all(
    [...new Set(paths)].map(async (path): Promise<JournalFile> => ({ path, head: await readHead(path) })),
  );
  const begun = new Map<string, string>();
  for (const { head } of files.toSorted((a, b) => compare(a.head.wall, b.head.wall))) {
    if (!begun.has(head.identity)) begun.set(head.identity, head.wall);
  }
  const beginOf = ({ head }: JournalFile): string => begun.get(head.identity) ?? '';
  return files.toSorted(
    (a, b) =>
      compare(beginOf(a), beginOf(b)) ||
      compare(a.head.identity, b.head.identity) ||
      a.head.part - b.head.part,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function readHead(path: string): Promise<JournalHead> {
  for await (const { text, number } of linesOf(path)) return at(path, number, () => readJournalHead(text));
  throw failed(`${path}: expected a journal, found an empty file`);
}

/**
 * All lines but the head. A last one that is not whole is none: its process died while it wrote.
 *
 * @throws {@link FatalError} for a line that is no line of a journal.
 */
export async function* readEntries({ path }: JournalFile): AsyncGenerator<JournalEntry> {
  for await (const { text, number, whole } of linesOf(path)) {
    if (number === 1) continue;
    if (!whole && !isJson(text)) return;
    yield at(path, number, () => readJournalLine(text));
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Line {
  readonly text: string;
  /** From 1 on. */
  readonly number: number;
  /** It has an end. */
  readonly whole: boolean;
}

async function* linesOf(path: string): AsyncGenerator<Line> {
  let rest = '';
  let number = 0;
  const stream = createReadStream(path, 'utf8');
  try {
    for await (const chunk of stream as AsyncIterable<string>) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) yield { text, number: ++number, whole: true };
    }
  } catch (error) {
    if (error instanceof FatalError) throw error;
    throw failed(`could not read the journal ${path}: ${sentenceOf(error)}`, error);
  }
  if (rest !== '') yield { text: rest, number: ++number, whole: false };
}

function at<T>(path: string, number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof JournalLineError) throw failed(`${path}:${number}: ${error.message}`, error);
    throw error;
  }
}

function failed(message: string, cause?: unknown): FatalError {
  return new FatalError(message, { code: 'LIBERATOR_JOURNAL', exitCode: exitCode.usage, cause });
}
