// How maintenance ends when it does not end well: one class, and a stable code for each way.
import type { PodState } from './progress.ts';

/**
 * - `LIBERATOR_NODE_NOT_FOUND`: there is no such Node. Nothing was changed.
 * - `LIBERATOR_NODE_BUSY`: the node is being taken over, or has stopped reporting. Nothing was changed.
 * - `LIBERATOR_DRAIN_REFUSED`: something would be lost with some pods; `pods` are those.
 * - `LIBERATOR_DRAIN_TIMEOUT`: not all pods were gone, or Ready elsewhere, in time; `pods` are those.
 * - `LIBERATOR_DRAIN_INTERRUPTED`: the caller's signal aborted; `pods` are those that had not gone yet.
 * - `LIBERATOR_DRAIN_DENIED`: something on the server forbids that some pods go, `cause` being the first answer that said
 *   so; `pods` are those. All others have moved.
 * - `LIBERATOR_DRAIN_FAILED`: an answer of the server that no further attempt would change, `cause`; `pods` are those that
 *   had not gone yet.
 * - `LIBERATOR_UNCORDONED`: somebody else uncordoned the node meanwhile; `pods` as above.
 * - `LIBERATOR_NODE_CONFLICT`: the Node changed at each attempt to write to it.
 */
export type MaintenanceErrorCode =
  | 'LIBERATOR_NODE_NOT_FOUND'
  | 'LIBERATOR_NODE_BUSY'
  | 'LIBERATOR_DRAIN_REFUSED'
  | 'LIBERATOR_DRAIN_TIMEOUT'
  | 'LIBERATOR_DRAIN_INTERRUPTED'
  | 'LIBERATOR_DRAIN_DENIED'
  | 'LIBERATOR_DRAIN_FAILED'
  | 'LIBERATOR_UNCORDONED'
  | 'LIBERATOR_NODE_CONFLICT';

/** Thrown when a node could not be cordoned, drained or uncordoned. The message says what to do. */
export class MaintenanceError extends Error {
  override readonly name = 'MaintenanceError';
  readonly code: MaintenanceErrorCode;
  /** The pods that stood in the way or were still to go, each with what was last known of it. */
  readonly pods: readonly PodState[];
  /** Whether the node is cordoned now, and takeovers of it held, by what was done. */
  readonly cordoned: boolean;

  constructor(
    code: MaintenanceErrorCode,
    message: string,
    more: {
      readonly pods?: readonly PodState[];
      readonly cordoned?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.pods = more.pods ?? [];
    this.cordoned = more.cordoned ?? false;
  }
}
