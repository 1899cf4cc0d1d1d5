// `liberator simulate`: what it is called and what it takes.
import { type Command, Option } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { durationArgument } from '../text/duration-argument.ts';
import { outputOption } from '../text/output-option.ts';
import type { SimulateFlags } from './run-simulation.ts';

const details = `
Reads the cluster as you, and lets time pass in memory: nothing is written,
nobody is asked to do anything, and no host is probed.

  liberator simulate --kill zone=a
  liberator simulate --kill node-1,node-2 --confirm-after 5m
  liberator simulate --kill example.com/rack=7 --config new.yaml`;

export function addSimulateCommand(program: Command): void {
  const command = program
    .command('simulate')
    .description('what would be decided, released and placed where, if some nodes died now')
    .addOption(
      new Option(
        '-k, --kill <nodes>',
        'which: names, zone=NAME or LABEL=VALUE, with commas between; may be given several times',
      )
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option(
      '-c, --config <file>',
      'the configuration to decide by (default: ConfigMap "liberator" of the installation)',
    )
    .option('--stop-kubelet', 'only their kubelets die: the machines are up, and refuse connections')
    .addOption(
      new Option(
        '--confirm-after <duration>',
        'suppose that a human confirms each death so long after being asked (default: nobody does)',
      ).argParser(durationArgument),
    )
    .addOption(
      new Option('--for <duration>', 'how far to look ahead')
        .argParser(durationArgument)
        .default(1_800_000, '30m'),
    );
  addPlaceOptions(command)
    .addOption(outputOption())
    .addHelpText('after', details)
    .action(async (flags: SimulateFlags) => {
      const { runSimulation } = await import('./run-simulation.ts');
      await runSimulation(flags);
    });
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',')];
}
