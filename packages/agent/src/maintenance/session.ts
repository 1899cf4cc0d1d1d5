// What cordon, drain and uncordon have in common: the caller's cluster, Ctrl-C, and how failures are said.
import {
  connectMaintenance,
  type MaintenanceCluster,
  MaintenanceError,
  RequestAbortedError,
} from '@liberator/core';
import { openCallersCluster } from '../cluster/callers-cluster.ts';
import type { ClusterFlags } from '../cluster/flags.ts';
import { exitCode } from '../process/exit-code.ts';
import { codeOf, FatalError, sentenceOf } from '../process/failure.ts';
import { onStopSignals, type StopSignal } from '../process/signals.ts';

export interface Session {
  readonly cluster: MaintenanceCluster;
  /** Aborts with the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
}

/**
 * Runs `act` as the caller.
 *
 * @param tellFailure - The lines to say for a {@link MaintenanceError}; without it, its message.
 * @throws {@link FatalError} for whatever went wrong.
 */
export async function withCallersCluster(
  flags: ClusterFlags,
  purpose: string,
  act: (session: Session) => Promise<void>,
  tellFailure: (error: MaintenanceError) => string = ({ message }) => message,
): Promise<void> {
  let stoppedBy: StopSignal | undefined;
  using stop = onStopSignals((signal) => {
    stoppedBy = signal;
  });
  const transport = openCallersCluster(flags, purpose);
  try {
    await act({ cluster: connectMaintenance({ transport }), signal: stop.signal });
  } catch (error) {
    if (error instanceof FatalError) throw error;
    const interrupted = stoppedBy !== undefined && isInterruption(error);
    throw new FatalError(error instanceof MaintenanceError ? tellFailure(error) : sentenceOf(error), {
      code: codeOf(error) ?? 'LIBERATOR_UNEXPECTED',
      exitCode: interrupted && stoppedBy ? exitCode.signalled[stoppedBy] : exitCode.failed,
      cause: error,
    });
  } finally {
    await transport.close();
  }
}

function isInterruption(error: unknown): boolean {
  if (error instanceof RequestAbortedError) return true;
  return error instanceof MaintenanceError && error.code === 'LIBERATOR_DRAIN_INTERRUPTED';
}
