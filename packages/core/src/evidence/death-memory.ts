// Remembers who died and when, by our own clock, for as long as a budget may ask: a Node that is deleted takes nothing back.

/** One death as this replica saw it. */
export interface SeenDeath {
  /** The Node's name. */
  readonly node: string;
  /** The death's id. */
  readonly deathId: string;
  /** Monotonic time at which this replica first took the node for dead, or saw its Node go. */
  readonly since: number;
  /** The last `renewTime` of the node's Lease; empty without one. */
  readonly lastHeartbeat: string;
  /** This replica took it for dead. Otherwise only its Node went, which is a death if a record says so. */
  readonly judged: boolean;
  /** A human vouches for it. */
  readonly proven: boolean;
  /** Its Node object is not there any more. */
  readonly gone: boolean;
}

/** A node that shows life, or may. */
interface Sign {
  /** The last `renewTime` of the Lease of that name; undefined without one. */
  readonly renewTime: string | undefined;
  /** Its Ready condition is `True`. */
  readonly ready: boolean;
}

/** At most one death a node: what counts is the last one. */
export class DeathMemory {
  /** For how long a death is of interest, from when it was first seen. */
  readonly keepMs: number;
  /** By node name. */
  readonly #deaths = new Map<string, SeenDeath>();

  constructor(keepMs: number) {
    this.keepMs = keepMs;
  }

  get all(): Iterable<SeenDeath> {
    return this.#deaths.values();
  }

  of(node: string): SeenDeath | undefined {
    return this.#deaths.get(node);
  }

  /** The node is taken for dead. The same death counts from when that was so for the first time. */
  sawDead(death: Pick<SeenDeath, 'node' | 'deathId' | 'lastHeartbeat' | 'proven'>, now: number): void {
    const known = this.#deaths.get(death.node);
    const same = known?.deathId === death.deathId;
    if (same && known.judged && known.proven === death.proven && !known.gone) return;
    this.#deaths.set(death.node, { ...death, since: same ? known.since : now, judged: true, gone: false });
  }

  /** Its Node object was deleted. */
  sawGo(node: Pick<SeenDeath, 'node' | 'deathId' | 'lastHeartbeat'>, now: number): void {
    const known = this.#deaths.get(node.node);
    this.#deaths.set(
      node.node,
      known !== undefined
        ? { ...known, gone: true }
        : { ...node, since: now, judged: false, proven: false, gone: true },
    );
  }

  /** A Node of that name is there. Only a renewal that came after the death ends it, or Ready where there was no Lease. */
  sawNode(node: string, { renewTime, ready }: Sign): void {
    const known = this.#deaths.get(node);
    if (known === undefined) return;
    if (hasReturned(known.lastHeartbeat, { renewTime, ready })) this.#deaths.delete(node);
    else if (known.gone) this.#deaths.set(node, { ...known, gone: false });
  }

  forgetOld(now: number): void {
    for (const [node, { since, gone }] of this.#deaths) {
      // One whose Node is there is kept: forgotten, it would seem to have died just now.
      if (gone && now - since >= this.keepMs) this.#deaths.delete(node);
    }
  }
}

/** Whether a node shows life that a death with this last heartbeat did not know. */
export function hasReturned(lastHeartbeat: string, { renewTime, ready }: Sign): boolean {
  if (renewTime !== undefined && renewTime !== lastHeartbeat) return true;
  // Where there is a Lease, Ready lags behind by most of a minute, and outlives its node.
  return lastHeartbeat === '' && renewTime === undefined && ready;
}
