// Flags, signals and exit codes around the rolling maintenance.
import { parseArgs } from 'node:util';
import { MaintenanceError } from '@liberator/core';
import { DemoFailure, Interruption, sentenceOf, UsageError } from '../demo/failure.ts';
import { formatLine, type Line, paintFor } from '../demo/telling/timeline.ts';
import { enterReal, startEmbedded } from './clusters.ts';
import { maintainEveryNode } from './rolling-maintenance.ts';
import { replicas } from './workloads.ts';

const command = 'npm run example:planned-maintenance';

const help = `Usage: ${command} [-- options]

Drains every node of a cluster in turn, switches it off and on again, and gives
it back, while a database of three goes on with at least two. Without options
the cluster is embedded: nothing is needed beside Node.js.

Options:
  --kubeconfig FILE  do it on a real control plane instead: on the one that
                     "npm run cluster -- up 3" started, whose kubeconfig this
                     is. Whatever the example creates there is removed again.
  -h, --help         print this

Exit codes: 0 done; 1 failed; 2 wrong usage; 130 interrupted`;

const exitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** Returns the exit code; whatever went wrong has been said then. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const onSignal = (): void => {
    if (interruption.signal.aborted) process.exit(exitCode.interrupted);
    console.error('\nStopping; once more to end at once.');
    interruption.abort(new Interruption('interrupted'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    const flags = readFlags(args);
    if (flags === 'help') {
      console.log(help);
      return exitCode.done;
    }
    return await run(flags.kubeconfig, interruption.signal);
  } catch (error) {
    if (interruption.signal.aborted) {
      console.error('Interrupted; no node is left cordoned.');
      return exitCode.interrupted;
    }
    console.error(`planned-maintenance: ${failureOf(error)}`);
    return error instanceof UsageError ? exitCode.usage : exitCode.failed;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function run(kubeconfig: string | undefined, signal: AbortSignal): Promise<number> {
  const paint = paintFor(process.stdout, process.env);
  const startedAt = performance.now();
  const tell = (line: Line): void =>
    console.log(formatLine({ atMs: performance.now() - startedAt, ...line }, paint));
  await using cluster = kubeconfig === undefined ? await startEmbedded() : await enterReal(kubeconfig);
  tell({ who: 'cluster', text: cluster.about });
  const { nodes, fewestReady } = await maintainEveryNode({ cluster, tell, signal });
  const verdict = `${nodes} nodes done; never fewer than ${fewestReady} of ${replicas} replicas were Ready`;
  const fine = fewestReady >= replicas - 1;
  tell({ who: 'database', text: verdict, tone: fine ? 'good' : 'bad' });
  return fine ? exitCode.done : exitCode.failed;
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

function failureOf(error: unknown): string {
  const sentence = sentenceOf(error);
  const known = [UsageError, DemoFailure, MaintenanceError].some((kind) => error instanceof kind);
  return known ? sentence : `unexpected: ${sentence}`;
}
