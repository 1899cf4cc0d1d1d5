// From the configuration to a fencer that reads the Leases of guards.
import {
  type Fencer,
  isNotFound,
  type KubernetesReader,
  leases,
  type ReadLease,
  watchdogFencer,
} from '@liberator/core';
import type { Config } from '../config/config.ts';
import type { WatchdogConfig } from '../config/fencers/watchdog.ts';

/** What reads from the API server itself. */
export type LiveReader = Pick<KubernetesReader, 'get'>;

export function buildWatchdog(
  name: string,
  { timeout, namespace, margin, longestWait }: WatchdogConfig,
  reader: LiveReader,
): Fencer {
  return watchdogFencer({
    name,
    readLease: leaseReader(reader),
    namespace,
    marginMs: margin,
    longestWaitMs: longestWait,
    ...(timeout !== undefined && { timeoutMs: timeout }),
  });
}

/** Where guards of watchdogs keep their Leases, each once. */
export function guardNamespaces(fencers: Config['fencers']): readonly string[] {
  const found = Object.values(fencers).flatMap((one) => (one.driver === 'watchdog' ? [one.namespace] : []));
  return [...new Set(found)];
}

function leaseReader(reader: LiveReader): ReadLease {
  return async (at, signal) => {
    try {
      return await reader.get(leases, at, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
}
