// Finds the programs that a cluster is made of: in KUBEBUILDER_ASSETS, else in the cache, else built once from source.
import { createHash } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type BuildProgress, buildPrograms, type ProgramSource } from './build.ts';
import { withLock } from './lock.ts';

/** Where go.mod lies, and our own Go programs. */
const SOURCE_DIR: string = import.meta.dirname;

export const PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'hollow-kubelet',
  'certificates',
] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** The path of each program. */
export type Programs = Readonly<Record<ProgramName, string>>;

/** Which versions go.mod pins. */
export interface PinnedVersions {
  readonly kubernetes: string;
  readonly etcd: string;
}

export function readPinnedVersions(goMod: string): PinnedVersions {
  const find = (module: string): string => {
    const version = new RegExp(`^\\s*${module.replaceAll('.', '\\.')} (v\\S+)`, 'm').exec(goMod)?.[1];
    if (version === undefined) {
      throw new Error(`go.mod pins no version of ${module}`);
    }
    return version;
  };
  return { kubernetes: find('k8s.io/kubernetes'), etcd: find('go.etcd.io/etcd/server/v3') };
}

/**
 * Names in the cache tell everything that the program depends on, so a name that is there is always right: Kubernetes'
 * programs lie in a folder named for its version, etcd's name carries its version, and ours a digest of their source.
 */
export function planSources(versions: PinnedVersions, ourDigest: string): ProgramSource<ProgramName>[] {
  return PROGRAMS.map((name) => {
    switch (name) {
      case 'etcd':
        return { name, package: 'go.etcd.io/etcd/server/v3', fileName: `etcd-${versions.etcd}` };
      case 'hollow-kubelet':
      case 'certificates':
        return { name, package: `./${name}`, fileName: `${name}-${ourDigest}` };
      default:
        return { name, package: `k8s.io/kubernetes/cmd/${name}`, fileName: name };
    }
  });
}

/** `$XDG_CACHE_HOME/liberator/control-plane/VERSION-PLATFORM`, by default below ~/.cache. */
export function cacheDirectory(kubernetesVersion: string, env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const platform = `${process.platform}-${process.arch}`;
  return join(base, 'liberator', 'control-plane', `${kubernetesVersion}-${platform}`);
}

/** What may be watched, and stopped, while programs are looked for. */
export interface FindProgramsOptions {
  env?: NodeJS.ProcessEnv | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/**
 * Returns the path of every program. Building takes about ten minutes on two cores, the first time.
 *
 * @throws ClusterError `missing-requirement` when something has to be built and there is no Go, `build-failed` when Go
 * refuses.
 */
export async function findPrograms(options: FindProgramsOptions = {}): Promise<Programs> {
  const { env = process.env, signal, onProgress } = options;
  const versions = readPinnedVersions(readFileSync(join(SOURCE_DIR, 'go.mod'), 'utf8'));
  const cache = cacheDirectory(versions.kubernetes, env);
  const sources = planSources(versions, digestOurSource());
  const isMissing = (source: ProgramSource): boolean => locate(source, cache, env) === undefined;

  if (sources.some(isMissing)) {
    await withLock(
      `build:${cache}`,
      async () => {
        // Looked at again: whoever held the lock may have built them all.
        const missing = sources.filter(isMissing);
        await buildPrograms({
          sources: missing,
          sourceDir: SOURCE_DIR,
          cache,
          variables: versionVariables(versions.kubernetes),
          lasts: 'up to ten minutes',
          otherwise: 'set KUBEBUILDER_ASSETS to a directory that holds them',
          env,
          signal,
          onProgress,
        });
      },
      {
        signal,
        onWait: () =>
          onProgress?.({ program: 'programs', detail: 'being built by another process; waiting' }),
      },
    );
  }

  return Object.fromEntries(
    sources.map((source) => [source.name, locate(source, cache, env) ?? join(cache, source.fileName)]),
  ) as Record<ProgramName, string>;
}

/** Tells Kubernetes' programs which version they are; built this way they would otherwise say v0.0.0. */
function versionVariables(version: string): Record<string, string> {
  const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
  const variables = { gitVersion: version, gitMajor: major, gitMinor: minor };
  return Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [`k8s.io/component-base/version.${name}`, value]),
  );
}

function locate(source: ProgramSource, cache: string, env: NodeJS.ProcessEnv): string | undefined {
  const assets = env['KUBEBUILDER_ASSETS'];
  const candidates = [...(assets ? [join(assets, source.name)] : []), join(cache, source.fileName)];
  return candidates.find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function digestOurSource(): string {
  const goFiles = ['certificates', 'hollow-kubelet'].flatMap((folder) =>
    readdirSync(join(SOURCE_DIR, folder))
      .filter((file) => file.endsWith('.go'))
      .sort()
      .map((file) => join(folder, file)),
  );
  const hash = createHash('sha256');
  for (const file of ['go.mod', 'go.sum', ...goFiles]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(SOURCE_DIR, file)))
      .update('\0');
  }
  return hash.digest('hex').slice(0, 12);
}
