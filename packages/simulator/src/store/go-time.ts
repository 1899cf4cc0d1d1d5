// Times as the real server reads and writes them, down to the words in which it refuses one.

/** `Time` has whole seconds, `MicroTime` exactly six fraction digits. */
export type TimeType = 'Time' | 'MicroTime';

/** A time as the server would write it back, or why it can't be read. */
export type ParsedTime = { readonly value: string } | { readonly why: string };

const layouts: Readonly<Record<TimeType, string>> = {
  Time: '2006-01-02T15:04:05Z07:00',
  MicroTime: '2006-01-02T15:04:05.000000Z07:00',
};

/** The pieces of a time, each with the part of the layout that the server names when it fails. */
const pieces: readonly { readonly layout: string; readonly pattern: RegExp; readonly only?: TimeType }[] = [
  { layout: '2006', pattern: /^\d{4}/ },
  { layout: '-', pattern: /^-/ },
  { layout: '01', pattern: /^\d{2}/ },
  { layout: '-', pattern: /^-/ },
  { layout: '02', pattern: /^\d{2}/ },
  { layout: 'T', pattern: /^T/ },
  { layout: '15', pattern: /^\d{2}/ },
  { layout: ':', pattern: /^:/ },
  { layout: '04', pattern: /^\d{2}/ },
  { layout: ':', pattern: /^:/ },
  { layout: '05', pattern: /^\d{2}/ },
  { layout: '.000000', pattern: /^\.\d{6}/, only: 'MicroTime' },
  // A reader of whole seconds takes a fraction all the same.
  { layout: '.000000', pattern: /^(\.\d+)?/, only: 'Time' },
  { layout: 'Z07:00', pattern: /^(Z|[+-]\d{2}:\d{2})/ },
];

/** What the server would write itself, on a day that every month has: most times are, and need no taking apart. */
const canonical: Readonly<Record<TimeType, RegExp>> = {
  Time: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3])(:[0-5]\d){2}Z$/,
  MicroTime: /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3])(:[0-5]\d){2}\.\d{6}Z$/,
};

/** Reads a time and turns it to UTC. */
export function parseTime(text: string, type: TimeType): ParsedTime {
  if (canonical[type].test(text)) return { value: text };
  const parsing = `parsing time ${JSON.stringify(text)}`;
  const inLayout = `${parsing} as ${JSON.stringify(layouts[type])}`;
  const found: string[] = [];
  let rest = text;
  for (const { layout, pattern, only } of pieces) {
    if (only !== undefined && only !== type) continue;
    const match = pattern.exec(rest)?.[0];
    if (match === undefined)
      return { why: `${inLayout}: cannot parse ${JSON.stringify(rest)} as "${layout}"` };
    found.push(match);
    rest = rest.slice(match.length);
  }
  if (rest !== '') return { why: `${parsing}: extra text: ${JSON.stringify(rest)}` };
  const [year, , month = '', , day = '', , hour, , minute, , second, fraction = '', zone] = found;
  const outOfRange = rangeProblem({ month, day, hour, minute, second });
  if (outOfRange !== undefined) return { why: `${parsing}: ${outOfRange} out of range` };
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(milliseconds)) return { why: `${parsing}: day out of range` };
  const seconds = new Date(milliseconds).toISOString().slice(0, 19);
  return { value: `${seconds}${type === 'MicroTime' ? fraction : ''}Z` };
}

function rangeProblem(parts: Readonly<Record<string, string | undefined>>): string | undefined {
  const largest: Readonly<Record<string, number>> = { month: 12, day: 31, hour: 23, minute: 59, second: 59 };
  const smallest: Readonly<Record<string, number>> = { month: 1, day: 1 };
  return Object.entries(parts).find(([name, text]) => {
    const value = Number(text);
    return value > (largest[name] ?? 0) || value < (smallest[name] ?? 0);
  })?.[0];
}
