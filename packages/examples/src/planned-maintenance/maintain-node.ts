// The heart of the example: a node is emptied, something is done to it, and it is given back, whatever happens.
import { type Drained, type DrainOptions, drain, uncordon } from '@liberator/core';

export interface MaintainOptions extends DrainOptions {
  /** What is done to the machine while nothing runs there that anybody would miss. */
  readonly work: (drained: Drained) => Promise<void>;
}

/**
 * A program that nobody watches must not leave nodes cordoned: the node is given back even if the drain ends before its
 * time, or the work fails.
 *
 * @throws MaintenanceError when the node could not be drained; whatever `work` throws.
 */
export async function maintainNode({ work, ...options }: MaintainOptions): Promise<void> {
  try {
    await work(await drain(options));
  } finally {
    await uncordon({ cluster: options.cluster, node: options.node });
  }
}
