// What of a fence is owed back once its takeover is over: power where the policy says so, and storage once the node has returned. Pure.
import type { FenceTarget } from '../fencing/fence-target.ts';
import type { Fencer } from '../fencing/fencer.ts';
import { nothingNoted } from './death-target.ts';
import type { TakeoverRecord } from './record.ts';

/**
 * Whether its machine is to be switched on again: a fencer switched it off, its pods are released and its Node is removed or kept. That
 * comes before, so that nothing is taken from a machine which boots.
 */
export function owesPower(record: TakeoverRecord): boolean {
  const { policy, proof, fencer, steps, powerOn } = record;
  if (policy.afterwards !== 'power-on' || proof !== 'powered-off' || fencer === undefined) return false;
  if (record.undoing !== undefined || record.overtaken !== undefined || record.return !== undefined)
    return false;
  return steps.remove?.outcome !== undefined && (powerOn === undefined || powerOn.state === 'begun');
}

/** Why its machine must stay off; undefined when it may go on. What is still attached to it may be written by it. */
export function staysOff({ steps: { release } }: TakeoverRecord): string | undefined {
  if (release?.outcome === 'done' && release.left === undefined) return undefined;
  const left = release?.left?.join(', ') ?? release?.detail ?? 'nobody knows what';
  return `not everything is released: ${left}`;
}

/**
 * The fencers that may have cut the node off from storage, each by its name: whoever had a turn may have acted, whatever it answered.
 * Empty when that was given back.
 */
export function storageFencersOf(
  record: TakeoverRecord,
  fencers: ReadonlyMap<string, Fencer>,
): readonly string[] {
  const { fencer, climb, isolation, policyChanges = [], storageBack } = record;
  if (storageBack?.state === 'done') return [];
  const had = [
    ...(fencer === undefined ? [] : [fencer]),
    ...(climb?.rungs.map((rung) => rung.fencer) ?? []),
    // A climb that is begun anew has forgotten them.
    ...(isolation?.proofs.map((proof) => proof.fencer) ?? []),
    // With another ladder, what became of the one before is forgotten.
    ...policyChanges.flatMap(({ from, to }) => [...from.drivers, ...to.drivers]),
  ];
  return [...new Set(had)].filter((name) => fencers.get(name)?.acts === 'storage');
}

/** A fencer is asked about the machine of a takeover that is over. */
export function targetOnRecord({ node, deathId, noted }: TakeoverRecord): FenceTarget {
  const { name, uid } = node;
  return { name, uid, deathId, noted: noted ?? nothingNoted, howToConfirm: 'nobody has to' };
}
