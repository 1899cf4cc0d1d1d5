// `liberator run`: what it is called and what it takes. The agent itself is loaded only when it is asked for.
import { type Command, Option } from 'commander';
import { addClusterOptions, namedKubeconfigHelp } from '../cluster/flags.ts';
import { durationArgument } from '../text/duration-argument.ts';
import { sizeArgument } from '../text/size-argument.ts';
import type { RunFlags } from './run-process.ts';

export function addRunCommand(program: Command): void {
  const command = program
    .command('run')
    .description('watch nodes and, as the leader, take over those that died')
    .requiredOption('-c, --config <file>', 'the configuration, as YAML');
  addClusterOptions(command, namedKubeconfigHelp)
    .addOption(
      new Option('--startup-timeout <duration>', 'how long to wait for the API server at the start')
        .argParser(durationArgument)
        .default(30_000, '30s'),
    )
    .option('--observe', 'decide everything and do nothing but tell; as "mode: observe"')
    .option('--record <file>', 'write the facts that come in, for "liberator replay"; as "journal.file"')
    .addOption(
      new Option('--record-size <size>', 'how large that file may become; as "journal.size"').argParser(
        sizeArgument,
      ),
    )
    .action(async (flags: RunFlags) => {
      const { runProcess } = await import('./run-process.ts');
      await runProcess(flags);
    });
}
