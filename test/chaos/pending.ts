// Promises that the program does not keep yet, each with a seed that shows it: taken off one by one as they come true.

/** What a run leaves out as long as its name stands here. */
export interface Pending {
  /** Of an invariant, of a kind of fault, or of something that a scenario draws. */
  readonly name: string;
  /** Shows it, with this one switched on: `npm run simulate -- --seed N --with NAME`. */
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
