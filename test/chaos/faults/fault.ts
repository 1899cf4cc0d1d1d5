// The shape of a kind of fault: how it is drawn, what it does, and how it ends.
import type { FaultDrawer } from '../world/draw.ts';
import type { PlannedFault } from '../world/scenario.ts';
import type { World } from '../world/world.ts';

export interface Fault extends FaultDrawer {
  /** It comes between replicas and the API server: until it is over nobody can be expected to be told anything. */
  readonly disturbs?: true;
  /** Returns what ends it, if it lasts. */
  begin(world: World, planned: PlannedFault): (() => void) | undefined;
}
