// Flags, signals and exit codes around the pods that share a piece of work.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { KubeConfigError, loadKubeConfig } from '@liberator/core';
import { Simulator } from '@liberator/simulator';
import { deleteObjects } from '../demo/cluster/create-objects.ts';
import { sentenceOf, UsageError } from '../demo/failure.ts';
import { exitCode, withOutcome } from '../demo/outcome.ts';
import { formatLine, paintFor } from '../demo/telling/timeline.ts';
import { playStory, type StoryOptions } from './story.ts';

const command = 'npm run example:sidecar-election';

const help = `Usage: ${command} [-- options]

Three pods, each a sidecar ("liberator elect") and a shell script that works
only while its sidecar leads. The one that works loses power, hangs, and is
deleted; each time another goes on, and never do two work at once. Without
options the API server is embedded: nothing is needed beside Node.js and curl.

Options:
  --kubeconfig FILE  hold the election on the cluster of that kubeconfig, in
                     namespace "default": the one of "npm run cluster", or any
                     other. Its Lease is removed again.
  -h, --help         print this

Exit codes: 0 done; 1 failed; 2 wrong usage; 130 interrupted`;

const election = 'sidecar-election-example';

/** Returns the exit code; whatever went wrong has been said then. */
export function runCommandLine(args: readonly string[]): Promise<number> {
  return withOutcome({ name: 'sidecar-election', called: 'the example' }, async (signal) => {
    const flags = readFlags(args);
    if (flags === 'help') console.log(help);
    else await run(flags.kubeconfig, signal);
    return exitCode.done;
  });
}

async function run(path: string | undefined, signal: AbortSignal): Promise<void> {
  const paint = paintFor(process.stdout, process.env);
  const startedAt = performance.now();
  const tell: StoryOptions['tell'] = (who, text, tone = 'plain') =>
    console.log(formatLine({ atMs: performance.now() - startedAt, who, text, tone }, paint));
  await using place = path === undefined ? await openEmbedded() : openReal(path);
  tell('cluster', place.about, 'quiet');
  const { reports, terms } = await playStory({ kubeconfig: place.kubeconfig, election, tell, signal });
  tell('outcome', `${reports} reports in ${terms} terms, and never two pods at work at once`, 'good');
}

interface ElectionPlace extends AsyncDisposable {
  readonly about: string;
  /** Path of a file. */
  readonly kubeconfig: string;
}

async function openEmbedded(): Promise<ElectionPlace> {
  const simulator = await Simulator.start({ http: true, nodes: 0 });
  const folder = mkdtempSync(join(tmpdir(), 'liberator-example-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, simulator.kubeconfig(), { mode: 0o600 });
  return {
    about: 'an API server in this process',
    kubeconfig,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true });
      await simulator.stop();
    },
  };
}

/** @throws UsageError when the file leads nowhere. */
function openReal(kubeconfig: string): ElectionPlace {
  const kubeConfig = loaded(kubeconfig);
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: election, namespace: 'default' },
  };
  return {
    about: `the cluster of ${kubeconfig}`,
    kubeconfig,
    [Symbol.asyncDispose]: () => deleteObjects(kubeConfig, [lease]),
  };
}

function loaded(path: string): KubeConfig {
  try {
    return loadKubeConfig({ path });
  } catch (error) {
    if (error instanceof KubeConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** @throws UsageError for anything but the flags that there are. */
function readFlags(args: readonly string[]): { readonly kubeconfig: string | undefined } | 'help' {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { kubeconfig: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
    return values.help ? 'help' : { kubeconfig: values.kubeconfig };
  } catch (error) {
    const [problem = ''] = sentenceOf(error).split('. ');
    throw new UsageError(`${problem.replace(/\.$/, '')}; "${command} -- --help" shows what there is`, {
      cause: error,
    });
  }
}
