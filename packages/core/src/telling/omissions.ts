// What was not said, summed up: at once the first time, then once a minute while it goes on.

/** Why an Event was not published. `node-limit`: one node had too many. `full`: too many waited. `failed`: it was refused. */
export type OmissionCause = 'node-limit' | 'full' | 'failed';

/** Events that were not published, summed up since this was last told. */
export interface OmittedEvents {
  /** How many. */
  readonly count: number;
  /** How many nodes they were about. */
  readonly nodes: number;
  /** How many for each cause. */
  readonly causes: Readonly<Record<OmissionCause, number>>;
}

const sumUpEveryMs = 60_000;

/** Beyond this many, nodes are no longer told apart. */
const mostNodes = 10_000;

const none: OmittedEvents['causes'] = { 'node-limit': 0, full: 0, failed: 0 };

export class Omissions {
  readonly #tell: (omitted: OmittedEvents) => void;
  readonly #nodes = new Set<string>();
  #causes = { ...none };
  #toldAt: number | undefined;

  constructor(tell: (omitted: OmittedEvents) => void) {
    this.#tell = tell;
  }

  get untold(): boolean {
    return this.#count > 0;
  }

  add(node: string, cause: OmissionCause, now: number): void {
    this.#causes[cause] += 1;
    if (this.#nodes.size < mostNodes) this.#nodes.add(node);
    this.sumUp(now);
  }

  sumUp(now: number): void {
    if (this.#toldAt !== undefined && now - this.#toldAt < sumUpEveryMs) return;
    if (!this.untold) return;
    this.#toldAt = now;
    this.sumUpNow();
  }

  sumUpNow(): void {
    if (!this.untold) return;
    const omitted = { count: this.#count, nodes: this.#nodes.size, causes: this.#causes };
    this.#causes = { ...none };
    this.#nodes.clear();
    this.#tell(omitted);
  }

  get #count(): number {
    return Object.values(this.#causes).reduce((sum, count) => sum + count, 0);
  }
}
