// One log line for people: time, level, sentence, and the few fields that the sentence doesn't already say.
import { styleText } from 'node:util';
import { printable } from '../text/table.ts';

type Style = Parameters<typeof styleText>[0];

/** Styles text where that is wanted: `styleText` looks for a terminal on stdout and honours NO_COLOR by itself. */
export type Paint = (style: Style, text: string) => string;

const levelStyles: Readonly<Record<string, Style>> = { error: 'red', warn: 'yellow', info: 'green' };

/** @param line one JSON object, as the logger writes them */
export function prettyLine(line: string, paint: Paint = styleText): string {
  const { level, time, msg, identity, epoch, stack } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  const word = String(level);
  const clock = String(time).slice(11, 23);
  const who = [identity, epoch === undefined ? undefined : `epoch ${epoch}`].filter(
    (part) => part !== undefined,
  );
  const head = `${paint('dim', clock)} ${paint(levelStyles[word] ?? 'dim', word.padEnd(5))} ${printable(String(msg))}`;
  const tail = paint('dim', `(${who.map((part) => printable(String(part))).join(', ')})`);
  return stack === undefined ? `${head} ${tail}` : `${head} ${tail}\n${String(stack)}`;
}
