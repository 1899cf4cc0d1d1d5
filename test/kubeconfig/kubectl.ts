// kubectl, built once from the Go module beside this; the judge of how a kubeconfig is read.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buildPrograms } from '../control-plane/build.ts';
import { withLock } from '../control-plane/lock.ts';
import { type FindProgramsOptions, isExecutable } from '../control-plane/programs.ts';

const sourceDir = join(import.meta.dirname, 'kubectl');

/**
 * The path of kubectl. Building it takes some three minutes, the first time.
 *
 * @throws ClusterError when there is no Go, or Go refuses.
 */
export async function findKubectl(options: FindProgramsOptions = {}): Promise<string> {
  const { env = process.env, signal, onProgress } = options;
  const sources = readdirSync(sourceDir).toSorted();
  const digest = createHash('sha256')
    .update(sources.map((file) => readFileSync(join(sourceDir, file), 'utf8')).join('\0'))
    .digest('hex')
    .slice(0, 12);
  const base = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const cache = join(base, 'liberator', 'kubectl', `${process.platform}-${process.arch}`);
  const fileName = `kubectl-${digest}`;
  const path = join(cache, fileName);
  if (isExecutable(path)) return path;
  await withLock(
    `build:${cache}`,
    () =>
      buildPrograms({
        // Looked at again: whoever held the lock may have built it.
        sources: isExecutable(path) ? [] : [{ name: 'kubectl', package: '.', fileName }],
        sourceDir,
        cache,
        variables: {},
        lasts: 'some three minutes',
        env,
        signal,
        onProgress,
      }),
    { signal },
  );
  return path;
}
