// Who died and when, by our own clock, for as long as a budget may ask: a Node that is deleted takes nothing back. Pure.
import { Map as PersistentMap } from 'immutable';

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

/** By node name, at most one death each: what counts is the last one. */
export type Deaths = PersistentMap<string, SeenDeath>;

export const noDeaths: Deaths = PersistentMap();

/** The node is taken for dead. The same death counts from when that was so for the first time. */
export function sawDead(
  deaths: Deaths,
  death: Pick<SeenDeath, 'node' | 'deathId' | 'lastHeartbeat' | 'proven'>,
  now: number,
): Deaths {
  const known = deaths.get(death.node);
  const same = known?.deathId === death.deathId;
  if (same && known.judged && known.proven === death.proven && !known.gone) return deaths;
  return deaths.set(death.node, { ...death, since: same ? known.since : now, judged: true, gone: false });
}

/** Its Node object was deleted. */
export function sawGo(
  deaths: Deaths,
  node: Pick<SeenDeath, 'node' | 'deathId' | 'lastHeartbeat'>,
  now: number,
): Deaths {
  const known = deaths.get(node.node);
  return deaths.set(
    node.node,
    known !== undefined
      ? { ...known, gone: true }
      : { ...node, since: now, judged: false, proven: false, gone: true },
  );
}

/** A Node of that name is there. Only a renewal that came after the death ends it, or Ready where there was no Lease. */
export function sawNode(deaths: Deaths, node: string, { renewTime, ready }: Sign): Deaths {
  const known = deaths.get(node);
  if (known === undefined) return deaths;
  if (hasReturned(known.lastHeartbeat, { renewTime, ready })) return deaths.delete(node);
  return known.gone ? deaths.set(node, { ...known, gone: false }) : deaths;
}

/** Without those that no budget may ask for any more. */
export function forgetOld(deaths: Deaths, keepMs: number, now: number): Deaths {
  // One whose Node is there is kept: forgotten, it would seem to have died just now.
  return deaths.filterNot(({ since, gone }) => gone && now - since >= keepMs);
}

/** Whether a node shows life that a death with this last heartbeat did not know. */
export function hasReturned(lastHeartbeat: string, { renewTime, ready }: Sign): boolean {
  if (renewTime !== undefined && renewTime !== lastHeartbeat) return true;
  // Where there is a Lease, Ready lags behind by most of a minute, and outlives its node.
  return lastHeartbeat === '' && renewTime === undefined && ready;
}
