// Helm and kustomize, as their authors release them: in the cache, else built once from the Go modules in tools/go.mod.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildPrograms, type ProgramSource } from '../control-plane/build.ts';
import { withLock } from '../control-plane/lock.ts';
import { type FindProgramsOptions, isExecutable } from '../control-plane/programs.ts';

const sourceDir = join(import.meta.dirname, 'tools');

/** Runs one program and gives back what it wrote to stdout. */
type Tool = (...args: readonly string[]) => Promise<string>;

export interface DeployTools {
  readonly helm: Tool;
  readonly kustomize: Tool;
}

/** Thrown when a program refuses. The message is what it said on stderr. */
class ToolError extends Error {
  override readonly name = 'ToolError';
}

/**
 * Building takes about two minutes on two cores, the first time.
 *
 * @throws ClusterError `missing-requirement` when something has to be built and there is no Go, `build-failed` when Go
 * refuses.
 */
export async function findTools(options: FindProgramsOptions = {}): Promise<DeployTools> {
  const { env = process.env, signal, onProgress } = options;
  const modules = ['go.mod', 'go.sum'].map((file) => readFileSync(join(sourceDir, file), 'utf8'));
  const digest = createHash('sha256').update(modules.join('\0')).digest('hex').slice(0, 12);
  const sources: readonly ProgramSource<keyof DeployTools>[] = [
    { name: 'helm', package: 'helm.sh/helm/v3/cmd/helm', fileName: `helm-${digest}` },
    { name: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5', fileName: `kustomize-${digest}` },
  ];
  const cache = cacheDirectory(env);
  const missing = (): typeof sources =>
    sources.filter(({ fileName }) => !isExecutable(join(cache, fileName)));
  if (missing().length > 0) {
    await withLock(
      `build:${cache}`,
      () =>
        buildPrograms({
          // Looked at again: whoever held the lock may have built them all.
          sources: missing(),
          sourceDir,
          cache,
          variables: kubernetesVariables(modules.join('\n')),
          lasts: 'some two minutes',
          env,
          signal,
          onProgress,
        }),
      { signal },
    );
  }
  const tool = (name: keyof DeployTools): Tool => {
    const path = join(cache, `${name}-${digest}`);
    return (...args) => run(path, args);
  };
  return { helm: tool('helm'), kustomize: tool('kustomize') };
}

function cacheDirectory(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'liberator', 'deploy-tools', `${process.platform}-${process.arch}`);
}

/** Helm believes that clusters are as old as its build forgot to say; its releases name the version of its own client. */
function kubernetesVariables(goMod: string): Record<string, string> {
  const minor = /^\s*k8s\.io\/client-go v0\.(\d+)\./m.exec(goMod)?.[1];
  if (minor === undefined) throw new Error('tools/go.mod names no version of k8s.io/client-go');
  return Object.fromEntries(
    ['chartutil', 'lint/rules'].flatMap((folder) => [
      [`helm.sh/helm/v3/pkg/${folder}.k8sVersionMajor`, '1'],
      [`helm.sh/helm/v3/pkg/${folder}.k8sVersionMinor`, minor],
    ]),
  );
}

async function run(path: string, args: readonly string[]): Promise<string> {
  try {
    // No configuration of whoever runs this, and no cluster of theirs.
    const env = { HELM_NO_PLUGINS: '1', HOME: '/nonexistent', KUBECONFIG: '/nonexistent', PATH: '' };
    const { stdout } = await promisify(execFile)(path, args, { env, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const { stderr = '', stdout = '' } = error as { readonly stderr?: string; readonly stdout?: string };
    // `helm lint` tells its findings on stdout.
    const said = [stdout, stderr].map((text) => text.trim()).join('\n');
    throw new ToolError(said.trim() || String(error), { cause: error });
  }
}
