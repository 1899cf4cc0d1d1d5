// Since when our own watch has shown that somebody works on a node: what a hold's time is counted from.
import type { Node } from '../kubernetes/objects.ts';
import type { MaintenanceHold } from '../marks/maintenance.ts';
import { maintenanceAnnotation, readMaintenance } from '../marks/maintenance.ts';

/** A {@link MaintenanceHold} with the text that it was read from, by which a renewal is told. */
export interface MaintenanceSight extends MaintenanceHold {
  /** The annotation as it is on the Node. */
  readonly text: string;
}

/**
 * The hold of a node as it is seen at `at`, given what was seen before. A mark on a node that is not cordoned counts
 * for nothing: whoever uncordons a node, by whatever means, has finished with it.
 */
export function seeMaintenance(
  node: Node,
  before: MaintenanceSight | undefined,
  at: number,
): MaintenanceSight | undefined {
  const text = node.metadata.annotations?.[maintenanceAnnotation];
  if (text === undefined || text === 'false' || node.spec?.unschedulable !== true) return undefined;
  return before?.text === text ? before : { ...readMaintenance(text), text, seenAt: at };
}
