// Promises that the program does not keep yet, each with a seed that shows it: taken off one by one as they come true.

/** What a run with `on` switched on leaves out. */
export function leftOut(on: readonly string[] = []): ReadonlySet<string> {
  if (on.includes('all')) return new Set();
  return new Set(pending.map(({ name }) => name).filter((name) => !on.includes(name)));
}
