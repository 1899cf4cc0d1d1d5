// What the container beside us is told: who leads, and whether that is us.

/** As it stood at one moment; a new one is made whenever it is another. */
export interface Standing {
  /** Who leads, as far as we know; empty when nobody does. Our own identity only while we do lead. */
  readonly name: string;
  readonly isLeader: boolean;
  /** The leader's epoch, which only grows; undefined when nobody leads. */
  readonly term: number | undefined;
  /** Since when it is so: milliseconds since the Unix epoch. */
  readonly since: number;
}

/** Readable by clients of the classic sidecar, which look at `name` alone, and of its successor. */
export function standingJson({ name, isLeader, term, since }: Standing): string {
  const last_update = new Date(since).toISOString();
  return JSON.stringify({ name, last_update, isLeader, term: term ?? null });
}
