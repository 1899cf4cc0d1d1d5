// `liberator run`: what it is called and what it takes. The agent itself is loaded only when it is asked for.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DurationError, parseDuration } from '../duration.ts';

export interface RunFlags {
  readonly config: string;
  readonly kubeconfig?: string;
  /** Milliseconds. */
  readonly startupTimeout: number;
}

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('watch nodes and, as the leader, take over those that died')
    .requiredOption('-c, --config <file>', 'the configuration, as YAML')
    .option('--kubeconfig <file>', "how to reach the cluster (default: the pod's service account)")
    .addOption(
      new Option('--startup-timeout <duration>', 'how long to wait for the API server at the start')
        .argParser(duration)
        .default(30_000, '30s'),
    )
    .action(async (flags: RunFlags) => {
      const { runProcess } = await import('../run/run-process.ts');
      await runProcess(flags);
    });
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (error instanceof DurationError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
