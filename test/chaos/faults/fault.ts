// The shape of a kind of fault: how it is drawn, what it does, and how it ends.
import type { FaultDrawer, PlannedFault } from '../world/scenario.ts';
import type { World } from '../world/world.ts';

export interface Fault extends FaultDrawer {
  /** Returns what ends it, if it lasts. */
  begin(world: World, planned: PlannedFault): (() => void) | undefined;
}
