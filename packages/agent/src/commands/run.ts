// `liberator run`: what it is called and what it takes. The agent itself is loaded only when it is asked for.
import { type Command, Option } from 'commander';
import { durationArgument } from './duration-argument.ts';

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
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
    .action(async (flags: RunFlags) => {
      const { runProcess } = await import('../run/run-process.ts');
      await runProcess(flags);
    });
}
