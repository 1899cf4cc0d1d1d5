// What a check found, as people read it: a line for each finding with its mark, and a verdict below.
import { styleText } from 'node:util';
import type { Paint } from '../log/pretty-line.ts';
import { table } from '../text/table.ts';
import type { Mark, Section } from './finding.ts';

const marks: Readonly<Record<Mark, { readonly text: string; readonly style: Parameters<Paint>[0] }>> = {
  ok: { text: 'ok', style: 'green' },
  skipped: { text: 'skip', style: 'dim' },
  warning: { text: 'WARN', style: 'yellow' },
  failure: { text: 'FAIL', style: 'red' },
};

const markColumns = 6;

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function reportText(
  sections: readonly Section[],
  columns: number | undefined,
  paint: Paint = styleText,
): readonly string[] {
  const blocks = sections.flatMap(({ title, findings }) => [
    title,
    ...findings.flatMap(({ mark, what, detail }) => {
      const { text, style } = marks[mark];
      const sentence = detail === undefined ? what : `${what}: ${detail}`;
      const [first = '', ...more] = table([[sentence]], columns && columns - markColumns);
      return [
        `${paint(style, text.padEnd(markColumns - 1))} ${first}`,
        ...more.map((line) => `${' '.repeat(markColumns)}${line}`),
      ];
    }),
    '',
  ]);
  return [...blocks, verdict(sections)];
}

function verdict(sections: readonly Section[]): string {
  const all = sections.flatMap(({ findings }) => findings);
  const count = (mark: Mark): number => all.filter((one) => one.mark === mark).length;
  const parts = [
    counted(count('failure'), 'failure'),
    counted(count('warning'), 'warning'),
    ...(count('skipped') > 0 ? [`${count('skipped')} not looked at`] : []),
  ];
  return `${counted(all.length, 'finding')}: ${parts.join(', ')}.`;
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}
