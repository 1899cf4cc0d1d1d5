// Knows what lies where in a cluster's directory, and reads and writes the few files that say what runs.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { ClusterError } from './cluster-error.ts';
import type { ProcessRecord } from './process-guard.ts';
import type { Programs } from './programs.ts';
import type { ClusterTimings } from './timings.ts';

/** Written before anything is started, so that whatever happens then can be cleaned up. */
export interface ClusterRecord {
  readonly name: string;
  readonly phase: 'starting' | 'up';
  readonly slot: number;
  readonly nodes: number;
  readonly zones: readonly string[];
  readonly timings: ClusterTimings;
  readonly programs: Programs;
  /** The process that this cluster shall not outlive, if there is one. */
  readonly owner?: ProcessRecord;
  /** Once it is up: what the API server says it is, such as v1.36.3. */
  readonly version?: string;
}

/** What stays the same over a node's reboots, and what changes with each. */
export interface NodeRecord {
  readonly machineId: string;
  readonly bootId: string;
}

const RECORD = 'cluster.json';

/** Everything that a cluster writes into its directory; nothing else there is ever deleted. */
const OURS = [
  'pids',
  'nodes',
  'pki',
  'etcd',
  'logs',
  'audit.log',
  'audit-policy.json',
  'kubeconfig',
  'kube-controller-manager.kubeconfig',
  'kube-scheduler.kubeconfig',
  RECORD,
] as const;

/** `$XDG_STATE_HOME/liberator/clusters`, by default below ~/.local/state: a directory per name. */
export function clustersDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'liberator', 'clusters');
}

/** A given directory, else the one that goes with a name. */
export function clusterDirectory(given: { dir?: string | undefined; name: string }): string {
  if (given.dir !== undefined) {
    return resolve(given.dir);
  }
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(given.name)) {
    throw new ClusterError(
      'wrong-argument',
      `Expected a cluster name of up to 40 of a-z, 0-9 and "-", found "${given.name}".`,
    );
  }
  return join(clustersDirectory(), given.name);
}

/**
 * A directory with a short path, for Unix sockets, whose paths may be 107 bytes long at most, and for what hollow
 * kubelets leave lying about.
 */
export function runtimeDirectory(dir: string): string {
  const base = tmpdir().length <= 24 ? tmpdir() : '/tmp';
  return join(base, `liberator-${createHash('sha256').update(dir).digest('hex').slice(0, 10)}`);
}

/** Makes the runtime directory afresh, and refuses to use one that another user has laid there. */
export function prepareRuntimeDirectory(dir: string): void {
  const path = runtimeDirectory(dir);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && (found.uid !== process.geteuid?.() || !found.isDirectory())) {
    throw new ClusterError('wrong-state', `${path} belongs to somebody else: remove it, or set TMPDIR.`);
  }
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { mode: 0o700 });
}

export function readRecord(dir: string): ClusterRecord | undefined {
  return readJson<ClusterRecord>(join(dir, RECORD));
}

export function writeRecord(dir: string, record: ClusterRecord): void {
  writeJson(join(dir, RECORD), record);
}

export function readNode(dir: string, name: string): NodeRecord | undefined {
  return readJson<NodeRecord>(join(dir, 'nodes', `${name}.json`));
}

export function writeNode(dir: string, name: string, record: NodeRecord): void {
  writeJson(join(dir, 'nodes', `${name}.json`), record);
}

export function readProcess(dir: string, name: string): ProcessRecord | undefined {
  return readJson<ProcessRecord>(join(dir, 'pids', `${name}.json`));
}

export function writeProcess(dir: string, name: string, record: ProcessRecord): void {
  writeJson(join(dir, 'pids', `${name}.json`), record);
}

/** Every process that was ever noted and not replaced, alive or not. */
export function readProcesses(dir: string): ProcessRecord[] {
  const pids = join(dir, 'pids');
  const files = existsSync(pids) ? readdirSync(pids) : [];
  return files.flatMap((file) => readJson<ProcessRecord>(join(pids, file)) ?? []);
}

/** Makes the directory, unless there is something in it that no cluster has put there. */
export function prepareDirectory(dir: string): void {
  const strangers = existsSync(dir) ? readdirSync(dir).filter((name) => !isOurs(name)) : [];
  if (strangers.length > 0) {
    throw new ClusterError(
      'wrong-argument',
      `${dir} holds something that is no cluster's (${strangers[0]}): choose an empty or new directory.`,
    );
  }
  for (const path of [dir, join(dir, 'pids'), join(dir, 'nodes'), join(dir, 'logs')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }
}

/** Deletes what a cluster has written, and the directory itself when nothing else is left in it. */
export function clearDirectory(dir: string, options: { keepLogs?: boolean } = {}): void {
  rmSync(runtimeDirectory(dir), { recursive: true, force: true });
  if (!existsSync(dir)) {
    return;
  }
  for (const name of readdirSync(dir).filter(isOurs)) {
    if (!(options.keepLogs === true && (name === 'logs' || name === 'audit.log'))) {
      rmSync(join(dir, name), { recursive: true, force: true });
    }
  }
  if (readdirSync(dir).length === 0) {
    rmdirSync(dir);
  }
}

function isOurs(name: string): boolean {
  return OURS.some((ours) => ours === name) || /^node-\d+\.kubeconfig$/.test(name) || /^client-/.test(name);
}

function readJson<T>(path: string): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
  return JSON.parse(text) as T;
}

/** Through a rename, so that a reader never meets half a file. */
function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const scratch = `${path}.new`;
  writeFileSync(scratch, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(scratch, path);
}
