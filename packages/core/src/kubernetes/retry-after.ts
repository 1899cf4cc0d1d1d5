// Reads how long a server wants to be left alone.

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * `Retry-After` in milliseconds; undefined when there is none or it makes no sense. Kubernetes sends seconds; a proxy in
 * front of it may send a date, which is measured from the `Date` of the same answer: our own clock has no say in what
 * another one shows.
 */
export function parseRetryAfter(headers: Headers): number | undefined {
  const text = first(headers['retry-after'])?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  // Date.parse makes a date of nearly any number.
  if (!/[a-z]/i.test(text)) return undefined;
  const ms = Date.parse(text) - Date.parse(first(headers['date']) ?? '');
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
