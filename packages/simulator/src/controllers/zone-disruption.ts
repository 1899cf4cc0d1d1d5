// When many nodes look dead at once it is rather the observer who is blind: how a zone's state brakes evictions. Pure.

/** How a zone looks by the Ready conditions of its nodes. */
export type ZoneState = 'normal' | 'partial-disruption' | 'full-disruption';

const unhealthyShare = 0.55;
const unhealthyAtLeast = 3;
const largeClusterNodes = 50;
/** In a partially disrupted large zone evictions go on ten times slower; in a small one they stop. */
const reducedPace = 10;

/** The state of a zone with so many Ready and other nodes. */
export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'full-disruption';
  if (notReady >= unhealthyAtLeast && notReady / (ready + notReady) >= unhealthyShare)
    return 'partial-disruption';
  return 'normal';
}

/** What the controller manager does about the states of all zones in one pass. */
export type DisruptionStep =
  | { readonly kind: 'enter-master-disruption' }
  | { readonly kind: 'leave-master-disruption' }
  | { readonly kind: 'carry-on' };

/**
 * All zones dark means that the control plane is cut off: everything stops. A zone that wasn't known before counts as
 * not dark until now, and no zone at all counts as all dark.
 */
export function disruptionStep(
  before: ReadonlyMap<string, ZoneState>,
  after: ReadonlyMap<string, ZoneState>,
): DisruptionStep {
  const allDark = [...after.values()].every((state) => state === 'full-disruption');
  const allWereDark = [...after.keys()].every((zone) => before.get(zone) === 'full-disruption');
  if (allDark && !allWereDark) return { kind: 'enter-master-disruption' };
  if (!allDark && allWereDark) return { kind: 'leave-master-disruption' };
  return { kind: 'carry-on' };
}

/** How long to wait between the evictions of two nodes of a zone; Infinity stops them. */
export function evictionPaceMs(state: ZoneState, nodesInZone: number, normalPaceMs: number): number {
  // A single dark zone is believed at the normal pace: others show that the control plane can see.
  if (state !== 'partial-disruption') return normalPaceMs;
  return nodesInZone > largeClusterNodes ? normalPaceMs * reducedPace : Number.POSITIVE_INFINITY;
}
