// What a program printed, as words that may be told: short, stable, and without secrets.
import type { Secrets } from '../secrets.ts';

const longestWords = 200;

/** What differs from run to run says nothing, and would make every answer a new one. */
const changing: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, ''],
  [/\b[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d\b/g, ''],
  [/\b0x[0-9a-f]{4,}\b/gi, '0x...'],
  [/\b(?:pid|process)[ :=]*\d+/gi, 'process'],
  [/\[\d+\](?=:)/g, ''],
  [/\b(request[ _-]?id[^0-9a-z]{0,4})[0-9a-f-]{8,}/gi, '$1...'],
  [/\b\d+(?:\.\d+)?\s?(?:ms|milliseconds?|s|secs?|seconds?)\b/gi, 'some time'],
];

/** One line of what it printed that says most about why it failed; empty when it printed nothing. */
export function complaintIn(stderr: string, stdout: string, secrets: Secrets): string {
  const said = linesOf(stderr, secrets);
  const error = said.find((line) => /\bERROR: *\S/.test(line))?.replace(/^.*?\bERROR: */, '');
  // A stack of Python ends with what it is about.
  return (error ?? said.at(-1) ?? linesOf(stdout, secrets)[0] ?? '').slice(0, longestWords);
}

/** The first line of what it printed; empty when it printed nothing. */
export function firstLineOf(text: string, secrets: Secrets): string {
  return (linesOf(text, secrets)[0] ?? '').slice(0, longestWords);
}

function linesOf(text: string, secrets: Secrets): readonly string[] {
  return secrets
    .redact(text)
    .split(/[\r\n]+/)
    .map(plain)
    .filter((line) => line !== '');
}

function plain(line: string): string {
  return changing
    .reduce((left, [what, instead]) => left.replaceAll(what, instead), line)
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}
