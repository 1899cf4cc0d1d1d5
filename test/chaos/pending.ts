// Promises that the program does not keep yet, each with a seed that shows it: taken off one by one as they come true.

/** What a run leaves out as long as its name stands here. */
interface Pending {
  /** Of an invariant, or of a kind of fault. */
  readonly name: string;
  /** Shows it: `npm run simulate -- --seed N --with all`. */
  readonly seed: number;
  /** What is found then. */
  readonly found: string;
}

export const pending: readonly Pending[] = [];

/** What a run with `on` switched on leaves out. */
export function leftOut(on: readonly string[] = []): ReadonlySet<string> {
  if (on.includes('all')) return new Set();
  return new Set(pending.map(({ name }) => name).filter((name) => !on.includes(name)));
}
