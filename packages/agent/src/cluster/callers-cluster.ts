// The cluster that whoever types a command means, with that person's credentials: as kubectl finds it.
import { accessSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createTransport, KubeConfigError, loadKubeConfig, type Transport } from '@liberator/core';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { type ClusterFlags, choiceOf } from './flags.ts';

type KubeConfig = ReturnType<typeof loadKubeConfig>;

/**
 * Opens a connection as the caller. The file is `--kubeconfig`, or those in `$KUBECONFIG`, or `~/.kube/config`; where
 * there is none of them, the pod's service account counts. `run` deliberately does not look around like this.
 *
 * @param purpose - Sent with each request, for the API server's audit log.
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function openCallersCluster(flags: ClusterFlags, purpose: string): Transport {
  return explained(() => createTransport(loadCallersKubeConfig(flags), { purpose }));
}

/**
 * The same without a connection.
 *
 * @param as - The user to act as, with no groups or attributes but its own, whatever the flags and the kubeconfig say.
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function loadCallersKubeConfig(flags: ClusterFlags, as?: string): KubeConfig {
  const alone = as === undefined ? {} : { as, asGroups: [], asUid: '', asUserExtra: {} };
  return explained(() => {
    const path = flags.kubeconfig ?? callersKubeconfig();
    return loadKubeConfig({ path, ...choiceOf(flags), ...alone, attended: true });
  });
}

/**
 * What a process that runs by itself was told to use: `--kubeconfig`, or the pod's service account, and nothing that it
 * would have to look for.
 *
 * @throws {@link FatalError} with the exit code for wrong usage.
 */
export function loadNamedKubeConfig(flags: ClusterFlags, namespace?: string): KubeConfig {
  return explained(() => loadKubeConfig({ path: flags.kubeconfig, ...choiceOf(flags), namespace }));
}

/** Of what `work` finds wrong with a kubeconfig, or with what leads to its cluster, the sentence and the exit code. */
export function explained<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof KubeConfigError)) throw error;
    throw new FatalError(error.message, { code: error.code, exitCode: exitCode.usage, cause: error });
  }
}

/** Undefined: no file, so the service account. */
function callersKubeconfig(): readonly string[] | undefined {
  const named = process.env['KUBECONFIG']?.split(delimiter).filter((path) => path !== '') ?? [];
  const paths = named.length > 0 ? named : [join(homedir(), '.kube', 'config')];
  if (paths.some(isThere)) return paths;
  if (process.env['KUBERNETES_SERVICE_HOST']) return undefined;
  const source = named.length > 0 ? 'named by KUBECONFIG' : 'KUBECONFIG is not set';
  throw new KubeConfigError(
    `found no kubeconfig: there is no ${paths.join(', no ')} (${source}), and this is not a pod; name a file with --kubeconfig`,
  );
}

/** What is there and can't be read is to be complained about, not to be passed by. */
function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
