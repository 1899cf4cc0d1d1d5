// Who asked the stand-in for what, and how many bytes it took: counted where they leave, so that no client counts for itself.

/** The figures of one client, by its user agent. */
export interface ClientTally {
  /** By verb and resource: `list nodes`, `patch configmaps`. */
  requests: Record<string, number>;
  /** Bodies, as they go over the wire: compressed where they are. */
  bytesOut: number;
  bytesIn: number;
  /** By status, where it is 400 or more. */
  refused: Record<string, number>;
}

/** What the desk answers to `GET /figures`. */
export interface StandInFigures {
  /** How long these figures have been counted. */
  readonly forMs: number;
  /** TLS connections that were opened since. */
  readonly connections: number;
  /** Heartbeats of kubelets since. */
  readonly renewals: number;
  /** CPU that the stand-in itself took, in milliseconds. */
  readonly cpuMs: number;
  readonly clients: Readonly<Record<string, ClientTally>>;
}

export class Tally {
  #since = performance.now();
  #cpu = process.cpuUsage();
  readonly #clients: Record<string, ClientTally> = {};
  #renewalsBefore = 0;
  connections = 0;

  /** The figures of one client, to be counted up. */
  of(userAgent: string): ClientTally {
    const known = this.#clients[userAgent];
    if (known !== undefined) return known;
    const tally: ClientTally = { requests: {}, bytesOut: 0, bytesIn: 0, refused: {} };
    this.#clients[userAgent] = tally;
    return tally;
  }

  /** Begins anew. */
  reset(renewals: number): void {
    this.#since = performance.now();
    this.#cpu = process.cpuUsage();
    // In place: a watch goes on counting where it began.
    for (const tally of Object.values(this.#clients)) {
      Object.assign(tally, { requests: {}, bytesOut: 0, bytesIn: 0, refused: {} } satisfies ClientTally);
    }
    this.#renewalsBefore = renewals;
    this.connections = 0;
  }

  figures(renewals: number): StandInFigures {
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      forMs: performance.now() - this.#since,
      connections: this.connections,
      renewals: renewals - this.#renewalsBefore,
      cpuMs: (user + system) / 1_000,
      clients: this.#clients,
    };
  }
}

/** One more of a kind. */
export function countUp(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
