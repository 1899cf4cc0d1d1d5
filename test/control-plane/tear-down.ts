// Takes a cluster away with everything it has left, from whatever state it was found in.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clearDirectory, clustersDirectory, readProcesses, readRecord } from './cluster-directory.ts';
import { withLock } from './lock.ts';
import { removeNetwork } from './network.ts';
import { killProcesses, processState } from './process-guard.ts';

/** What is found in a directory: a cluster that runs, what is left of one, or nothing. */
export type Finding = 'up' | 'leftovers' | 'nothing';

export function inspectCluster(dir: string): Finding {
  const record = readRecord(dir);
  const processes = readProcesses(dir);
  if (record === undefined && processes.length === 0) {
    return 'nothing';
  }
  const abandoned = record?.owner !== undefined && processState(record.owner) === 'gone';
  const runs = processes.some((process) => processState(process) !== 'gone');
  return record?.phase === 'up' && runs && !abandoned ? 'up' : 'leftovers';
}

/**
 * Kills every process of the cluster, removes its network and deletes its files. Does nothing where there is nothing.
 * Blocks the thread for some hundred milliseconds, so that it can also be the last thing that a process does.
 */
export function removeCluster(dir: string, options: { keepLogs?: boolean } = {}): void {
  killProcesses(readProcesses(dir));
  removeNetwork(dir);
  clearDirectory(dir, options);
}

/** Removes the clusters whose owner, a test run that was killed, can no longer do it. */
export async function removeAbandoned(): Promise<void> {
  const root = clustersDirectory();
  for (const name of existsSync(root) ? readdirSync(root) : []) {
    const dir = join(root, name);
    const owner = readRecord(dir)?.owner;
    if (owner !== undefined && processState(owner) === 'gone') {
      await withLock(`cluster:${dir}`, async () => {
        if (inspectCluster(dir) === 'leftovers') {
          removeCluster(dir);
        }
      });
    }
  }
}
