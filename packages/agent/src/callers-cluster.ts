// The cluster that whoever types a command means, with that person's credentials: as kubectl finds it.
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createTransport, KubeConfigError, loadKubeConfig, type Transport } from '@liberator/core';
import { exitCode } from './exit-code.ts';
import { FatalError } from './failure.ts';

/** The help text of `--kubeconfig` for commands that people type. */
export const callersKubeconfigHelp =
  "the cluster and who you are (default: $KUBECONFIG, ~/.kube/config, or the pod's service account)";

/**
 * Opens a connection as the caller. The file is `flag`, or `$KUBECONFIG`, or `~/.kube/config`; where there is none of
 * them, the pod's service account counts. `run` deliberately does not look around like this.
 *
 * @param purpose - Sent with each request, for the API server's audit log.
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function openCallersCluster(flag: string | undefined, purpose: string): Transport {
  return createTransport(loadCallersKubeConfig(flag), { purpose });
}

/**
 * The same without a connection.
 *
 * @param as - The user to act as, if not as the caller.
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function loadCallersKubeConfig(
  flag: string | undefined,
  as?: string,
): ReturnType<typeof loadKubeConfig> {
  try {
    return loadKubeConfig({ path: flag ?? callersKubeconfig(), as });
  } catch (error) {
    if (!(error instanceof KubeConfigError)) throw error;
    throw new FatalError(error.message, { code: error.code, exitCode: exitCode.usage, cause: error });
  }
}

/** Undefined: no file, so the service account. */
function callersKubeconfig(): string | undefined {
  const named = process.env['KUBECONFIG']?.split(delimiter).filter((path) => path !== '') ?? [];
  if (named.length > 1) {
    throw new KubeConfigError(
      `expected one file in KUBECONFIG, found ${named.length}: name the one to use with --kubeconfig`,
    );
  }
  const home = join(homedir(), '.kube', 'config');
  return named[0] ?? (existsSync(home) ? home : undefined);
}
